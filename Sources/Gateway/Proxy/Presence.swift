// Whether a server may be asked: a web UI that starts can be killed for good by a request, so one whose port was seen closed
// is looked for without a word, and left alone for a time of grace when it is back. The daemon does the same for its jobs and
// tells of it; what is passed on may come when no job is there, and so nobody looks.

import A1111
import HTTP
import Linux
import Synchronization

/// A server, and what is known of its being there.
final class Presence: Sendable {
    private enum State {
        /// Nothing says that it may not be asked. One that is busy, or wants a password, says so itself.
        case open
        /// Nobody listened.
        case closed
        /// Its port has opened; it is not asked before then.
        case starting(until: ContinuousClock.Instant)
    }
    private struct Known {
        var state = State.open
        var isLookedFor = false
    }
    private let known = Mutex(Known())
    let client: Client
    private let grace: Duration

    /// - Parameter grace: between the opening of a port that was seen closed and the first request.
    init(_ client: Client, grace: Duration) {
        self.client = client
        self.grace = grace
    }

    /// Why it is not asked now, and how long to wait; `nil` where it may be.
    nonisolated(nonsending) func obstacle() async -> (words: String, seconds: Int)? {
        if known.withLock({ if case .closed = $0.state { true } else { false } }) { await look() }
        return known.withLock { known in
            switch known.state {
            case .open: return nil
            case .closed: return ("nobody listens at \(client.server): it is waited for", Self.usualWait)
            case .starting(let moment):
                let left = moment - .now
                guard left > .zero else {
                    known.state = .open
                    return nil
                }
                return (
                    "\(client.server) is starting: a request now could stop it for good",
                    Int(left.components.seconds) + 1
                )
            }
        }
    }

    /// Looks whether somebody listens, where nobody looks already.
    nonisolated(nonsending) func look() async {
        let isFirst = known.withLock { known in
            defer { known.isLookedFor = true }
            return !known.isLookedFor
        }
        guard isFirst else { return }
        let isClosed = await isClosed()
        known.withLock { known in
            known.isLookedFor = false
            switch (known.state, isClosed) {
            case (_, true): known.state = .closed
            case (.closed, false): known.state = .starting(until: .now + grace)
            case (.open, false), (.starting, false): break
            }
        }
    }

    /// The daemon has found it there again, and asks it in so long.
    func isBack(in grace: Duration) {
        known.withLock { $0.state = grace > .zero ? .starting(until: .now + grace) : .open }
    }

    nonisolated(nonsending) private func isClosed() async -> Bool {
        let server = client.server
        do {
            try await Self.looks.run {
                try PortProbe.connect(host: server.host, port: server.port, timeout: Self.patience)
            }
            return false
        } catch {
            return true
        }
    }

    private static let looks = BlockingCalls(label: "door's look", width: 4)
    private static let patience = Duration.seconds(5)
    /// As long as nobody listens nobody knows.
    private static let usualWait = 5
}

extension Response {
    /// 503: later (RFC 9110 section 15.6.4).
    static func notNow(_ obstacle: (words: String, seconds: Int)) -> Response {
        var response = error(503, "server away", obstacle.words)
        response.headers.append("Retry-After", "\(obstacle.seconds)")
        return response
    }
}
