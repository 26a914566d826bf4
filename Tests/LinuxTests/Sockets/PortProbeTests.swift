import Glibc
import TestSupport
import Testing

@testable import Linux

/// Calls `body` with a port of 127.0.0.1 where somebody listens.
private func withListener(_ body: (UInt16) throws -> Void) throws {
    let socket = try Descriptor.listening(on: .loopback(port: 0))
    try body(try socket.boundPort())
    withExtendedLifetime(socket) {}
}

@Suite struct PortProbeTests {
    @Test("who listens is reached, by number and by name", arguments: ["127.0.0.1", "localhost"])
    func listening(host: String) throws {
        try withListener { port in
            try PortProbe.connect(host: host, port: port, timeout: .seconds(600))
        }
    }

    @Test("a connection asks now and then whether a silent peer is there")
    func silence() throws {
        try withListener { port in
            let socket = try #require(ResolvedAddress.all(of: "127.0.0.1", port: port).first).connect()
            func option(_ level: Int32, _ name: Int32) -> Int32 {
                var (value, size) = (Int32(-1), socklen_t(MemoryLayout<Int32>.size))
                getsockopt(socket.number, level, name, &value, &size)
                return value
            }
            #expect(option(SOL_SOCKET, SO_KEEPALIVE) == 1)
            #expect(option(Int32(IPPROTO_TCP), TCP_KEEPIDLE) == 60)
            #expect(option(Int32(IPPROTO_TCP), TCP_NODELAY) == 1)
        }
    }

    @Test("a closed port refuses")
    func closed() throws {
        let port = try ReservedPort().number
        let error = #expect(throws: SystemError.self) {
            try PortProbe.connect(host: "127.0.0.1", port: port, timeout: .seconds(600))
        }
        #expect(error == SystemError(call: "connect", code: ECONNREFUSED, path: "127.0.0.1:\(port)"))
    }

    @Test("a name that does not resolve is told as such")
    func nobody() {
        let error = #expect(throws: SystemError.self) {
            try PortProbe.connect(host: "nobody.invalid", port: 1, timeout: .seconds(600))
        }
        #expect(error?.call == "getaddrinfo")
        #expect(error?.path == "nobody.invalid:1")
    }
}
