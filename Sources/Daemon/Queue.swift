// The line of waiting jobs in memory, and those who wait for a job.

import Spool

/// Hands out tickets in order, one by one, while it is neither paused nor closed.
actor Queue {
    private var line = Line()
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var isPaused = false
    private var isClosed = false

    /// How many wait.
    var count: Int { line.count }

    /// Lets tickets in; those that are in already stay where they are.
    func add(_ tickets: some Sequence<Ticket> & Sendable) {
        for ticket in tickets { _ = line.insert(ticket) }
        wake()
    }

    /// Stops or restarts handing out. True where that is a change.
    func pause(_ paused: Bool) -> Bool {
        defer { isPaused = paused }
        if isPaused, !paused { wakeAll() }
        return isPaused != paused
    }

    /// No more is handed out.
    func close() {
        isClosed = true
        wakeAll()
    }

    /// Waits until there is a ticket to take; false where the queue is closed.
    func hasNext() async -> Bool {
        while !isClosed, isPaused || line.count == 0 {
            await withCheckedContinuation { waiting.append($0) }
        }
        return !isClosed
    }

    /// The first ticket, if there is one and it may be taken.
    func next() -> Ticket? { isClosed || isPaused ? nil : line.next() }

    private func wake() {
        guard !isPaused, line.count > 0 else { return }
        wakeAll()
    }

    private func wakeAll() {
        waiting.forEach { $0.resume() }
        waiting = []
    }
}
