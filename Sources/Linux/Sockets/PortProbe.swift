// Is there anybody who listens? A bare TCP connect, which says nothing and asks for nothing.

import Glibc

/// Looks for a listener without sending it a byte.
package enum PortProbe {
    /// Connects to `host` and lets go at once. Blocks for at most `timeout` for each address that the name has.
    ///
    /// Throws ``SystemError``: `connect` with ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH …, or `getaddrinfo` with ENOENT
    /// for a name that does not resolve.
    package static func connect(host: String, port: UInt16, timeout: Duration) throws(SystemError) {
        let place = "\(host):\(port)"
        var failure = SystemError(call: "connect", code: ECONNREFUSED, path: place)
        for peer in try ResolvedAddress.all(of: host, port: port) {
            do throws(SystemError) {
                let socket = try peer.connect()
                var waiting = pollfd(fd: socket.number, events: Int16(POLLOUT), revents: 0)
                let milliseconds = Int32(timeout / .milliseconds(1))
                guard try system("poll", place, { poll(&waiting, 1, milliseconds) }) > 0 else {
                    throw SystemError(call: "connect", code: ETIMEDOUT, path: place)
                }
                let code = try socket.pendingError()
                guard code == 0 else { throw SystemError(call: "connect", code: code, path: place) }
                return
            } catch {
                failure = error
            }
        }
        throw failure
    }
}
