// Takes old results out of done/ for those who have asked for it (--keep-done). What lies there is the truth: all that is
// remembered is what was read of folders that have not changed since.

@preconcurrency import Dispatch
import Linux
import Spool
import Synchronization

/// Looks at done/ when something was added to it, and once in a while: on a thread of its own, for it costs a look at each
/// result.
final class ResultPruner: Sendable {
    private let retention: Retention
    private let spool: Spool
    private let memory = ResultMemory()
    private let emit: @Sendable (Event) -> Void
    private let thread = DispatchQueue(label: "keeping", qos: .utility)
    /// Before that nobody looks again.
    private let next = Mutex(ContinuousClock.now)

    /// Between two looks; or, where a look takes long, no more than a fiftieth of the time.
    private static let interval = Duration.seconds(10)
    private static let share = 50

    /// `nil` where all is kept.
    init?(_ retention: Retention, _ spool: Spool, emit: @escaping @Sendable (Event) -> Void) {
        guard retention != Retention() else { return nil }
        self.retention = retention
        self.spool = spool
        self.emit = emit
    }

    /// Takes away what need not be kept, soon, unless that was done a moment ago.
    func look() {
        let isDue = next.withLock { next in
            guard next <= .now else { return false }
            // Nobody else begins before the end of this one.
            next = .now + .seconds(86400)
            return true
        }
        if isDue { thread.async { self.prune() } }
    }

    private func prune() {
        let began = ContinuousClock.now
        do throws(SystemError) {
            let gone = try Results(spool).prune(retention, memory: memory)
            if !gone.isEmpty { emit(.pruned(gone.count)) }
        } catch {
            emit(.notPruned(error))
        }
        next.withLock { $0 = .now + max(Self.interval, (.now - began) * Self.share) }
    }
}
