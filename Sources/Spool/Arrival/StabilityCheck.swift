// Is the file whole? What was seen of a name in the inbox, and what follows from it.

import Linux

/// What a look at a name in the inbox showed.
enum Inspection: Sendable {
    /// Nobody there: taken, moved or deleted by somebody.
    case gone
    /// Something that is no file: a folder, a link, a FIFO.
    case noFile(String)
    /// A job. Somebody may still have its file open for writing.
    case whole(JobFile, hasWriter: Bool)
    /// Several jobs, in a text that is whole.
    case batch(Batch, hasWriter: Bool)
    /// Jobs, a line each: as much of them as is there is whole wherever a line ends. Somebody may be writing more.
    case lines(Batch, hasWriter: Bool)
    /// Not a job, but more bytes could make it one; or a job whose pictures are still arriving.
    case unfinished(JobFileError)
    /// Not a job, whatever comes behind it.
    case wrong(JobFileError)
}

/// What to do with a name in the inbox.
enum IntakeDecision: Sendable {
    case accept(JobFile)
    case expand(Batch)
    case refuse(JobFileError)
    /// Look again at that moment, or when something is told of it.
    case wait(until: ContinuousClock.Instant)
    case leaveAlone(String)
    case forget
}

/// What is remembered of a name in the inbox that has not been taken.
struct StabilityCheck: Sendable {
    /// What changes when anything of the file changes, or of the pictures that it names.
    var seen: [FileStatus] = []
    /// When `seen` was first as it is, by the clock that nobody sets.
    var unchangedSince: ContinuousClock.Instant
    /// Whether the file has been told to be closed, or moved here, since it was last seen to change: nobody is in the
    /// middle of writing it then, and what is wrong with it is wrong for good.
    var closed: Bool
    /// How long to wait before the next look at a file that is whole and still open. A writer's close is told before it
    /// is quite done, so the first wait is short.
    private var patience = Duration.milliseconds(1)

    init(now: ContinuousClock.Instant, closed: Bool) {
        unchangedSince = now
        self.closed = closed
    }

    /// Notes what a look showed and decides.
    mutating func judge(
        _ look: Inspection, seen: [FileStatus], now: ContinuousClock.Instant, settle: Duration
    ) -> IntakeDecision {
        if seen != self.seen {
            if let before = self.seen.first, before != seen.first { closed = false }
            self.seen = seen
            unchangedSince = now
        }
        let settled = now >= unchangedSince + settle
        switch look {
        case .gone: return .forget
        case .noFile(let what): return .leaveAlone(what)
        case .whole(let job, let hasWriter) where !hasWriter || settled: return .accept(job)
        case .batch(let batch, let hasWriter) where !hasWriter || settled: return .expand(batch)
        case .whole, .batch:
            defer { patience = min(patience * 2, .seconds(1)) }
            return .wait(until: min(now + patience, unchangedSince + settle))
        case .lines(let batch, false) where closed || settled: return .expand(batch)
        // Its close will be told; where it is not, it is looked for.
        case .lines: return .wait(until: settled ? now + max(settle, .seconds(1)) : unchangedSince + settle)
        case .wrong(let error): return closed || settled ? .refuse(error) : .wait(until: unchangedSince + settle)
        case .unfinished(let error): return settled ? .refuse(error) : .wait(until: unchangedSince + settle)
        }
    }
}
