import Glibc
import Testing

@testable import Linux

/// Calls `body` with a port of 127.0.0.1 whose socket listens or, where it does not, keeps others from listening.
private func withPort(listening: Bool, _ body: (UInt16) throws -> Void) throws {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    try #require(socket >= 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            bind(socket, address, size) == 0 && getsockname(socket, address, &size) == 0
        }
    }
    try #require(isBound)
    if listening { try #require(listen(socket, 1) == 0) }
    try body(UInt16(bigEndian: address.sin_port))
}

@Suite struct ReachTests {
    @Test("who listens is reached, by number and by name", arguments: ["127.0.0.1", "localhost"])
    func listening(host: String) throws {
        try withPort(listening: true) { port in
            try Reach.connect(host: host, port: port, timeout: .seconds(600))
        }
    }

    @Test("a connection asks now and then whether a silent peer is there")
    func silence() throws {
        try withPort(listening: true) { port in
            let socket = try #require(Peer.all(of: "127.0.0.1", port: port).first).connect()
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
        try withPort(listening: false) { port in
            let error = #expect(throws: SystemError.self) {
                try Reach.connect(host: "127.0.0.1", port: port, timeout: .seconds(600))
            }
            #expect(error == SystemError(call: "connect", code: ECONNREFUSED, path: "127.0.0.1:\(port)"))
        }
    }

    @Test("a name that does not resolve is told as such")
    func nobody() {
        let error = #expect(throws: SystemError.self) {
            try Reach.connect(host: "nobody.invalid", port: 1, timeout: .seconds(600))
        }
        #expect(error?.call == "getaddrinfo")
        #expect(error?.path == "nobody.invalid:1")
    }
}
