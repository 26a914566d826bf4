// What the disk stopped between the inbox and its place.

import Linux

/// What has left the inbox and is to be tried again, and when: after 1 s, doubling to 30 s, so that a disk that is full for an hour does not
/// fill the log. A daemon that ends meanwhile leaves them to recovery.
struct StalledJobs {
    /// What is to become of a file that was taken.
    enum Step: Sendable {
        /// Into the queue, as a folder that tells the name under which the file was dropped.
        case queue(JobClass)
        case expand(Batch)
        case refuse(JobFileError)
    }

    private var jobs: [(job: ActiveJob, step: Step)] = []
    private var moment = ContinuousClock.now
    private var wait = Self.first

    private static let first = Duration.seconds(1)
    private static let longest = Duration.seconds(30)

    /// When to try again; `nil` where none is stopped.
    var due: ContinuousClock.Instant? { jobs.isEmpty ? nil : moment }

    /// Keeps a job for later.
    mutating func add(_ job: ActiveJob, _ step: Step) {
        if jobs.isEmpty {
            moment = .now + wait
            wait = min(wait * 2, Self.longest)
        }
        jobs.append((job, step))
    }

    /// Those whose time has come; they are kept no more.
    mutating func takeDue(at now: ContinuousClock.Instant) -> [(job: ActiveJob, step: Step)] {
        guard let due, due <= now else { return [] }
        defer { jobs = [] }
        return jobs
    }

    /// The disk does its work again.
    mutating func forgetTrouble() { wait = Self.first }
}
