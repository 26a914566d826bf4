// The lines of waiting jobs in memory, and those who wait for a job.

import Spool

/// Hands out tickets in order, one by one, while it is neither paused nor closed. Each lane has its own line.
actor Queue {
    private var lines: [Lane: Line] = [:]
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var isPaused = false
    private var isClosed = false

    /// How many wait.
    var count: Int { lines.values.reduce(0) { $0 + $1.count } }

    /// Lets tickets in; those that are in already stay where they are.
    func add(_ tickets: some Sequence<Ticket> & Sendable, to lane: Lane = .renders) {
        for ticket in tickets { _ = lines[lane, default: Line()].insert(ticket) }
        if !isPaused { wake() }
    }

    /// A render that turned out to be a query changes the line, unless it has left already.
    func moveToQueries(_ ticket: Ticket) {
        guard lines[.renders]?.remove(ticket) == true else { return }
        add([ticket], to: .queries)
    }

    /// Stops or restarts handing out. True where that is a change.
    func pause(_ paused: Bool) -> Bool {
        defer { isPaused = paused }
        if isPaused, !paused { wake() }
        return isPaused != paused
    }

    /// No more is handed out.
    func close() {
        isClosed = true
        wake()
    }

    /// Waits until there is a ticket to take in `lane`; false where the queue is closed.
    func hasNext(in lane: Lane = .renders) async -> Bool {
        while !isClosed, isPaused || (lines[lane]?.count ?? 0) == 0 {
            await withCheckedContinuation { waiting.append($0) }
        }
        return !isClosed
    }

    /// The first ticket of `lane`, if there is one and it may be taken.
    func next(in lane: Lane = .renders) -> Ticket? { isClosed || isPaused ? nil : lines[lane]?.next() }

    private func wake() {
        waiting.forEach { $0.resume() }
        waiting = []
    }
}
