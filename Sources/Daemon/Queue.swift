// The lines of waiting jobs in memory, and those who wait for a job.

import Spool
import Synchronization

/// Hands out tickets in order, one by one, while it is neither paused nor closed. Each lane has its own line.
///
/// A lock and no actor: what is told to it one after the other takes effect one after the other, also from a thread
/// that does not await. A PAUSE that comes and goes must not be heard the other way round.
final class Queue: Sendable {
    private struct State {
        var lines: [Lane: Line] = [:]
        var waiting: [CheckedContinuation<Void, Never>] = []
        var isPaused = false
        var isClosed = false

        /// Whether one who waits for a ticket of `lane` has waited long enough.
        func hasNews(in lane: Lane) -> Bool { isClosed || !isPaused && (lines[lane]?.count ?? 0) > 0 }
    }
    private let state = Mutex(State())

    /// How many wait.
    var count: Int { state.withLock { $0.lines.values.reduce(0) { $0 + $1.count } } }

    /// Lets tickets in; those that are in already stay where they are.
    func add(_ tickets: some Sequence<Ticket>, to lane: Lane = .renders) {
        changing { state in
            for ticket in tickets { _ = state.lines[lane, default: Line()].insert(ticket) }
        }
    }

    /// Lets the parts of a batch in, each in its lane.
    func add(_ expansion: Expansion) {
        for lane in Lane.allCases { add(expansion.parts.lazy.filter { $0.lane == lane }.map(\.ticket), to: lane) }
    }

    /// A render that turned out to be a query changes the line, unless it has left already.
    func moveToQueries(_ ticket: Ticket) {
        changing { state in
            guard state.lines[.renders]?.remove(ticket) == true else { return }
            _ = state.lines[.queries, default: Line()].insert(ticket)
        }
    }

    /// Stops or restarts handing out. True where that is a change.
    func pause(_ paused: Bool) -> Bool {
        changing { state in
            defer { state.isPaused = paused }
            return state.isPaused != paused
        }
    }

    /// No more is handed out.
    func close() { changing { $0.isClosed = true } }

    /// Waits until there is a ticket to take in `lane`; false where the queue is closed.
    func hasNext(in lane: Lane = .renders) async -> Bool {
        while !state.withLock({ $0.hasNews(in: lane) }) {
            await withCheckedContinuation { continuation in
                let isLate = state.withLock { state in
                    guard !state.hasNews(in: lane) else { return true }
                    state.waiting.append(continuation)
                    return false
                }
                if isLate { continuation.resume() }
            }
        }
        return state.withLock { !$0.isClosed }
    }

    /// The first ticket of `lane`, if there is one and it may be taken.
    func next(in lane: Lane = .renders) -> Ticket? {
        state.withLock { $0.isClosed || $0.isPaused ? nil : $0.lines[lane]?.next() }
    }

    /// Whoever waits looks again behind a change.
    private func changing<Value: Sendable>(_ change: (inout sending State) -> sending Value) -> Value {
        let (value, waiting) = state.withLock { state in
            let value = change(&state)
            defer { state.waiting = [] }
            return (value, state.waiting)
        }
        waiting.forEach { $0.resume() }
        return value
    }
}
