// One request and its answer over a plain connection.
//
// URLSession on Linux could carry it, but keeps a core at work for as long as an answer lets wait (it asks the kernel
// again and again whether it may write), ends the process when a server dies in the middle of a head, and reads faster
// than pictures can be stored. It carries what only it can: see SecureConversation.swift.

import Foundation
import HTTP
import Linux
import Synchronization

/// A request that is under way, and that can be given up from outside.
protocol Conversing: AnyObject, Sendable {
    /// Sends the request and waits for the end of the answer. Throws the reason for which it was given up, if it was.
    func run() async throws -> Answer
    /// Ends it soon; the first reason counts.
    func giveUp(because reason: any Error)
    /// The head of the answer has come.
    var hasBegun: Bool { get }
}

/// A conversation over TCP.
actor Conversation: Conversing {
    /// Pictures are written and synced while the answer comes: not on the threads that everything else runs on.
    private let thread = QueueExecutor(label: "conversation")
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private struct State {
        var task: Task<Answer, any Error>?
        var reason: (any Error)?
        var hasBegun = false
    }
    private nonisolated let state = Mutex(State())
    private let request: Outgoing
    private let server: String
    private var reader: AnswerReader?

    init(_ request: Outgoing, server: String, reader: consuming AnswerReader) {
        self.request = request
        self.server = server
        self.reader = consume reader
    }

    nonisolated var hasBegun: Bool { state.withLock { $0.hasBegun } }

    nonisolated func giveUp(because reason: any Error) {
        state.withLock {
            $0.reason = $0.reason ?? reason
            $0.task?.cancel()
        }
    }

    func run() async throws -> Answer {
        let task = Task { try await exchange() }
        state.withLock {
            $0.task = task
            if $0.reason != nil { task.cancel() }
        }
        do {
            return try await task.value
        } catch {
            throw state.withLock { $0.reason } ?? error
        }
    }

    private func exchange() async throws -> Answer {
        do {
            try await request.exchange(
                connectTimeout: Client.connectTimeout, pace: Client.pace,
                onHead: { head in
                    state.withLock { $0.hasBegun = true }
                    try reader?.begin(status: head.status, headers: head.headers.byName)
                },
                onBody: { try reader?.take(Data($0)) })
        } catch let failure as ExchangeFailure {
            throw Failure(failure, server: server, status: reader?.status)
        }
        guard let reader = reader.take() else { preconditionFailure("an answer is read once") }
        return try reader.finish()
    }
}

extension Headers {
    /// By names in lower case; a field that comes twice is one with a comma (RFC 9110 section 5.3).
    fileprivate var byName: [String: String] {
        Dictionary(lines.map { ($0.name.lowercased(), $0.value) }) { "\($0), \($1)" }
    }
}

extension Failure {
    /// Classes why no whole answer came. Where the request may have been read, the render may have run.
    init(_ failure: ExchangeFailure, server: String, status: Int?) {
        let moment = status == nil ? "before it had answered" : "in the middle of its answer"
        switch failure {
        case .notConnected(let error) where error.call == "getaddrinfo":
            self.init(.serverDown, "the name of \(server) does not resolve")
        case .notConnected(let error): self.init(.serverDown, "nobody listens at \(server): \(error.reason)")
        case .broken(let error):
            let how = error.map { "\($0.call): \($0.reason)" } ?? "it was closed"
            self.init(.ambiguous, "the connection to \(server) broke \(moment): \(how)", status: status)
        case .cut: self.init(.ambiguous, "the connection to \(server) was closed \(moment)", status: status)
        case .slow:
            self.init(
                .ambiguous, "the answer of \(server) came more slowly than 1 KiB a second and was given up",
                status: status)
        case .foreign(let why):
            self.init(.serverDown, "what listens at \(server) does not speak HTTP/1.1: \(why)")
        case .malformed(let why): self.init(.ambiguous, "the answer of \(server) is broken: \(why)", status: status)
        }
    }
}
