// A client that sends whatever bytes a test likes, and sees the bytes that come back.

import HTTP
import Linux
import Testing

/// Longer than anything takes here, however busy the machine is.
let patience = Duration.seconds(600)

extension Limits {
    /// Of a server whose clients may take their time.
    static var patient: Limits {
        var limits = Limits()
        (limits.headTime, limits.bodyTime, limits.idleTime) = (.seconds(3600), .seconds(3600), .seconds(3600))
        return limits
    }
}

/// One connection to a server on this machine.
final class Client {
    private let socket: Descriptor
    private var received: [UInt8] = []
    /// Set by a reset; an orderly end leaves it `false`.
    private(set) var wasReset = false

    init(port: UInt16) async throws {
        socket = try #require(ResolvedAddress.all(of: "127.0.0.1", port: port).first).connect()
        _ = await Readiness.wait(socket, for: .writing, atMost: patience)
        guard try socket.pendingError() == 0 else { throw Refused() }
    }

    struct Refused: Error {}
    struct FirstByteTimer: Error {}

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = try socket.send(rest)
            rest = rest.dropFirst(count)
            if count == 0 { _ = await Readiness.wait(socket, for: .writing, atMost: patience) }
        }
    }

    func endSending() { socket.endSending() }

    /// The connection's end is an RST, and not the end of a conversation.
    func resetWhenClosed() throws { try socket.resetWhenClosed() }

    /// Everything up to and with `end`, or up to the connection's end where it is `nil`.
    func read(through end: String? = nil) async throws -> String {
        while true {
            if let end {
                let text = String(decoding: received, as: UTF8.self)
                if let range = text.range(of: end) {
                    let head = String(text[..<range.upperBound])
                    received.removeFirst(head.utf8.count)
                    return head
                }
            }
            guard try await more() else {
                defer { received = [] }
                return String(decoding: received, as: UTF8.self)
            }
        }
    }

    private func more() async throws -> Bool {
        while true {
            do {
                switch try socket.receive(appendingTo: &received, limit: 64 << 10) {
                case .bytes: return true
                case .end: return false
                case .nothingYet:
                    let readiness = await Readiness.wait(socket, for: .reading, atMost: patience)
                    guard readiness == .ready else { throw FirstByteTimer() }
                }
            } catch let error as SystemError {
                wasReset = error.reason.contains("ECONNRESET")
                return false
            }
        }
    }
}

extension String {
    fileprivate func range(of part: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].utf8.starts(with: part.utf8) {
                return start..<utf8.index(start, offsetBy: part.utf8.count)
            }
            start = utf8.index(after: start)
        }
        return nil
    }
}
