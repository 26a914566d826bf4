// What a daemon tells of its doings: values, which a log, a progress bar and a test each show in their own way.

import Linux
import Spool

/// Something that happened.
public enum Event: Sendable {
    case ready(spool: String, server: String, waiting: Int)
    case recovered(String)
    case accepted(Ticket)
    case refused(JobName, JobFileError, path: String)
    case leftAlone(FileName, String)
    case troubled(SystemError)
    case started(Ticket, server: String)
    case done(Ticket, path: String, pictures: Int, seconds: Double, warnings: [String])
    case failed(Ticket, String, path: String)
    case tryingAgain(Ticket, String, after: Duration)
    case putBack(Ticket)
    case cancelled(Ticket)
    case serverAway(String, reason: String)
    case serverBack(String, grace: Duration)
    case paused(Bool)
    case stopping

    /// How much it matters to somebody who reads only what matters; the levels of syslog(3).
    public enum Level: Int, Sendable {
        case error = 3
        case warning = 4
        case notice = 5
        case info = 6
    }

    /// See ``Level``.
    public var level: Level {
        switch self {
        case .troubled: .error
        case .refused, .failed, .tryingAgain, .serverAway: .warning
        case .done(_, _, _, _, let warnings) where !warnings.isEmpty: .warning
        case .ready, .recovered, .serverBack, .paused, .stopping, .leftAlone, .cancelled: .notice
        case .accepted, .started, .done, .putBack: .info
        }
    }

    /// One line for people. Names from outside come escaped.
    public var message: String {
        switch self {
        case .ready(let spool, let server, let waiting):
            "ready: drop job files into \(spool)/inbox; server \(server)\(waiting > 0 ? "; \(waiting) waiting" : "")"
        case .recovered(let what): what
        case .accepted(let ticket): "accepted \(ticket)"
        case .refused(let name, let error, let path): "refused \(name): \(error.message); it is now in \(path)"
        case .leftAlone(let name, let reason): "inbox/\(name) is left alone: \(reason)"
        case .troubled(let error): "\(error); trying again"
        case .started(let ticket, let server): "rendering \(ticket.name) at \(server)"
        case .done(let ticket, let path, let pictures, let seconds, let warnings):
            "done \(ticket.name): \(pictures) picture\(pictures == 1 ? "" : "s") in \(path), \(Self.spoken(seconds))"
                + warnings.map { "; \(escapedForPeople(Array($0.utf8)))" }.joined()
        case .failed(let ticket, let message, let path): "failed \(ticket.name): \(message); see \(path)/error.json"
        case .tryingAgain(let ticket, let message, let delay):
            "\(ticket.name) is tried again in \(Self.spoken(delay / .seconds(1))): \(message)"
        case .putBack(let ticket): "\(ticket.name) is back in the queue"
        case .cancelled(let ticket): "\(ticket.name) is gone from its folder: cancelled, or moved by somebody"
        case .serverAway(let server, let reason): "waiting for \(server): \(reason)"
        case .serverBack(let server, let grace):
            grace > .zero
                ? "\(server) is back; asked in \(Self.spoken(grace / .seconds(1))), when it has had time to start"
                : "\(server) is back"
        case .paused(let isPaused):
            isPaused ? "paused: no job is started while PAUSE lies in the spool" : "going on: PAUSE is gone"
        case .stopping: "stopping: what cannot be finished at once goes back to the queue"
        }
    }

    private static func spoken(_ seconds: Double) -> String {
        // Tenths are enough for people.
        "\((seconds * 10).rounded() / 10) s"
    }
}
