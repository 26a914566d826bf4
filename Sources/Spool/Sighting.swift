// Is the file whole? What was seen of a name in the inbox, and what follows from it.

import Linux

/// What a look at a name in the inbox showed.
enum Look: Sendable {
    /// Nobody there: taken, moved or deleted by somebody.
    case gone
    /// Something that is no file: a folder, a link, a FIFO.
    case noFile(String)
    /// A job.
    case whole(JobFile)
    /// Not a job, but more bytes could make it one; or a job whose pictures are still arriving.
    case unfinished(JobFileError)
    /// Not a job, whatever comes behind it.
    case wrong(JobFileError)
}

/// What to do with a name in the inbox.
enum Verdict: Sendable {
    case accept(JobFile)
    case refuse(JobFileError)
    /// Look again at that moment, or when something is told of it.
    case wait(until: ContinuousClock.Instant)
    case leaveAlone(String)
    case forget
}

/// What is remembered of a name in the inbox that has not been taken.
struct Sighting: Sendable {
    /// What changes when anything of the file changes, or of the pictures that it names.
    var seen: [FileStatus] = []
    /// When `seen` was first as it is, by the clock that nobody sets.
    var unchangedSince: ContinuousClock.Instant
    /// Whether the file has been told to be closed, or moved here, since it was last seen to change: nobody is in the
    /// middle of writing it then, and what is wrong with it is wrong for good.
    var closed: Bool

    init(now: ContinuousClock.Instant, closed: Bool) {
        unchangedSince = now
        self.closed = closed
    }

    /// Notes what a look showed and decides.
    mutating func judge(
        _ look: Look, seen: [FileStatus], now: ContinuousClock.Instant, settle: Duration
    ) -> Verdict {
        if seen != self.seen {
            if let before = self.seen.first, before != seen.first { closed = false }
            self.seen = seen
            unchangedSince = now
        }
        let settled = now >= unchangedSince + settle
        switch look {
        case .gone: return .forget
        case .noFile(let what): return .leaveAlone(what)
        case .whole(let job): return .accept(job)
        case .wrong(let error): return closed || settled ? .refuse(error) : .wait(until: unchangedSince + settle)
        case .unfinished(let error): return settled ? .refuse(error) : .wait(until: unchangedSince + settle)
        }
    }
}
