// What to do with a job whose request failed: by the class of the failure and how often it was tried.

import A1111
import Spool

/// The next step of a job that was not done.
enum RetryDecision: Equatable {
    /// Back to its place; the attempt does not count, and no job is started until the server answers.
    case waitForServer
    /// Back into the queue, after the others; the attempt does not count.
    case later
    /// Back to its place, and not before so long.
    case tryAgain(after: Duration)
    case fail
}

/// So many attempts, the first one counted, before a job is given up.
let attemptLimit = 3

/// Decides by the class of the last failure and the attempts that count, this one among them.
func step(after failure: Failure.Class, attempts: Int) -> RetryDecision {
    switch failure {
    // An answer that nothing has clarified says as little of the job.
    case .serverDown, .unclear: .waitForServer
    case .notNow: .later
    case .permanent, .wrongResult, .interrupted: .fail
    // The memory of a GPU does not grow: once more, for somebody else may have used it, and no more.
    case .outOfMemory: attempts < 2 ? .tryAgain(after: .seconds(5)) : .fail
    case .ambiguous, .temporary:
        attempts < attemptLimit ? .tryAgain(after: .seconds(attempts == 1 ? 2 : 10)) : .fail
    }
}

extension Attempts {
    /// What an attempt is called that ended because the daemon did.
    static let stopped = "stopped"

    /// What an attempt is called whose result could not be kept.
    static let disk = "disk"

    /// What an attempt is called under which a gateway lost the server.
    static let away = Failure.Class.serverDown.rawValue

    /// Those that were tried to an end, or cut off by a crash; a stop on purpose and a full disk are not the job's. That the
    /// server went away under it once may be chance. When it does so again, and has answered in between, the job may be the
    /// cause, and all of them count.
    var counted: Int {
        let lost = list.count { $0.failure == Self.away }
        let others = list.count { ![Self.stopped, Self.disk, Self.away].contains($0.failure) }
        return others + (lost > 1 ? lost : 0)
    }

    /// The last request may still be rendered by the server, and its answer is lost.
    var mayStillRun: Bool {
        guard let last = list.last else { return false }
        let mayGoOn = [Self.stopped, Self.away, Failure.Class.ambiguous.rawValue]
        return last.ended == nil || mayGoOn.contains { $0 == last.failure }
    }
}
