// Keeps status.json and metrics.prom up to date.

@preconcurrency import Dispatch
import Foundation
import Spool
import Synchronization

/// Puts the status into the spool when something has happened, and at most twice a second: a burst is told as one. When
/// nothing happens it is renewed once a minute, so that whoever reads it over a share knows that somebody is there.
final class StatusWriter: Sendable {
    private struct State {
        var status = Status()
        var metrics = Metrics()
        var isDue = false
        var isFinished = false
        var written = ContinuousClock.now
    }
    private let spool: Spool
    private let queue: JobQueue
    private let notifier: ServiceNotifier?
    private let writes = DispatchQueue(label: "status")
    private let state = Mutex(State())
    /// A little less than the time between two rounds, which beat it.
    private let heartbeat: Duration

    private static let interval = 0.5

    init(
        _ spool: Spool, _ queue: JobQueue, notifier: ServiceNotifier?,
        heartbeat: Duration = .seconds(DaemonLiveness.interval - 5)
    ) {
        self.spool = spool
        self.queue = queue
        self.notifier = notifier
        self.heartbeat = heartbeat
    }

    func record(_ event: Event) {
        changed { state in
            state.status.record(event)
            state.metrics.record(event)
        }
    }

    /// What the events so far come to.
    var status: Status { state.withLock { $0.status } }

    /// See ``Metrics/record(gap:)``. Written with what else happens to a render.
    func record(gap: Duration) { state.withLock { $0.metrics.record(gap: gap) } }

    /// All folders have been looked at.
    func beat() {
        if state.withLock({ .now - $0.written >= heartbeat }) { changed { _ in } }
    }

    private func changed(_ change: (inout sending State) -> Void) {
        let isNew = state.withLock { state in
            change(&state)
            defer { state.isDue = true }
            return !state.isDue
        }
        // Not for a board whose daemon could not be opened: the next try has one of its own.
        if isNew { writes.asyncAfter(deadline: .now() + Self.interval) { [weak self] in self?.write() } }
    }

    /// Writes what has not been written yet, and nothing afterwards: the process may end in the midst of it.
    func finish() {
        writes.sync {
            write()
            state.withLock { $0.isFinished = true }
        }
    }

    private func write() {
        guard !state.withLock({ $0.isFinished }) else { return }
        let waiting = queue.waiting
        let (status, metrics) = state.withLock { state in
            state.isDue = false
            state.written = .now
            return (state.status, state.metrics.document(state.status, waiting: waiting, at: .now))
        }
        notifier?.show(status)
        // A disk that does not take it is in the log, and gets the next one.
        try? StatusFiles(spool).show(status: status.document())
        try? StatusFiles(spool).show(metrics: metrics)
    }
}
