// Where a name and a port lead: the addresses to try, of either family, and a socket on its way to one.

import Glibc

/// An address that a host's name stands for.
package struct ResolvedAddress: Sendable {
    let family: Int32
    /// A `sockaddr` of that family, as getaddrinfo(3) gave it.
    let address: [UInt8]
    private let shown: String

    /// The addresses of `host`, in the order in which to try them; never empty. Blocks for as long as a look-up takes,
    /// but not for a numeric address.
    ///
    /// Throws ``SystemError``: `getaddrinfo` with ENOENT for a name that does not resolve.
    package static func all(of host: String, port: UInt16) throws(SystemError) -> [ResolvedAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let shown = "\(escapedForPeople(Array(host.utf8))):\(port)"
        guard isText(host), getaddrinfo(host, String(port), &hints, &list) == 0, let first = list else {
            throw SystemError(call: "getaddrinfo", code: ENOENT, path: shown)
        }
        defer { freeaddrinfo(first) }
        return sequence(first: first, next: { $0.pointee.ai_next }).map { entry in
            // The list owns its addresses until it is freed: a copy outlives it.
            let raw = UnsafeRawBufferPointer(start: entry.pointee.ai_addr, count: Int(entry.pointee.ai_addrlen))
            return ResolvedAddress(family: entry.pointee.ai_family, address: Array(raw), shown: shown)
        }
    }

    /// Whether `host` is an address, and no name that could be looked up.
    package static func isNumeric(_ host: String) -> Bool {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST
        var list: UnsafeMutablePointer<addrinfo>?
        guard isText(host), getaddrinfo(host, nil, &hints, &list) == 0, let list else { return false }
        freeaddrinfo(list)
        return true
    }

    /// What follows a NUL would not be looked at.
    private static func isText(_ host: String) -> Bool { !host.utf8.contains(0) }

    /// A non-blocking socket on its way there: connected, or failed (see `pendingError`), when it is writable.
    package func connect() throws(SystemError) -> Descriptor {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let socket = Descriptor(owning: try system("socket", shown) { Glibc.socket(family, kind, 0) })
        try socket.setForConversation(shown)
        do throws(SystemError) {
            try system("connect", shown) {
                // The bytes are a `sockaddr`; they live for the call.
                address.withUnsafeBytes { raw in
                    Glibc.connect(
                        socket.number, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count))
                }
            }
        } catch  where error.code == EINPROGRESS {
            // Not decided yet.
        }
        return socket
    }
}
