// Is the server there? Asked only when there is a reason, and so that a server that is starting survives it.

import A1111
import Linux
import Synchronization

/// Waits for a server that is away, for all who work with it.
///
/// A bare TCP connect looks for it: an HTTP request in the moments in which A1111 starts can kill it for good. When a
/// port that was seen closed opens, the first request waits for a time of grace. A server that listens and answers
/// with a status that means "not now" is asked again with the same backoff.
actor ServerWatch {
    private let server: ServerAddress
    /// Between the opening of a port that was seen closed and the first request.
    private let grace: Duration
    private let tell: @Sendable (Event) -> Void

    private enum State: Equatable {
        /// Nothing known.
        case unknown
        case up
        /// It listened and said why it does not work now.
        case refusing
        /// It was told to be away.
        case away
        /// Its port has opened; it is not asked before then.
        case starting(until: ContinuousClock.Instant)
    }
    private nonisolated let current = Mutex(State.unknown)
    private var state: State {
        get { current.withLock { $0 } }
        set {
            let before = current.withLock { state in
                defer { state = newValue }
                return state
            }
            if Self.isThere(newValue) != Self.isThere(before) { note(Self.isThere(newValue)) }
        }
    }
    private static func isThere(_ state: State) -> Bool { state == .up || state == .unknown }
    /// Told when it is lost and when it is back.
    private let note: @Sendable (_ isThere: Bool) -> Void
    private var backoff = Backoff()
    /// All who wait look again at once, and not each after a wait of their own.
    private var nextLook = ContinuousClock.now
    private static let timeout = Duration.seconds(5)

    init(
        server: ServerAddress, grace: Duration, note: @escaping @Sendable (_ isThere: Bool) -> Void,
        tell: @escaping @Sendable (Event) -> Void
    ) {
        self.server = server
        self.grace = grace
        self.note = note
        self.tell = tell
    }

    /// The last request was answered.
    nonisolated var isUp: Bool { current.withLock { $0 == .up } }

    /// It listens, has said why it does not work now, and has not answered better since.
    nonisolated var isRefusing: Bool { current.withLock { $0 == .refusing } }

    /// A request found it away, or found it unwilling, and says why.
    func isAway(because reason: String) {
        if state != .refusing, state != .away { tell(.serverAway(server.description, reason: reason)) }
        state = .refusing
    }

    /// A request was answered.
    func isBack() {
        if state == .refusing { tell(.serverBack(server.description, grace: .zero)) }
        state = .up
        backoff.reset()
        nextLook = .now
    }

    /// Returns when a request may be sent. Throws CancellationError.
    func waitUntilThere() async throws {
        while true {
            switch state {
            case .up: return
            case .starting(let moment):
                try await Threads.rest(for: moment - .now)
                if state == .starting(until: moment) { isBack() }
            case .refusing:
                try await rest()
                // A request will show whether it is willing now; a port that is closed is waited for without one.
                if try await closed() == nil { return }
                state = .away
            case .unknown, .away:
                guard let reason = try await closed() else {
                    opened()
                    continue
                }
                if state == .unknown { tell(.serverAway(server.description, reason: reason)) }
                state = .away
                try await rest()
            }
        }
    }

    private func rest() async throws {
        if nextLook <= .now { nextLook = .now + backoff.next() }
        try await Threads.rest(for: nextLook - .now)
    }

    private func opened() {
        switch state {
        case .away:
            tell(.serverBack(server.description, grace: grace))
            state = .starting(until: .now + grace)
        case .unknown: state = .up
        default: break
        }
    }

    /// Why nobody listens; `nil` where somebody does.
    private func closed() async throws -> String? {
        let server = server
        do {
            try await Threads.blocking {
                try Reach.connect(host: server.host, port: server.port, timeout: Self.timeout)
            }
            return nil
        } catch let error as SystemError {
            return error.call == "getaddrinfo" ? "the name \(server.host) does not resolve" : "\(error)"
        }
    }
}
