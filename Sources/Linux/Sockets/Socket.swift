// What a TCP socket can do without waiting: a call that would block says so instead.
//
// Whoever has to wait asks `Readiness`. Addresses to listen on are numeric IPv4; where others are is told by `ResolvedAddress`. A
// failed call is a `SystemError` that names the address.

import CLinux
import Glibc

/// A numeric IPv4 address and a TCP port.
package struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    /// Dotted decimals, such as `127.0.0.1`.
    package let host: String
    /// 0 leaves the choice to the kernel where an address is listened on.
    package let port: UInt16

    /// Nothing is checked yet: a host that is no address fails where it is used.
    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// An address that only this machine can reach.
    package static func loopback(port: UInt16) -> SocketAddress {
        SocketAddress(host: "127.0.0.1", port: port)
    }

    /// `127.0.0.1:7860`
    package var description: String { "\(host):\(port)" }

    fileprivate func raw() throws(SystemError) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else {
            throw SystemError(call: "inet_pton", code: EINVAL, path: escapedForPeople(Array(host.utf8)))
        }
        return address
    }
}

/// What a socket had for a reader.
package enum Received: Equatable, Sendable {
    /// So many bytes were appended.
    case bytes(Int)
    /// The peer will send no more.
    case end
    /// Nothing now; ask again when the socket is readable.
    case nothingYet
}

extension Descriptor {
    /// A socket that listens, non-blocking. A port in TIME_WAIT may be taken again, so that a restarted server
    /// need not wait for a minute.
    package static func listening(on address: SocketAddress, backlog: Int32 = 128) throws(SystemError)
        -> Descriptor
    {
        let socket = try tcp(address)
        try socket.set(SOL_SOCKET, SO_REUSEADDR, 1, "\(address)")
        var raw = try address.raw()
        try system("bind", "\(address)") { withPointer(to: &raw) { bind(socket.number, $0, $1) } }
        try system("listen", "\(address)") { listen(socket.number, backlog) }
        return socket
    }

    /// Takes the error that a non-blocking connect(2) left behind; 0 is none.
    package func pendingError() throws(SystemError) -> Int32 {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        try system("getsockopt", "socket") { getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &length) }
        return code
    }

    /// The port that a listening socket got.
    package func boundPort() throws(SystemError) -> UInt16 {
        var address = sockaddr_in()
        try system("getsockname", "socket") {
            withPointer(to: &address) { pointer, length in
                var length = length
                return getsockname(number, pointer, &length)
            }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    /// The next connection, non-blocking, or `nil` where none waits. Small writes leave at once (TCP_NODELAY): an
    /// answer must not wait for the acknowledgement of the one before. Of a peer that is silent the kernel asks now and then
    /// whether it is there: one that is not breaks the connection within minutes.
    package func acceptConnection() throws(SystemError) -> Descriptor? {
        let accepted: Int32
        do {
            accepted = try system("accept4", "socket") {
                accept4(number, nil, nil, Int32(CLINUX_SOCK_CLOEXEC | CLINUX_SOCK_NONBLOCK))
            }
        } catch let error where error.code == EAGAIN || error.code == ECONNABORTED {
            return nil
        }
        let socket = Descriptor(owning: accepted)
        try socket.setForConversation("socket")
        return socket
    }

    /// Small writes leave at once. Of a peer that is silent the kernel asks now and then whether it is there, in either
    /// direction: a render is silent for as long as it takes, and a machine that loses its power says nothing of it. One that
    /// is not there breaks the connection within minutes.
    func setForConversation(_ path: String) throws(SystemError) {
        try set(Int32(IPPROTO_TCP), TCP_NODELAY, 1, path)
        try set(SOL_SOCKET, SO_KEEPALIVE, 1, path)
        // A machine that sleeps for a few minutes has its connections when it wakes up.
        for (option, value) in [(TCP_KEEPIDLE, 60), (TCP_KEEPINTVL, 30), (TCP_KEEPCNT, 20)] as [(Int32, Int32)] {
            try set(Int32(IPPROTO_TCP), option, value, path)
        }
    }

    /// Appends what has come, at most `limit` bytes.
    package func receive(appendingTo bytes: inout [UInt8], limit: Int) throws(SystemError) -> Received {
        do {
            // Not filled with zeros before: what the call says that it has filled is all that is looked at.
            let received = try [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
                count = try system("recv", "socket") { recv(number, buffer.baseAddress, buffer.count, 0) }
            }
            // A copy that is as long as what came: an array that has room for more keeps all of it.
            bytes += received
            return received.isEmpty ? .end : .bytes(received.count)
        } catch let error as SystemError where error.code == EAGAIN {
            return .nothingYet
        } catch let error as SystemError {
            throw error
        } catch {
            preconditionFailure("a system call throws nothing else")
        }
    }

    /// What a reader would find, left where it is. A connection that is broken has ended, too.
    package func look() -> Received {
        var byte: UInt8 = 0
        let count = recv(number, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
        if count > 0 { return .bytes(count) }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? .nothingYet : .end
    }

    /// Whether nothing can be sent any more. A peer that has ended its sending may still wait for what it asked; one that is
    /// gone altogether has looked the same until it was sent something (see `acceptConnection`).
    package var isBroken: Bool {
        var look = pollfd(fd: number, events: 0, revents: 0)
        return poll(&look, 1, 0) > 0
    }

    /// Gives the kernel what it takes now; says how many bytes, which may be 0. A peer that is gone is EPIPE or
    /// ECONNRESET, never a signal.
    package func send(_ bytes: ArraySlice<UInt8>) throws(SystemError) -> Int {
        do {
            // The pointer lives as long as the array that it points into: for the call.
            return try system("send", "socket") {
                bytes.withUnsafeBytes { Glibc.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            }
        } catch let error where error.code == EAGAIN {
            return 0
        }
    }

    /// Lets no client in any more, whoever else has this socket open. One that does not listen need not be told.
    package func stopListening() {
        _ = shutdown(number, Int32(SHUT_RDWR))
    }

    /// Tells the peer that nothing more will be sent (FIN), and goes on receiving. A peer that is gone already
    /// need not be told, so there is no error.
    package func endSending() {
        _ = shutdown(number, Int32(SHUT_WR))
    }

    /// Makes the coming close tear the connection down (RST) instead of ending it (FIN).
    package func resetWhenClosed() throws(SystemError) {
        var linger = linger(l_onoff: 1, l_linger: 0)
        let length = socklen_t(MemoryLayout.size(ofValue: linger))
        try system("setsockopt", "socket") { setsockopt(number, SOL_SOCKET, SO_LINGER, &linger, length) }
    }

    private static func tcp(_ address: SocketAddress) throws(SystemError) -> Descriptor {
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        return Descriptor(owning: try system("socket", "\(address)") { socket(AF_INET, Int32(kind), 0) })
    }

    private func set(_ level: Int32, _ option: Int32, _ value: Int32, _ path: String) throws(SystemError) {
        var value = value
        let length = socklen_t(MemoryLayout<Int32>.size)
        try system("setsockopt", path) { setsockopt(number, level, option, &value, length) }
    }
}

/// The socket calls want a `sockaddr`, whichever family's address it is; the pointer lives for the call.
private func withPointer<Result>(
    to address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Result
) -> Result {
    withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}
