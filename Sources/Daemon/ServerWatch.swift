// Is the server there? Asked only when there is a reason, and so that a server that is starting survives it.

import A1111
import Linux

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
    private var state = State.unknown
    private var backoff = Backoff()
    private static let timeout = Duration.seconds(5)

    init(server: ServerAddress, grace: Duration, tell: @escaping @Sendable (Event) -> Void) {
        self.server = server
        self.grace = grace
        self.tell = tell
    }

    /// It listens, has said why it does not work now, and has not answered better since.
    var isRefusing: Bool { state == .refusing }

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
    }

    /// Returns when a request may be sent. Throws CancellationError.
    func waitUntilThere() async throws {
        while true {
            switch state {
            case .up: return
            case .starting(let moment):
                try await Task.sleep(until: moment, clock: .continuous)
                if state == .starting(until: moment) { isBack() }
            case .refusing:
                try await Task.sleep(for: backoff.next())
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
                try await Task.sleep(for: backoff.next())
            }
        }
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
            try await blocking { try Reach.connect(host: server.host, port: server.port, timeout: Self.timeout) }
            return nil
        } catch let error as SystemError {
            return error.call == "getaddrinfo" ? "the name \(server.host) does not resolve" : "\(error)"
        }
    }
}
