// What the service manager is told: that the daemon is ready, what it does, that it is alive, that it ends.
//
// READY=1, STATUS=…, WATCHDOG=1 and STOPPING=1 of sd_notify(3). A service manager that cannot be told is said once, and
// no job suffers from it.

@preconcurrency import Dispatch
import Linux
import Spool
import Synchronization

/// Speaks to the service manager, one word after the other, on a thread of its own that may wait for it.
final class ServiceNotifier: Sendable {
    private let socket: NotifySocket
    private let emit: @Sendable (Event) -> Void
    private let words = DispatchQueue(label: "herald")
    private let state = Mutex((line: "", isStopping: false, isUnheard: false))

    init(_ socket: NotifySocket, emit: @escaping @Sendable (Event) -> Void) {
        self.socket = socket
        self.emit = emit
    }

    /// Jobs are taken from now on.
    func ready() { say("READY=1") }

    /// Tells what the daemon does, if that is not what was told last.
    func show(_ status: Status) {
        let line = status.line
        let isNews = state.withLock { state in
            guard !state.isStopping, state.line != line else { return false }
            state.line = line
            return true
        }
        if isNews { say("STATUS=\(line)") }
    }

    /// The last word.
    func stopping() {
        state.withLock { $0.isStopping = true }
        say("STOPPING=1", "STATUS=stopping: what cannot be finished at once goes back to the queue")
    }

    /// Gives signs of life, twice in the time after which there would have to be one, until the task is cancelled. Before each
    /// `answers` has to return: a daemon of which only this loop is left is none.
    func live(_ answers: @Sendable () async -> Void) async {
        guard let patience = socket.watchdog else { return }
        while !Task.isCancelled {
            await answers()
            say("WATCHDOG=1")
            // Ends early only where the task is cancelled.
            try? await TaskQueueExecutor.rest(for: patience / 2)
        }
    }

    /// Returns when all is said; soon where nobody listens. Each word may wait for 5 s (see ``NotifySocket``), and many may
    /// wait behind one another.
    func finish() {
        let last = DispatchGroup()
        words.async(group: last) {}
        _ = last.wait(timeout: .now() + Self.patience)
    }

    private static let patience = 5.0

    private func say(_ lines: String...) {
        words.async { [self] in
            do throws(SystemError) {
                try socket.send(lines)
            } catch {
                let isFirst = state.withLock { state in
                    defer { state.isUnheard = true }
                    return !state.isUnheard
                }
                if isFirst { emit(.notifyFailed(error)) }
            }
        }
    }
}

extension Status {
    /// What the daemon does in one line, as status.json has it. Words of a server or of a job may be in it: none of them
    /// may begin a line of its own, for that would be another message to the service manager.
    var line: String {
        let jobs = rendering.map(\.ticket.name.description)
        let more = state == .rendering ? jobs.joined(separator: ", ") : reason
        let separator = state == .rendering ? " " : ": "
        let words = state.rawValue + (more.map { separator + $0 } ?? "")
        let line = escapedForPeople(Array(words.utf8), doublingBackslashes: false)
        // systemd takes 4096 bytes of a message.
        return line.count > Self.longestLine ? line.prefix(Self.longestLine) + "…" : line
    }

    private static let longestLine = 400
}
