// Who may come in: decided by the head of a request alone, before anything of it is believed.

import Foundation
import HTTP
import Linux

/// The rules of the gateway.
struct Gatekeeper: Sendable {
    /// `USER:PASSWORD`; nobody is asked where there is none.
    let credentials: [String]
    /// Names of this machine beside `localhost`, in small letters.
    let names: Set<String>
    /// Pages of other origins that a browser may let in, such as `http://127.0.0.1:3000`.
    let origins: Set<String>

    /// Why a request is turned away.
    struct RequestError: Equatable {
        let status: Int
        let why: String
    }

    func refusal(of method: String, _ headers: Headers) -> RequestError? {
        let host = headers["host"] ?? ""
        // A name that is none of ours was made to point here by somebody else: a page in a browser that the same name led
        // somewhere else a minute ago would be let in as the owner of it (DNS rebinding). An address cannot be made to.
        guard isOwn(Self.name(in: host)) else {
            return RequestError(
                status: 421,
                why: "this is not \"\(host)\": ask for it by its address, by localhost, or by its host name")
        }
        // A page from elsewhere can send forms and plain posts without asking; all browsers tell where from.
        if let origin = headers["origin"], !["GET", "HEAD"].contains(method), !isAllowed(origin),
            !Self.isSame(origin, host)
        {
            return RequestError(status: 403, why: "pages of \(origin) may not ask here; --cors \(origin) lets them")
        }
        guard credentials.isEmpty || isPreflight(method, headers) || hasCredentials(headers["authorization"]) else {
            return RequestError(status: 401, why: "user and password are needed (Basic)")
        }
        return nil
    }

    /// A browser that asks for leave before it lets a page ask. It sends no credentials with that, so nothing comes of it but
    /// the leave, and only to pages that may have it: anybody can write such a head.
    func isPreflight(_ method: String, _ headers: Headers) -> Bool {
        method == "OPTIONS" && headers["access-control-request-method"] != nil && isAllowed(headers["origin"] ?? "")
    }

    /// A page that asks from there may read the answers.
    func isAllowed(_ origin: String) -> Bool { origins.contains(origin.lowercased()) }

    // MARK: Host and Origin

    /// Without the port, which stands behind the brackets of an IPv6 address.
    private static func name(in host: String) -> String {
        let host = host.lowercased()
        if host.hasPrefix("["), let end = host.firstIndex(of: "]") { return String(host[...end]) }
        return String(host.prefix { $0 != ":" })
    }

    private func isOwn(_ name: String) -> Bool {
        name == "localhost" || name.hasSuffix(".localhost") || names.contains(name) || Self.isAddress(name)
            || name.isEmpty
    }

    private static func isAddress(_ name: String) -> Bool {
        if name.hasPrefix("["), name.hasSuffix("]") {
            // A zone means something on the machine of who asks, and is not sent (RFC 6874 section 1).
            return !name.contains("%") && ResolvedAddress.isNumeric(String(name.dropFirst().dropLast()))
        }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { $0.utf8.allSatisfy { (48...57).contains($0) } && UInt8($0) != nil }
    }

    private static func isSame(_ origin: String, _ host: String) -> Bool {
        ["http://", "https://"].contains { origin.lowercased() == $0 + host.lowercased() }
    }

    // MARK: Authorization

    private func hasCredentials(_ authorization: String?) -> Bool {
        let words = authorization?.split(separator: " ", maxSplits: 1) ?? []
        guard words.count == 2, words[0].lowercased() == "basic",
            let given = Data(base64Encoded: words[1].trimmingCharacters(in: .whitespaces))
        else { return false }
        // All are compared, and each to its end: how long it takes tells nothing of how much was right.
        return credentials.map { Self.isEqual(Array($0.utf8), Array(given)) }.contains(true)
    }

    static func isEqual(_ known: [UInt8], _ given: [UInt8]) -> Bool {
        var difference = known.count ^ given.count
        for index in given.indices {
            difference |= Int(given[index] ^ (known.isEmpty ? 0 : known[index % known.count]))
        }
        return difference == 0
    }
}
