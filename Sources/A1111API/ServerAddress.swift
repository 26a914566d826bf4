// Where a server is, and who we are to it.

import Foundation

/// The base URL of a server, apart from the credentials that may have stood in it.
package struct ServerAddress: Hashable, Sendable, CustomStringConvertible {
    /// Scheme, host, port and path prefix; no credentials.
    package let url: URL
    /// For name look-ups and bare connects.
    package let host: String
    /// As named, or the scheme's own: 80 or 443.
    package let port: UInt16
    /// The value of the Authorization header, where there are credentials. Never shown.
    package let authorization: String?

    /// As it is shown in logs and results: the URL without credentials.
    package var description: String { url.absoluteString }

    /// Two addresses are one server's whatever the credentials.
    package static func == (left: ServerAddress, right: ServerAddress) -> Bool { left.url == right.url }

    /// See `==`.
    package func hash(into hasher: inout Hasher) { hasher.combine(url) }

    /// Reads `http[s]://[USER:PASSWORD@]HOST[:PORT][/PREFIX]`; `nil` for anything else.
    ///
    /// - Parameter credentials: `USER:PASSWORD` from elsewhere, used where the URL has none.
    package init?(_ text: String, credentials: String? = nil) {
        guard var parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased() else { return nil }
        guard ["http", "https"].contains(scheme), let host = parts.host, !host.isEmpty else { return nil }
        guard parts.query == nil, parts.fragment == nil else { return nil }
        guard let port = UInt16(exactly: parts.port ?? (scheme == "https" ? 443 : 80)), port > 0 else { return nil }
        let inURL = parts.user.map { "\($0):\(parts.password ?? "")" }
        parts.user = nil
        parts.password = nil
        parts.scheme = scheme
        while parts.path.hasSuffix("/") { parts.path.removeLast() }
        guard let url = parts.url else { return nil }
        self.url = url
        // An IPv6 address stands in brackets in a URL and without them everywhere else.
        self.host = host.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        self.port = port
        // Sent with the first request: A1111 answers 401 without WWW-Authenticate, so nobody would ask for it.
        authorization = (inURL ?? credentials).map { "Basic " + Data($0.utf8).base64EncodedString() }
    }

    /// The URL of a path on this server, which may have a query. What cannot stand in a URL is escaped; escapes that
    /// are there stay (Foundation would escape them once more as soon as one character is no URL's).
    package func url(of path: String) -> URL? {
        let bytes = Array(path.utf8)
        var escaped: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            let isEscape = byte == UInt8(ascii: "%") && bytes.dropFirst(index + 1).prefix(2).count(where: isHex) == 2
            if isEscape || Self.allowed.contains(byte) {
                escaped.append(byte)
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                escaped += Array("%\(digits.count < 2 ? "0" : "")\(digits)".utf8)
            }
        }
        return URL(
            string: url.absoluteString + String(decoding: escaped, as: UTF8.self), encodingInvalidCharacters: false)
    }

    /// Of a path and a query (RFC 3986 sections 3.3 and 3.4).
    private static let allowed = Set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/?".utf8)

    private func isHex(_ byte: UInt8) -> Bool { Character(UnicodeScalar(byte)).isHexDigit }
}
