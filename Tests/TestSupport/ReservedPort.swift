// A port that is closed for sure: one that was free a moment ago is soon another test's.

import Glibc

/// A port of this machine that is bound and not listened at: who connects is refused, and nobody else is given it, for as
/// long as the tests run. A server of the test may listen there and stop again (socket(7), SO_REUSEADDR).
package struct ReservedPort: Sendable {
    /// The port.
    package let number: UInt16

    /// No port of this machine is free, or none can be bound.
    package struct NoPort: Error {
        let code: Int32
    }

    /// Binds one; throws ``NoPort``.
    package init() throws {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        var (isOn, address) = (Int32(1), sockaddr_in())
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &isOn, socklen_t(MemoryLayout<Int32>.size))
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(number, address, size) == 0 && getsockname(number, address, &size) == 0
            }
        }
        guard isBound else { throw NoPort(code: errno) }
        self.number = UInt16(bigEndian: address.sin_port)
    }

    /// Of a server there.
    package var url: String { "http://127.0.0.1:\(number)" }
}
