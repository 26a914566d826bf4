// The one thing that all requests share: who is rendering, who waits, and what has been asked so far.
//
// Renders start strictly in the order in which they arrived, one at a time. Arriving and joining the queue are one step
// under one lock, so the record's order is the queue's. Nothing here fails.

import Synchronization

/// A request to render, as it arrived.
public struct RenderRequest: Sendable {
    /// 0 for the first one of this server.
    public let number: Int
    /// Such as `/sdapi/v1/txt2img`.
    public let path: String
    /// The body's bytes, as they came.
    public let body: [UInt8]
    /// When it got the lock; `nil` while it waits, and for a request that was turned away before.
    public fileprivate(set) var started: ContinuousClock.Instant?
    /// When it let the lock go; its pictures are encoded and sent after that.
    public fileprivate(set) var ended: ContinuousClock.Instant?
}

final class Studio: Sendable {
    let options: Sketch.Options

    private struct State {
        var settings: JSON
        var progress = Progress()
        var card: TestCard?
        var isBusy = false
        var queue: [(number: Int, enter: CheckedContinuation<Int, Never>)] = []
        var record: [RenderRequest] = []
        var recordedBytes = 0
        var count = 0
        var watchers: [Int: (condition: Condition, resume: CheckedContinuation<Void, Never>)] = [:]
        var nextWatcher = 0
        var faults: [String: Int] = [:]
    }
    private let state: Mutex<State>
    typealias Condition = @Sendable ([RenderRequest]) -> Bool

    /// What the record keeps at most, the newest: a server of a demo runs for days.
    private static let recordLimit = (requests: 10_000, bytes: 64 << 20)

    init(options: Sketch.Options) {
        self.options = options
        var settings = Catalogue.options
        settings["samples_format"] = .string(options.samplesFormat)
        state = Mutex(State(settings: settings))
    }

    // The record.

    var requests: [RenderRequest] { state.withLock { $0.record } }

    /// Puts down a request that will not be rendered.
    func note(path: String, body: [UInt8]) {
        state.withLock { _ = Self.record(path, body, in: &$0) }
    }

    /// Suspends until `condition` holds for the record, or the task is cancelled.
    func wait(until condition: @escaping Condition) async {
        let number = state.withLock {
            $0.nextWatcher += 1
            return $0.nextWatcher
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock {
                    if Task.isCancelled || condition($0.record) {
                        continuation.resume()
                    } else {
                        $0.watchers[number] = (condition, continuation)
                    }
                }
            }
        } onCancel: {
            state.withLock { $0.watchers.removeValue(forKey: number)?.resume.resume() }
        }
    }

    private static func record(_ path: String, _ body: [UInt8], in state: inout State) -> Int {
        let number = state.count
        state.count += 1
        state.record.append(RenderRequest(number: number, path: path, body: body))
        state.recordedBytes += body.count
        while state.record.count > recordLimit.requests
            || (state.recordedBytes > recordLimit.bytes && state.record.count > 1)
        {
            state.recordedBytes -= state.record.removeFirst().body.count
        }
        tellWatchers(&state)
        return number
    }

    private static func change(_ number: Int, in state: inout State, _ change: (inout RenderRequest) -> Void) {
        guard let first = state.record.first?.number, number >= first else { return }
        change(&state.record[number - first])
        tellWatchers(&state)
    }

    private static func tellWatchers(_ state: inout State) {
        for (number, watcher) in state.watchers where watcher.condition(state.record) {
            state.watchers[number] = nil
            watcher.resume.resume()
        }
    }

    // The lock.

    /// Waits for its turn, and says which number in the record it has. Whoever enters has to `leave`.
    func enter(path: String, body: [UInt8], task: String?, job: String) async -> Int {
        let number = await withCheckedContinuation { (continuation: CheckedContinuation<Int, Never>) in
            let next = state.withLock { state -> Int? in
                let number = Self.record(path, body, in: &state)
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
            Self.change(number, in: &state) { $0.started = .now }
        }
        return number
    }

    func leave(_ number: Int, task: String?, failed: Bool) {
        let next = state.withLock { state -> (number: Int, enter: CheckedContinuation<Int, Never>)? in
            state.progress.end(task, failed: failed)
            state.card = nil
            Self.change(number, in: &state) { $0.ended = .now }
            guard !state.queue.isEmpty else {
                state.isBusy = false
                return nil
            }
            return state.queue.removeFirst()
        }
        if let next { next.enter.resume(returning: next.number) }
    }

    // What A1111 calls its state.

    var progress: Progress { state.withLock { $0.progress } }
    var settings: JSON { state.withLock { $0.settings } }
    /// The picture that is being drawn.
    var card: TestCard? { state.withLock { $0.card } }

    func changeProgress<Result: Sendable>(_ change: @Sendable (inout Progress) -> Result) -> Result {
        state.withLock { change(&$0.progress) }
    }

    func show(_ card: TestCard) {
        state.withLock { $0.card = card }
    }

    func set(_ changes: JSON) {
        state.withLock {
            for key in changes.keys { $0.settings[key] = changes[key] }
        }
    }

    /// Counts the uses of a fault; `true` while there were fewer than `times`.
    func uses(_ fault: String, times: Int) -> Bool {
        state.withLock {
            $0.faults[fault, default: 0] += 1
            return $0.faults[fault, default: 0] <= times
        }
    }
}
