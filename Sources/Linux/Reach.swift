// Is there anybody who listens? A bare TCP connect, which says nothing and asks for nothing.

import Foundation
import Glibc

/// Looks for a listener without sending it a byte.
public enum Reach {
    /// Connects to `host` and lets go at once. Blocks for at most `timeout` for each address that the name has.
    ///
    /// Throws ``SystemError``: `connect` with ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH …, or `getaddrinfo` with ENOENT
    /// for a name that does not resolve.
    public static func connect(host: String, port: UInt16, timeout: Duration) throws(SystemError) {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let place = "\(host):\(port)"
        guard getaddrinfo(host, String(port), &hints, &list) == 0, let first = list else {
            throw SystemError(call: "getaddrinfo", code: ENOENT, path: place)
        }
        defer { freeaddrinfo(first) }
        var failure = SystemError(call: "connect", code: ECONNREFUSED, path: place)
        for address in sequence(first: first, next: { $0.pointee.ai_next }) {
            do throws(SystemError) {
                return try connect(address.pointee, place, timeout)
            } catch {
                failure = error
            }
        }
        throw failure
    }

    private static func connect(_ address: addrinfo, _ place: String, _ timeout: Duration) throws(SystemError) {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let number = try system("socket", place) { socket(address.ai_family, kind, 0) }
        let descriptor = Descriptor(owning: number)
        do throws(SystemError) {
            try system("connect", place) {
                Glibc.connect(descriptor.number, address.ai_addr, address.ai_addrlen)
            }
        } catch  where error.code == EINPROGRESS {
            // Not decided yet: poll(2) waits for it.
        }
        var waiting = pollfd(fd: descriptor.number, events: Int16(POLLOUT), revents: 0)
        let milliseconds = Int32(timeout / .milliseconds(1))
        guard try system("poll", place, { poll(&waiting, 1, milliseconds) }) > 0 else {
            throw SystemError(call: "connect", code: ETIMEDOUT, path: place)
        }
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        try system("getsockopt", place) { getsockopt(descriptor.number, SOL_SOCKET, SO_ERROR, &code, &size) }
        guard code == 0 else { throw SystemError(call: "connect", code: code, path: place) }
    }
}
