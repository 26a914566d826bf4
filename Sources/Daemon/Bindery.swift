// Where the work of all presses is finished: results on their way into done/, as many at once as there are.

@preconcurrency import Dispatch
import Spool
import Synchronization

/// Publishes results. Those that come while others are being published go next, together.
final class Bindery: Sendable {
    private final class Work: Sendable {
        let job: FinishedJob
        let outcome = Mutex<Result<String, any Error>?>(nil)

        init(_ job: FinishedJob) { self.job = job }
    }
    private let folders: Folders
    private let waiting = Mutex<[Work]>([])
    /// Held by the one who publishes for all that wait, with the end of the last time.
    private let turn = Mutex<ContinuousClock.Instant?>(nil)

    /// Raised when there is company enough.
    private let company = DispatchSemaphore(value: 0)

    /// Where results follow each other as closely as this, the first one waits for so many others, and no longer than so:
    /// PostgreSQL calls it commit_delay. Renders that take their time are never held up.
    private static let closely = Duration.milliseconds(25)
    private static let enough = 8
    private static let patience = DispatchTimeInterval.milliseconds(20)

    init(folders: Folders) { self.folders = folders }

    /// Says where the job lies then. Blocks until it is there. Throws as ``Folders/finish(_:)`` says.
    func finish(_ job: FinishedJob) throws -> String {
        let work = Work(job)
        let count = waiting.withLock { waiting in
            waiting.append(work)
            return waiting.count
        }
        if count == Self.enough { company.signal() }
        return try turn.withLock { last in
            if let outcome = work.outcome.withLock({ $0 }) { return try outcome.get() }
            if let last, .now - last < Self.closely { waitForCompany() }
            let works = waiting.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
            for (work, outcome) in zip(works, folders.finish(works.map(\.job))) {
                work.outcome.withLock { $0 = outcome }
            }
            last = .now
            guard let own = work.outcome.withLock({ $0 }) else { preconditionFailure("all that wait are published") }
            return try own.get()
        }
    }

    private func waitForCompany() {
        let deadline = DispatchTime.now() + Self.patience
        // A signal may be of company that is published already.
        while waiting.withLock({ $0.count < Self.enough }), company.wait(timeout: deadline) == .success {}
    }
}
