// One request and its answer over a plain connection.
//
// URLSession on Linux could carry it, but keeps a core at work for as long as an answer lets wait (it asks the kernel
// again and again whether it may write), ends the process when a server dies in the middle of a head, and reads faster
// than pictures can be stored. It carries what only it can: see URLSessionTransport.swift.

import Foundation
import HTTP
import Linux
import Synchronization

/// A request that is under way, and that can be given up from outside.
protocol Transport: AnyObject, Sendable {
    /// Sends the request and waits for the end of the answer. Throws the reason for which it was given up, if it was.
    func run() async throws -> Answer
    /// Ends it soon; the first reason counts.
    func giveUp(because reason: any Error)
    /// The head of the answer has come.
    var hasBegun: Bool { get }
}

/// What is to be called, once, where the server has said nothing for a while behind the request.
package struct FirstByteTimer: Sendable {
    let after: Duration
    let tell: @Sendable () -> Void

    /// `tell` is called `after` so long behind the request, on a thread that must not be held.
    package init(after: Duration, tell: @escaping @Sendable () -> Void) {
        self.after = after
        self.tell = tell
    }
}

/// Whether there is room for the pictures of an answer whose head has come.
package struct Admission: Sendable {
    /// Asked again and again until it says so; throws where nobody is to wait for that. Blocks on the disk.
    let admits: @Sendable (_ bytes: Int) throws -> Bool

    /// Between two questions, in seconds.
    static let interval = 0.5

    /// `admits` is asked with the size of the pictures.
    package init(admits: @escaping @Sendable (_ bytes: Int) throws -> Bool) { self.admits = admits }
}

/// A conversation over TCP.
actor SocketTransport: Transport {
    /// It waits for the server, and pictures are written and synced while the answer comes.
    private let thread: SerialQueueExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private struct State {
        var reason: (any Error)?
        var hasBegun = false
    }
    private nonisolated let state = Mutex(State())
    private let wakeup: WakeupEvent
    private let request: ClientRequest
    private let server: String
    private let silence: FirstByteTimer?
    private let admission: Admission?
    private let patience: SendLimits
    private var reader: AnswerReader?

    /// - Parameters:
    ///   - thread: where it waits; the caller's own, where that may.
    ///   - admission: asked whether there is room for the answer before it is read.
    init(
        _ request: ClientRequest, server: String, reader: consuming AnswerReader, on thread: SerialQueueExecutor?,
        silence: FirstByteTimer?, patience: SendLimits = SendLimits(), admission: Admission? = nil
    ) throws(SystemError) {
        self.patience = patience
        self.thread = thread ?? SerialQueueExecutor(label: "conversation")
        self.request = request
        self.server = server
        self.reader = consume reader
        self.silence = silence
        self.admission = admission
        wakeup = try WakeupEvent()
    }

    nonisolated var hasBegun: Bool { state.withLock { $0.hasBegun } }

    nonisolated func giveUp(because reason: any Error) {
        state.withLock { $0.reason = $0.reason ?? reason }
        wakeup.raise()
    }

    func run() async throws -> Answer {
        do {
            return try await exchange()
        } catch {
            // With the files of the pictures: their folder is emptied next.
            reader = nil
            throw state.withLock { $0.reason } ?? error
        }
    }

    private func exchange() async throws -> Answer {
        do {
            try await request.exchange(
                connectTimeout: Client.connectTimeout, pace: Client.pace, patience: patience, wakeup: wakeup,
                silence: silence.map { ($0.after, $0.tell) },
                onHead: { head in
                    try reader?.begin(status: head.status, headers: head.headers.byName)
                    try waitForRoom(head)
                    state.withLock { $0.hasBegun = true }
                },
                onBody: { try reader?.take(Data($0)) })
        } catch let failure as ExchangeFailure {
            throw Failure(failure, server: server, status: reader?.status)
        }
        guard let reader = reader.take() else { preconditionFailure("an answer is read once") }
        return try reader.finish()
    }

    /// The server holds its answer for as long as nobody reads it.
    private func waitForRoom(_ head: ResponseHead) throws {
        guard let admission, (200..<300).contains(head.status),
            let length = head.headers["content-length"].flatMap(Int.init)
        else { return }
        while try !admission.admits(NoSpace.bytes(ofAnswer: length)) {
            if let reason = state.withLock(\.reason) { throw reason }
            Thread.sleep(forTimeInterval: Admission.interval)
        }
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
            self.init(.unclear, "what listens at \(server) does not speak HTTP/1.1: \(why)")
        case .malformed(let why): self.init(.ambiguous, "the answer of \(server) is broken: \(why)", status: status)
        }
    }
}
