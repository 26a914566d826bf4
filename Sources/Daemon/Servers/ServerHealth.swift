// Is the server there? Asked only when there is a reason, and so that a server that is starting survives it.

import A1111
import A1111API
import Linux
import Synchronization

/// Waits for a server that is away, for all who work with it.
///
/// A bare TCP connect looks for it: an HTTP request in the moments in which A1111 starts can kill it for good. When a
/// port that was seen closed opens, the first request waits for a time of grace. A server that listens and does not
/// answer its API (a login page, a gateway without its server, "not now") is asked a question with the same backoff, and
/// gets a job only when it has answered that. Whoever hears of it meanwhile ends the wait for all.
actor ServerHealth {
    private let server: ServerAddress
    /// Between the opening of a port that was seen closed and the first request.
    private let grace: Duration
    private let emit: @Sendable (Event) -> Void
    /// Asks a question that every server with this API answers; why it did not, or `nil`.
    private let probe: @Sendable () async -> String?

    private enum State: Equatable {
        /// Nothing known.
        case unknown
        case up
        /// It listened and did not answer its API.
        case refusing(because: String)
        /// It was told to be away.
        case away
        /// Its port has opened; it is not asked before then.
        case starting(until: ContinuousClock.Instant)

        var isThere: Bool { self == .up || self == .unknown }
        var isRefusing: Bool { if case .refusing = self { true } else { false } }
    }
    private nonisolated let current = Mutex(State.unknown)
    private var state: State {
        get { current.withLock { $0 } }
        set {
            let before = current.withLock { state in
                defer { state = newValue }
                return state
            }
            if newValue.isThere != before.isThere { record(newValue.isThere) }
        }
    }
    /// Told when it is lost and when it is back.
    private let record: @Sendable (_ isThere: Bool) -> Void
    private var backoff = Backoff()
    /// All who wait look again at once, and not each after a wait of their own.
    private var nextLook = ContinuousClock.now
    /// The waits of those who wait, by a number.
    private var waits: [Int: Task<Void, Never>] = [:]
    private var lastWait = 0
    private enum Probe { case port, api }
    /// Looks that are under way.
    private var looking: [Probe: Task<String?, Never>] = [:]
    private static let timeout = Duration.seconds(5)

    init(
        server: ServerAddress, grace: Duration, record: @escaping @Sendable (_ isThere: Bool) -> Void,
        probe: @escaping @Sendable () async -> String?, emit: @escaping @Sendable (Event) -> Void
    ) {
        self.server = server
        self.grace = grace
        self.record = record
        self.probe = probe
        self.emit = emit
    }

    /// It has answered something since it was last away; that its port is open shows nothing.
    private nonisolated let answers = Mutex(false)
    nonisolated var isProven: Bool { answers.withLock { $0 } }
    /// It has answered something.
    nonisolated func proves() { answers.withLock { $0 = true } }

    /// The last request was answered.
    nonisolated var isUp: Bool { current.withLock { $0 == .up } }

    /// A request found it away, or found it unwilling, and says why.
    ///
    /// - Parameter time: how long it asks to be left alone, where it says so.
    func isAway(because reason: String, for time: Duration? = nil) {
        if state.isThere { emit(.serverAway(server.description, reason: reason)) }
        if state != .away { state = .refusing(because: reason) }
        if let time { nextLook = max(nextLook, .now + time) }
        answers.withLock { $0 = false }
    }

    /// A request was answered.
    func isBack() {
        if state.isRefusing { emit(.serverBack(server.description, grace: .zero)) }
        state = .up
        backoff.reset()
        nextLook = .now
        waits.values.forEach { $0.cancel() }
    }

    /// Somebody beside the jobs was answered: one that was waited for is back.
    func hasAnswered() { if state.isRefusing { isBack() } }

    /// Returns when a request may be sent. Throws CancellationError.
    func waitUntilUp() async throws {
        while true {
            switch state {
            case .up: return
            case .starting(let moment):
                try await TaskQueueExecutor.rest(for: moment - .now)
                if state == .starting(until: moment) { isBack() }
            case .refusing(let old):
                try await rest()
                guard state.isRefusing else { continue }
                // A port that is closed by now is waited for without a question.
                if await probe(at: .port) != nil {
                    if state.isRefusing { state = .away }
                } else if let reason = await probe(at: .api) {
                    guard state.isRefusing, reason != old else { continue }
                    state = .refusing(because: reason)
                    emit(.serverAway(server.description, reason: reason))
                } else if state.isRefusing {
                    proves()
                    isBack()
                }
            case .unknown, .away:
                guard let reason = await probe(at: .port) else {
                    opened()
                    continue
                }
                if state == .unknown { emit(.serverAway(server.description, reason: reason)) }
                state = .away
                try await rest()
            }
            try Task.checkCancellation()
        }
    }

    // MARK: Beside the jobs

    /// Why a request that is no job's must not be sent now, and in how many seconds it may be; `nil` where it may. A server
    /// that is busy, or wants a password, says so itself.
    func obstacle() async -> (words: String, seconds: Int)? {
        if state == .away || state.isRefusing { await look() }
        switch state {
        case .unknown, .up, .refusing: return nil
        case .away: return ("nobody listens at \(server): it is waited for", 5)
        case .starting(let moment):
            let left = moment - .now
            guard left > .zero else {
                isBack()
                return nil
            }
            return ("\(server) is starting: a request now could stop it for good", Int(left.components.seconds) + 1)
        }
    }

    /// Looks whether anybody listens. Where nobody does it is waited for, also when no job is there.
    func look() async {
        let reason = await probe(at: .port)
        switch (state, reason) {
        case (.away, nil): opened()
        case (_, nil), (.away, _): break
        case (.unknown, let reason?), (.up, let reason?), (.refusing, let reason?), (.starting, let reason?):
            if state.isThere { emit(.serverAway(server.description, reason: reason)) }
            state = .away
            Task(executorPreference: TaskQueueExecutor.shared) { try? await self.waitUntilUp() }
        }
    }

    private func rest() async throws {
        if nextLook <= .now { nextLook = .now + backoff.next() }
        let time = nextLook - .now
        // Ends early where it is cancelled: the server is back, or nobody waits any more.
        let wait = Task(executorPreference: TaskQueueExecutor.shared) {
            _ = try? await TaskQueueExecutor.rest(for: time)
        }
        lastWait += 1
        let number = lastWait
        waits[number] = wait
        await withTaskCancellationHandler {
            await wait.value
        } onCancel: {
            wait.cancel()
        }
        waits[number] = nil
        try Task.checkCancellation()
    }

    /// One look for all who wait for it: why the server is not there, or `nil`.
    private func probe(at what: Probe) async -> String? {
        if let task = looking[what] { return await task.value }
        let task = Task(executorPreference: TaskQueueExecutor.shared) { [self] in
            switch what {
            case .port: await closed()
            case .api: await probe()
            }
        }
        looking[what] = task
        defer { looking[what] = nil }
        return await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }

    private func opened() {
        switch state {
        case .away:
            emit(.serverBack(server.description, grace: grace))
            state = .starting(until: .now + grace)
        case .unknown: state = .up
        default: break
        }
    }

    /// Why nobody listens; `nil` where somebody does.
    private nonisolated func closed() async -> String? {
        let server = server
        do {
            try await TaskQueueExecutor.blocking {
                try PortProbe.connect(host: server.host, port: server.port, timeout: Self.timeout)
            }
            return nil
        } catch let error as SystemError {
            return error.call == "getaddrinfo" ? "the name \(server.host) does not resolve" : "\(error)"
        } catch {
            return "\(error)"
        }
    }
}
