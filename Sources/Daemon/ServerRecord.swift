// What a server has shown that it has, since the daemon runs.

import A1111
import Synchronization

/// Some servers that render do not tell what they are set to, and are there all the same. One that has told it has lost its
/// API when it does not tell it any more.
final class ServerRecord: Sendable {
    private let known = Mutex((hasOptions: false, hasRendered: false))

    func hasOptions() { known.withLock { $0.hasOptions = true } }
    func hasRendered() { known.withLock { $0.hasRendered = true } }

    /// Whether it has rendered something.
    var isRenderer: Bool { known.withLock(\.hasRendered) }

    /// What an answer to the question about its settings says against it.
    func obstacle(_ found: Failure?) -> Failure? {
        guard let found, found.isNotThere, known.withLock({ $0.hasRendered && !$0.hasOptions }) else { return found }
        return nil
    }
}
