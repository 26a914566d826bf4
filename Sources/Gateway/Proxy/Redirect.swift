// Where the server sends a client that has asked it through the gateway: not past the gateway.

import A1111
import A1111API
import Foundation

/// The value of a Location field (RFC 9110 section 10.2.2), for a client of the gateway.
///
/// The server knows itself by the address at which it was asked, and writes whole URLs with it. The client may not reach
/// that one, and asks for the same path here. What leads elsewhere is left as it is.
func redirect(_ location: String, from server: ServerAddress) -> String {
    guard let scheme = location.range(of: "://"), location[..<scheme.lowerBound].lowercased() == server.url.scheme
    else {
        return location
    }
    let authority = location[scheme.upperBound...].prefix { !"/?#".contains($0) }
    guard isAuthority(authority, of: server) else { return location }
    var rest = location[authority.endIndex...]
    // The gateway puts the path of its server before all that it passes on.
    let prefix = server.url.path
    if !prefix.isEmpty {
        guard rest.hasPrefix(prefix) else { return location }
        rest = rest.dropFirst(prefix.count)
    }
    guard rest.hasPrefix("/") else { return rest.isEmpty || prefix.isEmpty ? "/\(rest)" : location }
    // Two slashes begin the name of another host.
    let second = rest.dropFirst().first
    return second == "/" || second == "\\" ? location : String(rest)
}

private func isAuthority(_ authority: Substring, of server: ServerAddress) -> Bool {
    let host = server.host.contains(":") ? "[\(server.host)]" : server.host
    let usual: UInt16 = server.url.scheme == "https" ? 443 : 80
    let names = ["\(host):\(server.port)"] + (server.port == usual ? [host, "\(host):"] : [])
    return names.contains { $0.lowercased() == authority.lowercased() }
}
