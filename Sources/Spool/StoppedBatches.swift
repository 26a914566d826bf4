// Batches that the disk stopped between the inbox and the queue.

import Linux

/// What is to be expanded again, and when: after 1 s, doubling to 30 s, so that a disk that is full for an hour does not
/// fill the log. A daemon that ends meanwhile leaves them to recovery.
struct StoppedBatches {
    private var batches: [(job: ActiveJob, batch: Batch)] = []
    private var moment = ContinuousClock.now
    private var wait = Self.first

    private static let first = Duration.seconds(1)
    private static let longest = Duration.seconds(30)

    /// When to try again; `nil` where none is stopped.
    var due: ContinuousClock.Instant? { batches.isEmpty ? nil : moment }

    /// Keeps a batch for later.
    mutating func add(_ job: ActiveJob, _ batch: Batch) {
        if batches.isEmpty {
            moment = .now + wait
            wait = min(wait * 2, Self.longest)
        }
        batches.append((job, batch))
    }

    /// Those whose time has come; they are kept no more.
    mutating func takeDue(at now: ContinuousClock.Instant) -> [(job: ActiveJob, batch: Batch)] {
        guard let due, due <= now else { return [] }
        defer { batches = [] }
        return batches
    }

    /// The disk does its work again.
    mutating func forgetTrouble() { wait = Self.first }
}
