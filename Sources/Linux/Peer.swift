// Where a name and a port lead: the addresses to try, of either family, and a socket on its way to one.

import Glibc

/// An address that a host's name stands for.
public struct Peer: Sendable {
    private let family: Int32
    /// A `sockaddr` of that family, as getaddrinfo(3) gave it.
    private let address: [UInt8]
    private let shown: String

    /// The addresses of `host`, in the order in which to try them; never empty. Blocks for as long as a look-up takes,
    /// but not for a numeric address.
    ///
    /// Throws ``SystemError``: `getaddrinfo` with ENOENT for a name that does not resolve.
    public static func all(of host: String, port: UInt16) throws(SystemError) -> [Peer] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let shown = "\(escapedForPeople(Array(host.utf8))):\(port)"
        guard getaddrinfo(host, String(port), &hints, &list) == 0, let first = list else {
            throw SystemError(call: "getaddrinfo", code: ENOENT, path: shown)
        }
        defer { freeaddrinfo(first) }
        return sequence(first: first, next: { $0.pointee.ai_next }).map { entry in
            // The list owns its addresses until it is freed: a copy outlives it.
            let raw = UnsafeRawBufferPointer(start: entry.pointee.ai_addr, count: Int(entry.pointee.ai_addrlen))
            return Peer(family: entry.pointee.ai_family, address: Array(raw), shown: shown)
        }
    }

    /// A non-blocking socket on its way there: connected, or failed (see `pendingError`), when it is writable. Small
    /// writes leave at once.
    public func connect() throws(SystemError) -> Descriptor {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let socket = Descriptor(owning: try system("socket", shown) { Glibc.socket(family, kind, 0) })
        var on: Int32 = 1
        try system("setsockopt", shown) {
            setsockopt(socket.number, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        }
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
