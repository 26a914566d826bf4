// What a daemon tells of its doings: values, which a log, a progress bar and a test each show in their own way.

import Linux
import Spool

/// Something that happened.
package enum Event: Sendable {
    // Paths are those of folders in done/ and failed/; reasons are sentences for people.

    /// Files are taken from now on; so many jobs wait from before.
    case ready(spool: String, servers: [String], waiting: Int)
    /// What the last daemon left in active/ is where it belongs.
    case recovered(Repaired)
    /// A file of the inbox is a job now, whatever happens.
    case accepted(Ticket)
    /// A file that holds many jobs has become them.
    case expanded(Ticket, Expansion)
    /// A file that is no job lies in failed/.
    case refused(JobName, JobFileError, path: String)
    /// An entry of the inbox stays there, for this reason; told once.
    case leftAlone(FileName, String)
    /// The disk refused something. Nothing is lost, and it is done again.
    case diskError(SystemError)
    /// A request with the job is on its way.
    case started(Ticket, server: String)
    /// The pictures lie in done/. `seconds` since the request left.
    case done(Ticket, path: String, pictures: Int, seconds: Double, warnings: [String])
    /// The job lies in failed/, for this reason.
    case failed(Ticket, String, path: String)
    /// The attempt failed for this reason, and another one is made.
    case retrying(Ticket, String, after: Duration)
    /// The job is ready, and is not sent yet for this reason.
    case delayed(Ticket, String, atMost: Duration)
    /// The job waits again, as if it had not been started.
    case requeued(Ticket)
    /// Somebody has taken the job's file away.
    case cancelled(Ticket)
    /// Somebody has put the job's file into queue/.
    case queued(Ticket)
    /// The job has another place in the queue.
    case moved(Ticket, to: Ticket)
    /// The server does not answer, or has no room.
    case serverAway(String, reason: String)
    /// The server answers again; it gets jobs when `grace` is over.
    case serverBack(String, grace: Duration)
    /// The server, or a gateway before it, does not bear a second request while it renders; how that showed.
    case oneAtATime(server: String, because: String)
    /// The disk has no room for the job's result of so many bytes, for this reason: it waits, and smaller ones go first.
    case noSpace(Ticket, bytes: Int, reason: String)
    /// No result waits for room any more.
    case spaceAgain
    /// PAUSE has come, or has gone.
    case paused(Bool)
    /// A folder of the spool has been replaced by another one.
    case directoryReplaced(String)
    /// The inbox has gone, or has come back.
    case inbox(String, isThere: Bool)
    /// So many old results have been taken out of done/.
    case pruned(Int)
    /// Old results could not be taken out of done/.
    case notPruned(SystemError)
    /// The folders are listed as often as that, because nothing tells of changes there.
    case rescans(filesystem: String, every: Duration)
    /// The kernel has nothing left to tell of changes by: the folders are listed as often as that meanwhile.
    case polling(SystemError, every: Duration)
    /// It has again.
    case watched
    /// systemd's socket does not take a message.
    case notifyFailed(SystemError)
    /// A hook's program could not be run, or failed. The words between say what it was run for.
    case hookFailed(Hook, String, String)
    /// So many calls of a hook wait that no more are taken.
    case hookOverloaded(Hook, waiting: Int)
    /// So many calls of a hook were left out.
    case hookDropped(Hook, Int)
    /// A callback's receiver has the message.
    case callbackTold(Ticket, String)
    /// A callback's receiver could not be told, for this reason, and is told again.
    case callbackFailed(Ticket, String, String, after: Duration)
    /// A callback's receiver is not told any more, for this reason.
    case callbackGivenUp(Ticket, String, String)
    /// The daemon ends.
    case stopping

    /// How much it matters to somebody who reads only what matters; the levels of syslog(3).
    package enum Level: Int, Sendable {
        case error = 3
        case warning = 4
        case notice = 5
        case info = 6
    }

    /// See ``Level``.
    package var level: Level {
        switch self {
        case .diskError, .noSpace: .error
        case .refused, .failed, .retrying, .serverAway, .notPruned, .polling, .notifyFailed, .hookFailed,
            .hookOverloaded,
            .hookDropped,
            .callbackFailed, .callbackGivenUp:
            .warning
        case .done(_, _, _, _, let warnings) where !warnings.isEmpty: .warning
        case .inbox(_, let isThere) where !isThere: .warning
        case .inbox, .directoryReplaced, .rescans, .watched, .ready, .recovered, .serverBack, .oneAtATime, .spaceAgain,
            .paused,
            .stopping, .leftAlone, .cancelled, .delayed:
            .notice
        case .accepted, .expanded, .started, .done, .requeued, .queued, .moved, .pruned, .callbackTold: .info
        }
    }

    /// One word for programs that read the log: the name of the case, or the name that it had when they were written.
    package var kind: String {
        let name = Mirror(reflecting: self).children.first?.label ?? "\(self)"
        return Self.kinds[name] ?? name
    }

    private static let kinds = [
        "diskError": "troubled", "retrying": "tryingAgain", "requeued": "putBack", "noSpace": "noRoom",
        "spaceAgain": "roomAgain", "directoryReplaced": "renewed", "rescans": "rounds", "polling": "unwatched",
        "notifyFailed": "unheard", "hookOverloaded": "hookBehind",
    ]

    /// The job that it is about, where it has a ticket.
    package var ticket: Ticket? {
        switch self {
        case .accepted(let ticket), .queued(let ticket), .moved(_, let ticket), .started(let ticket, _),
            .done(let ticket, _, _, _, _), .failed(let ticket, _, _),
            .retrying(let ticket, _, _), .delayed(let ticket, _, _), .requeued(let ticket), .cancelled(let ticket),
            .expanded(let ticket, _),
            .callbackTold(let ticket, _), .callbackFailed(let ticket, _, _, _), .callbackGivenUp(let ticket, _, _),
            .recovered(.delivered(let ticket, _)), .recovered(.deliveredFailure(let ticket, _)),
            .recovered(.requeued(let ticket)), .noSpace(let ticket, _, _):
            ticket
        default: nil
        }
    }

    /// One line for people. Names from outside come escaped.
    package var message: String {
        switch self {
        case .ready(let spool, let servers, let waiting):
            "ready: drop job files into \(spool)/inbox; server\(servers.count == 1 ? "" : "s") "
                + "\(servers.joined(separator: ", "))\(waiting > 0 ? "; \(waiting) waiting" : "")"
        case .recovered(let what): "\(what)"
        case .accepted(let ticket): "accepted \(ticket)"
        case .expanded(let ticket, let expansion):
            "expanded \(ticket.name) into \(Self.spoken(expansion.parts.map(\.ticket.name))); "
                + "see \(expansion.path)/result.json"
        case .refused(let name, let error, let path): "refused \(name): \(error.message); it is now in \(path)"
        case .leftAlone(let name, let reason): "inbox/\(name) is left alone: \(reason)"
        case .diskError(let error) where error.crossesFilesystems && error.call == "rename":
            "\(error.path) lies on another filesystem than the spool now, or is a mount of its own, and no job can be moved "
                + "there: going on with the folder beneath it until that is gone"
        case .diskError(let error): "\(error); trying again"
        case .started(let ticket, let server): "rendering \(ticket.name) at \(server)"
        case .done(let ticket, let path, let pictures, let seconds, let warnings):
            "done \(ticket.name): \(pictures) picture\(pictures == 1 ? "" : "s") in \(path), \(Self.spoken(seconds))"
                + warnings.map { "; \(escapedForPeople(Array($0.utf8)))" }.joined()
        case .failed(let ticket, let message, let path): "failed \(ticket.name): \(message); see \(path)/error.json"
        case .retrying(let ticket, let message, let delay):
            "\(ticket.name) is tried again in \(Self.spoken(delay / .seconds(1))): \(message)"
        case .delayed(let ticket, let reason, let delay):
            "\(ticket.name) is sent in \(Self.spoken(delay / .seconds(1))) at the latest: \(reason)"
        case .requeued(let ticket): "\(ticket.name) is back in the queue"
        case .cancelled(let ticket): "\(ticket.name) is gone from its folder: cancelled, or moved by somebody"
        case .queued(let ticket): "queued \(ticket): somebody has put it into queue/"
        case .moved(let old, let new): "moved \(old.name) in the queue: \(old) is \(new) now"
        case .serverAway(let server, let reason): "waiting for \(server): \(reason)"
        case .serverBack(let server, let grace):
            grace > .zero
                ? "\(server) is back; asked in \(Self.spoken(grace / .seconds(1))), when it has had time to start"
                : "\(server) is back"
        case .oneAtATime(let server, let reason): "\(server) \(reason): one at a time from now on"
        case .noSpace(let ticket, let bytes, let reason):
            "no room for the result of \(ticket.name), \(Self.mebibytes(bytes)) MiB: \(reason). It is tried again when there "
                + "is; smaller jobs go first. Free some space to go on"
        case .spaceAgain: "there is room on the disk again"
        case .paused(let isPaused):
            isPaused ? "paused: no job is started while PAUSE lies in the spool" : "going on: PAUSE is gone"
        case .directoryReplaced(let path): "\(path) is another folder now; going on with that one"
        case .inbox(let path, let isThere):
            isThere ? "\(path) is back" : "\(path) is gone: nothing is taken until there is one again"
        case .pruned(let count): "\(count) old result\(count == 1 ? "" : "s") taken out of done/ (--keep-done)"
        case .notPruned(let error): "old results stay in done/ for now: \(error)"
        case .rescans(let filesystem, let interval):
            "nobody tells of what others do on \(filesystem): looked at every \(Self.spoken(interval / .seconds(1)))"
        case .polling(let error, let interval):
            "\(error): the kernel does not tell of changes; looking for them every "
                + "\(Self.spoken(interval / .seconds(1))) until it does. \(Self.remedy(error))"
        case .watched: "the kernel tells of changes again"
        case .notifyFailed(let error): "the service manager that started this cannot be told how it is: \(error)"
        case .hookFailed(let hook, let subject, let reason): "\(hook.rawValue)\(subject): \(reason)"
        case .hookOverloaded(let hook, let count):
            "\(hook.rawValue) is slower than the jobs: \(count) calls wait, and those behind them are not made"
        case .hookDropped(let hook, let count): "\(hook.rawValue): \(count) calls were not made"
        case .callbackTold(let ticket, let receiver): "\(receiver) was told the end of \(ticket.name)"
        case .callbackFailed(let ticket, let receiver, let reason, let delay):
            "\(receiver) was not told the end of \(ticket.name), trying again in \(Self.spoken(delay / .seconds(1))): "
                + "\(reason)"
        case .callbackGivenUp(let ticket, let receiver, let reason):
            "\(receiver) will not be told the end of \(ticket.name): \(reason)"
        case .stopping: "stopping: what cannot be finished at once goes back to the queue"
        }
    }

    /// What to do where nothing is left to watch with (inotify(7)).
    private static func remedy(_ error: SystemError) -> String {
        error.call == "inotify_init1"
            ? "If this user has used up its inotify instances, raise fs.inotify.max_user_instances: "
                + "sysctl fs.inotify.max_user_instances=1024"
            : "If this user has used up its inotify watches, raise fs.inotify.max_user_watches: "
                + "sysctl fs.inotify.max_user_watches=524288"
    }

    private static func spoken(_ names: [JobName]) -> String {
        guard let first = names.first, let last = names.last, names.count > 1 else {
            return "1 job, \(names.first?.description ?? "")"
        }
        return "\(names.count) jobs, \(first) to \(last)"
    }

    private static func mebibytes(_ bytes: Int) -> Double { (Double(bytes) / 1024 / 1024 * 10).rounded(.up) / 10 }

    private static func spoken(_ seconds: Double) -> String {
        // Tenths are enough for people.
        "\((seconds * 10).rounded() / 10) s"
    }
}
