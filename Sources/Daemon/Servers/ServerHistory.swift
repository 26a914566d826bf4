// What a server has shown that it has, since the daemon runs.

import A1111
import A1111API
import Synchronization

/// Some servers that render do not tell what they are set to, and are there all the same. One that has told it has lost its
/// API when it does not tell it any more.
final class ServerHistory: Sendable {
    private let known = Mutex((hasOptions: false, hasRendered: false))

    func hasOptions() { known.withLock { $0.hasOptions = true } }
    func hasRendered() { known.withLock { $0.hasRendered = true } }

    /// What an answer to the question about its settings says against it.
    func obstacle(_ found: Failure?) -> Failure? {
        guard let found, found.isNotThere, known.withLock({ $0.hasRendered && !$0.hasOptions }) else { return found }
        return nil
    }

    /// Whether an answer says that it does not have what it has rendered by.
    func hasLost(_ endpoint: Endpoint, _ failure: Failure) -> Bool {
        failure.isNotThere && endpoint.service != nil && known.withLock(\.hasRendered)
    }
}
