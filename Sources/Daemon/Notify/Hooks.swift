// Runs the programs that are to be told. What goes wrong with them is told and stops nothing.

@preconcurrency import Dispatch
import Foundation
import Linux
import Synchronization

/// Runs the hooks of a daemon, one at a time of each kind, in the order of what has happened.
final class Hooks: Sendable {
    private struct Line {
        var waiting = 0
        var running: Child?
        /// Calls that were not made because too many waited.
        var dropped = 0
    }
    private struct State {
        var lines: [Hook: Line] = [:]
        /// A job has ended since the last word that nothing is left to do.
        var isBusy = false
        /// It is looked again in a while whether something is pending.
        var isLookedAgain = false
        /// The daemon ends.
        var isEnding = false
        /// The same, and it has waited for them long enough.
        var isOver = false
    }
    private let state = Mutex(State())
    private let commands: [Hook: Command]
    private let queues: [Hook: DispatchQueue]
    private let calls = DispatchGroup()
    private let spool: String
    private let isIdle: @Sendable () -> Bool
    private let isPending: @Sendable () throws -> Bool
    private let emit: @Sendable (Event) -> Void

    /// So many calls of one kind wait; a program that is slower than the jobs for longer than that is told of fewer.
    private static let waitingLimit = 1000
    /// Of one call.
    private static let limit = TimeLimit.with(.seconds(60))
    /// What the daemon's end waits for all of them.
    private static let patience = TimeLimit.with(.seconds(5)) / .seconds(1)
    /// Of that, for those that are ended then: SIGTERM, SIGKILL 2 s later. One that has become another user cannot be.
    private static let lastPatience = 5.0
    /// What is accepted comes into the queue a moment later than it is told.
    private static let lull = 0.1
    /// Between two looks at what is arriving, where the queue has run dry. Nobody tells of a file that is taken away.
    private static let lookInterval = 2.0

    /// - Parameters:
    ///   - isIdle: whether nothing waits and nothing is in anybody's hands.
    ///   - isPending: whether a job lies in a folder all the same; it is arriving, perhaps. Blocks on the disk.
    init(
        _ commands: [Hook: Command], spool: String, isIdle: @escaping @Sendable () -> Bool,
        isPending: @escaping @Sendable () throws -> Bool,
        emit: @escaping @Sendable (Event) -> Void
    ) {
        self.commands = commands
        self.spool = spool
        self.isIdle = isIdle
        self.isPending = isPending
        self.emit = emit
        queues = commands.mapValues { DispatchQueue(label: "hook \($0.words[0])") }
    }

    /// Takes in what has happened. Costs nothing where nobody is told.
    func record(_ event: Event) {
        guard !commands.isEmpty else { return }
        if let call = HookCall(event, spool: spool) { make(call) }
        guard let queue = queues[.idle] else { return }
        switch event {
        case .done, .failed: state.withLock { $0.isBusy = true }
        case .cancelled, .refused: break
        default: return
        }
        guard isIdle() else { return }
        calls.enter()
        queue.asyncAfter(deadline: .now() + Self.lull) { [self] in
            defer { calls.leave() }
            lookWhetherIdle(on: queue)
        }
    }

    /// Idle is not yet who has a job that is arriving: half of a file in the inbox, one that waits for its picture, a batch
    /// that is being read. What becomes of it is told, or it is looked for: somebody may take it away.
    private func lookWhetherIdle(on queue: DispatchQueue) {
        guard state.withLock({ $0.isBusy }), isIdle() else { return }
        // What cannot be looked at may be there.
        let mayBePending = (try? isPending()) ?? true
        let (isDue, mustLookAgain) = state.withLock { state in
            // Whatever was pending a moment ago may be in the queue now.
            guard state.isBusy, isIdle() else { return (false, false) }
            guard mayBePending else {
                state.isBusy = false
                return (true, false)
            }
            defer { state.isLookedAgain = true }
            return (false, !state.isLookedAgain && !state.isEnding)
        }
        if isDue { make(.idle(spool: spool)) }
        guard mustLookAgain else { return }
        // Not one of the calls, which the daemon's end waits for.
        queue.asyncAfter(deadline: .now() + Self.lookInterval) { [weak self] in self?.lookAgain(on: queue) }
    }

