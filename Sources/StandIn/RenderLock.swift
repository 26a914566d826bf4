// The one thing that all requests share: who is rendering, who waits, and what has been asked so far.
//
// Renders start strictly in the order in which they arrived, one at a time. Arriving and joining the queue are one step
// under one lock, so the record's order is the queue's. Nothing here fails.

import HTTP
import JSONText
import Synchronization

/// A request to render, as it arrived.
package struct RequestRecord: Sendable {
    /// 0 for the first one of this server.
    package let number: Int
    /// Such as `/sdapi/v1/txt2img`.
    package let path: String
    /// The body's bytes, as they came.
    package let body: [UInt8]
    /// When it got the lock; `nil` while it waits, and for a request that was turned away before.
    package fileprivate(set) var started: ContinuousClock.Instant?
    /// When it let the lock go; its pictures are encoded and sent after that.
    package fileprivate(set) var ended: ContinuousClock.Instant?
}

final class RenderLock: Sendable {
    let options: StandIn.Options

    struct State {
        var settings = BodySchema(Lists.options)
        var progress = Progress()
        /// The picture that is being drawn.
        var card: TestCard?
        /// How often each fault has been asked for.
        var faults: [String: Int] = [:]
        /// Of questions how far a render is.
        var looks = 0
        /// See ``StandIn/release(_:)``.
        var released: Set<String?> = []
        fileprivate(set) var record: [RequestRecord] = []
        fileprivate var recordedBytes = 0
        fileprivate var count = 0
        fileprivate var isBusy = false
        fileprivate var queue: [(number: Int, enter: CheckedContinuation<Int, Never>)] = []
    }
    private let state = Mutex(State())

    init(options: StandIn.Options) {
        self.options = options
        change { $0.settings.set("samples_format", JSONString.encoded(options.samplesFormat)) }
    }

    /// Reads or changes what is shared.
    @discardableResult
    func change<Result: Sendable>(_ change: @Sendable (inout State) -> Result) -> Result {
        state.withLock { change(&$0) }
    }

    /// Puts down a request that will not be rendered.
    func note(_ request: Request) {
        change { _ = $0.add(request) }
    }

    /// Waits for its turn, and says which number in the record it has. Whoever enters has to `leave`.
    func enter(_ request: Request, task: String?, job: String) async -> Int {
        let number = await withCheckedContinuation { continuation in
            let next = state.withLock { state -> Int? in
                let number = state.add(request)
                state.progress.wait(task)
                if state.isBusy {
                    state.queue.append((number, continuation))
                    return nil
                }
                state.isBusy = true
                return number
            }
            if let next { continuation.resume(returning: next) }
        }
        state.withLock { state in
            state.progress.begin(task, job: job)
            state.edit(number) { $0.started = .now }
        }
        return number
    }

    /// Waits until the stand-in is told to go on, or is stopped.
    func standStill(_ id: String) async {
        while !change({ $0.released.contains(nil) || $0.released.contains(id) }), !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Lets the next one in.
    func leave(_ number: Int, task: String?, failed: Bool) {
        let next = state.withLock { state in
            state.progress.end(task, failed: failed)
            state.card = nil
            state.edit(number) { $0.ended = .now }
            state.isBusy = !state.queue.isEmpty
            return state.isBusy ? state.queue.removeFirst() : nil
        }
        if let next { next.enter.resume(returning: next.number) }
    }
}

extension RenderLock.State {
    /// Keeps the newest, and not too much of them: a server of a demo runs for days.
    fileprivate mutating func add(_ request: Request) -> Int {
        defer { count += 1 }
        record.append(RequestRecord(number: count, path: request.path, body: request.body))
        recordedBytes += request.body.count
        while record.count > 10_000 || (recordedBytes > 64 << 20 && record.count > 1) {
            recordedBytes -= record.removeFirst().body.count
        }
        return count
    }

    fileprivate mutating func edit(_ number: Int, _ edit: (inout RequestRecord) -> Void) {
        if let index = record.lastIndex(where: { $0.number == number }) { edit(&record[index]) }
    }
}
