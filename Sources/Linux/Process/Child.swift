// A program of somebody else's, run beside us: in a process group of its own, for a time that has an end.
//
// It gets none of our descriptors but stderr: all others are closed when it begins (O_CLOEXEC). Foundation's Process cannot
// give it a group, so what it has begun itself could not be ended with it.

@preconcurrency import Dispatch
import Glibc
import Synchronization

/// A child process, and all that it begins in its process group.
package final class Child: Sendable {
    /// How it ended.
    package enum End: Equatable, Sendable {
        /// By itself, with this exit code.
        case exited(Int32)
        /// By this signal.
        case killed(Int32)
        /// By us, with its group: its time was over.
        case stopped
    }

    private struct State {
        /// Its number may be another's from now on.
        var isReaped = false
        var isStopped = false
    }
    private let state = Mutex(State())
    private let pid: pid_t

    private static let stops = DispatchQueue(label: "stops of children")
    /// Between SIGTERM and SIGKILL.
    private static let grace = 2.0

    /// Starts the program at `path`, with /dev/null for stdin, and with our stderr for both stdout and stderr. No shell has
    /// a look at the arguments, the first of which is the program's name.
    ///
    /// Throws ``SystemError``: `posix_spawn` with ENOENT, EACCES, ENOEXEC (neither a binary nor `#!`), EAGAIN …
    package init(path: String, arguments: [String], environment: [String: String]) throws(SystemError) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // What we ignore it would ignore, too, and threads of Dispatch block all signals: it begins with the defaults.
        var all = sigset_t()
        var none = sigset_t()
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        var words = arguments.map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in words + variables { free(text) } }
        var number: pid_t = 0
        try system("posix_spawn", path) {
            // Gives the error and does not set errno.
            errno = posix_spawn(&number, path, &actions, &attributes, &words, &variables)
            return errno == 0 ? 0 : -1
        }
        pid = number
    }

    /// Ends it and its group: SIGTERM, and SIGKILL if that was not heeded. Returns at once.
    package func stop() {
        strike(SIGTERM)
        Self.stops.asyncAfter(deadline: .now() + Self.grace) { [weak self] in self?.strike(SIGKILL) }
    }

    private func strike(_ signal: Int32) {
        state.withLock { state in
            guard !state.isReaped else { return }
            state.isStopped = true
            kill(-pid, signal)
        }
    }

    /// Blocks until it has ended; it is stopped when it has not ended within `limit`. To be called once: nobody else takes
    /// its end from the kernel. What it left running in its group goes on, unless it was stopped.
    package func wait(atMost limit: Duration) -> End {
        let impatience = DispatchWorkItem { [weak self] in self?.stop() }
        Self.stops.asyncAfter(deadline: .now() + limit / .seconds(1), execute: impatience)
        var information = siginfo_t()
        // Its number stays its own until it is taken below: until then a signal hits nobody else.
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        impatience.cancel()
        let isStopped = state.withLock { state in
            // What did not heed SIGTERM has lost the one who could wait for it.
            if state.isStopped { kill(-pid, SIGKILL) }
            state.isReaped = true
            while waitpid(pid, nil, 0) < 0, errno == EINTR {}
            return state.isStopped
        }
        if isStopped { return .stopped }
        let status = information._sifields._sigchld.si_status
        return information.si_code == CLD_EXITED ? .exited(status) : .killed(status)
    }
}
