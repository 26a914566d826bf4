// What the two transports have in common: a request under way that can be given up, and what takes the answer.
//
// Promises: each request is sent once, over a connection of its own; a cancelled task and a time that is over end it soon.
// Runs: `run` where the transport runs, `giveUp` on any thread.
// Fails: with the first reason for which the request was given up, else as the transport says.

import Dispatch
import Foundation
import HTTP
import Linux

/// A request that is under way.
protocol Transport<Answer>: AnyObject, Sendable {
    associatedtype Answer: Sendable

    /// Sends the request and waits for the end of the answer. Throws the reason for which it was given up, if it was.
    func run() async throws -> Answer
    /// Ends it soon; the first reason counts.
    func giveUp(because reason: any Error)
    /// The name of the receiver in failures.
    var server: String { get }
    /// The head of the answer has come.
    var hasBegun: Bool { get }
}

extension Transport {
    /// Runs it until `timeout` is over, if there is one, or the task is cancelled.
    ///
    /// - Parameters:
    ///   - kind: of the failure after the timeout.
    ///   - grace: how long an answer that has begun may continue after the task was cancelled.
    nonisolated(nonsending) func run(
        within timeout: Duration?, failingAs kind: Failure.Class = .ambiguous, grace: Duration = .zero
    ) async throws -> Answer {
        try Task.checkCancellation()
        if let timeout {
            giveUp(after: timeout, because: Failure(kind, "no answer from \(server) within \(timeout)"))
        }
        return try await withTaskCancellationHandler {
            try await run()
        } onCancel: {
            giveUp(after: hasBegun ? grace : .zero, because: CancellationError())
        }
    }

    private func giveUp(after delay: Duration, because reason: any Error) {
        guard delay > .zero else { return giveUp(because: reason) }
        Client.deadlines.asyncAfter(deadline: .now() + delay / .seconds(1)) { [weak self] in
            self?.giveUp(because: reason)
        }
    }
}

/// Takes an answer as it comes, whatever carries it: the head, the pieces of the body, the end.
protocol AnswerSink: ~Copyable, SendableMetatype {
    associatedtype Answer: Sendable

    /// `nil` until the head has come.
    var status: Int? { get }
    /// Bytes of the body.
    var received: Int { get }
    /// The head. Throws why the answer must not be read.
    mutating func begin(status: Int, headers: Headers) throws
    /// The next bytes of the body. Throws why no more must be read.
    mutating func take(_ piece: Data) throws
    /// The body has ended as it should.
    consuming func finish() throws -> Answer
    /// What to tell when URLSession could not send the request or read the answer.
    func failure(_ error: URLError, hasBody: Bool, bodySent: Bool) -> Failure
}

/// Called once when the server has been silent for a while after the request.
package struct FirstByteTimer: Sendable {
    let after: Duration
    let tell: @Sendable () -> Void

    /// Calls `tell` when `after` has passed since the request, on a thread that must not be held.
    package init(after: Duration, tell: @escaping @Sendable () -> Void) {
        self.after = after
        self.tell = tell
    }
}

/// Whether there is room for the pictures of an answer whose head has come.
package struct Admission: Sendable {
    /// Called repeatedly until it returns true; throws to stop waiting. Blocks on the disk.
    let admits: @Sendable (_ bytes: Int) throws -> Bool

    /// Between two calls, in seconds.
    static let interval = 0.5

    /// `admits` gets the size of the pictures.
    package init(admits: @escaping @Sendable (_ bytes: Int) throws -> Bool) { self.admits = admits }
}
