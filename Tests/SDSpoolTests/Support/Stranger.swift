// Somebody at the door who sends whatever bytes he likes, in whatever pieces, and sees the bytes that come back.

import Foundation
import Linux
import Testing

/// One connection to a door.
final class Stranger {
    private let socket: Descriptor
    private var received: [UInt8] = []

    /// - Parameter url: as ``Visitor/url``.
    init(at url: String) async throws {
        let port = try #require(url.split(separator: ":").last.flatMap { UInt16($0) })
        socket = try #require(ResolvedAddress.all(of: "127.0.0.1", port: port).first).connect()
        _ = await Readiness.wait(socket, for: .writing, atMost: deadline)
        try #require(try socket.pendingError() == 0)
    }

    private init(owning socket: consuming Descriptor) { self.socket = socket }

    /// The next one who comes to a socket that listens.
    static func caller(at listening: borrowing Descriptor) async throws -> Stranger {
        while true {
            if let socket = try listening.acceptConnection() { return Stranger(owning: socket) }
            guard await Readiness.wait(listening, for: .reading, atMost: deadline) == .ready else {
                throw Missed(description: "nobody came")
            }
        }
    }

    /// Sends all of it; throws where the other side takes no more.
    func send(_ text: String) async throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = try socket.send(rest)
            rest = rest.dropFirst(count)
            if count == 0 { _ = await Readiness.wait(socket, for: .writing, atMost: deadline) }
        }
    }

    /// Sends no more, and listens on, as `nc -N` does.
    func endSending() { socket.endSending() }

    /// His end will be one that leaves no doubt: nobody is there any more (RST).
    func breaksOff() throws { try socket.resetWhenClosed() }

    /// All that comes until `sign` is seen in it, or until the end.
    func hears(_ sign: String? = nil) async throws -> String {
        while true {
            let text = String(decoding: received, as: UTF8.self)
            if let sign, text.contains(sign) { return text }
            guard try await more() else { return text }
        }
    }

    private func more() async throws -> Bool {
        while true {
            do {
                switch try socket.receive(appendingTo: &received, limit: 64 << 10) {
                case .bytes: return true
                case .end: return false
                case .nothingYet:
                    let readiness = await Readiness.wait(socket, for: .reading, atMost: deadline)
                    guard readiness == .ready else {
                        throw Missed(description: "silence behind \(received.count) bytes")
                    }
                }
            } catch is SystemError {
                // Cut off, which is an end as well.
                return false
            }
        }
    }

    /// One request of his, and all of its answer.
    static func asks(_ url: String, _ head: String, _ body: String = "") async throws -> String {
        let stranger = try await Stranger(at: url)
        let length = body.isEmpty ? "" : "Content-Length: \(body.utf8.count)\r\n"
        try await stranger.send("\(head)\r\n\(length)Connection: close\r\n\r\n\(body)")
        return try await stranger.hears()
    }

    /// The status of an answer.
    static func status(_ answer: String) -> Int { Int(answer.dropFirst(9).prefix(3)) ?? 0 }
}

extension TestSpool {
    /// Returns when a folder holds so many names, hidden ones too. Nobody tells of it, so it is looked for.
    func holdsAll(_ count: Int, in folder: String) async throws {
        let end = ContinuousClock.now + deadline
        while try FileManager.default.contentsOfDirectory(atPath: path(folder).path).count != count {
            guard ContinuousClock.now < end else { throw Missed(description: "\(folder) never held \(count)") }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