    private func lookAgain(on queue: DispatchQueue) {
        let isEnding = state.withLock { state in
            state.isLookedAgain = false
            if !state.isEnding { calls.enter() }
            return state.isEnding
        }
        guard !isEnding else { return }
        defer { calls.leave() }
        lookWhetherIdle(on: queue)
    }

    private func make(_ call: HookCall) {
        guard let command = commands[call.hook], let queue = queues[call.hook] else { return }
        let isFirstDropped: Bool? = state.withLock { state in
            var line = state.lines[call.hook] ?? Line()
            defer { state.lines[call.hook] = line }
            guard line.waiting < Self.waitingLimit, !state.isOver else {
                line.dropped += 1
                return line.dropped == 1
            }
            line.waiting += 1
            return nil
        }
        if isFirstDropped == true { emit(.hookOverloaded(call.hook, waiting: Self.waitingLimit)) }
        guard isFirstDropped == nil else { return }
        queue.async(group: calls) { [self] in run(call, command) }
    }

    private func run(_ call: HookCall, _ command: Command) {
        let (isOver, dropped) = state.withLock { state in
            state.lines[call.hook]?.waiting -= 1
            let dropped = state.lines[call.hook]?.dropped ?? 0
            // Those that are left at the end are told together.
            state.lines[call.hook]?.dropped = state.isOver ? dropped + 1 : 0
            return (state.isOver, dropped)
        }
        guard !isOver else { return }
        if dropped > 0 { emit(.hookDropped(call.hook, dropped)) }
        do throws(SystemError) {
            let child = try Child(
                path: command.path, arguments: command.words,
                environment: call.environment(from: ProcessInfo.processInfo.environment))
            state.withLock { state in
                state.lines[call.hook]?.running = child
                if state.isOver { child.stop() }
            }
            #if DEBUG
                let watch = Self.watch(child)
                defer { watch?.cancel() }
            #endif
            let end = child.wait(atMost: Self.limit)
            state.withLock { $0.lines[call.hook]?.running = nil }
            if let reason = end.reason(limit: Self.limit) { emit(.hookFailed(call.hook, call.subject, reason)) }
        } catch {
            emit(.hookFailed(call.hook, call.subject, error.description))
        }
    }

    #if DEBUG
        /// Ends a call when there is the file that SDSPOOL_HOOK_LIMIT names, and takes that away: a test says when the time of
        /// the call is over.
        private static func watch(_ child: Child) -> (any DispatchSourceTimer)? {
            guard let path = ProcessInfo.processInfo.environment["SDSPOOL_HOOK_LIMIT"] else { return nil }
            let timer = DispatchSource.makeTimerSource()
            timer.setEventHandler { @Sendable in if unlink(path) == 0 { child.stop() } }
            timer.schedule(deadline: .now(), repeating: .milliseconds(10))
            timer.activate()
            return timer
        }
    #endif

    /// Waits a moment for what is under way, and ends the rest. Blocks, but not without end. Nothing may be told behind it.
    func finish() {
        state.withLock { $0.isEnding = true }
        guard !commands.isEmpty, calls.wait(timeout: .now() + Self.patience) == .timedOut else { return }
        state.withLock { state in
            state.isOver = true
            for line in state.lines.values { line.running?.stop() }
        }
        _ = calls.wait(timeout: .now() + Self.lastPatience)
        for (hook, line) in state.withLock({ $0.lines }) where line.dropped > 0 {
            emit(.hookDropped(hook, line.dropped))
        }
    }
}

extension Child.End {
    /// Why it is not well; `nil` where it is.
    fileprivate func reason(limit: Duration) -> String? {
        switch self {
        case .exited(0): nil
        case .exited(let code): "exit code \(code)"
        case .killed(let signal): "ended by signal \(signal)"
        case .stopped: "stopped: it took too long (at most \(limit / .seconds(1)) s, a few when the daemon ends)"
        }
    }
}
