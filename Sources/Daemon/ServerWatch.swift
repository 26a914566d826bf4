// Is the server there? Asked only when there is a reason, and so that a server that is starting survives it.

import A1111
import Linux

/// Waits for a server that is away.
///
/// A bare TCP connect looks for it: an HTTP request in the moments in which A1111 starts can kill it for good. When a
/// port that was seen closed opens, the first request waits for a time of grace. A server that listens and answers
/// with a status that means "not now" is asked again with the same backoff.
struct ServerWatch {
    let server: ServerAddress
    /// Between the opening of a port that was seen closed and the first request.
    let grace: Duration
    let tell: @Sendable (Event) -> Void

    private enum State {
        /// Nothing known.
        case unknown
        case up
        /// It listened and said why it does not work now.
        case refusing
        /// It was told to be away.
        case away
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
    mutating func isAway(because reason: String) {
        if state != .refusing { tell(.serverAway(server.description, reason: reason)) }
        state = .refusing
    }

    /// A request was answered.
    mutating func isBack() {
        if state == .refusing { tell(.serverBack(server.description, grace: .zero)) }
        state = .up
        backoff.reset()
    }

    /// Returns when a request may be sent. Throws CancellationError.
    mutating func waitUntilThere() async throws {
        if state == .up { return }
        if state == .refusing { try await Task.sleep(for: backoff.next()) }
        var wasClosed = false
        while let reason = try await closed() {
            if state != .away, state != .refusing { tell(.serverAway(server.description, reason: reason)) }
            wasClosed = true
            state = .away
            try await Task.sleep(for: backoff.next())
        }
        if wasClosed {
            tell(.serverBack(server.description, grace: grace))
            try await Task.sleep(for: grace)
            backoff.reset()
            state = .up
        } else if state == .unknown {
            state = .up
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
