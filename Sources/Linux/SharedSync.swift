// Many who wait for the disk at the same moment wait for one sync.

import Synchronization

/// Makes overlapping syncs of one thing one: a sync that begins behind a caller's arrival covers all that the caller did
/// before. One that fails covers nobody, and each who waited makes one of its own, so that nobody misses the error.
final class SharedSync: Sendable {
    private struct Rounds {
        /// Syncs that have begun, and the last one that has succeeded.
        var begun = 0
        var done = 0
    }
    private let rounds = Mutex(Rounds())
    /// Held while a sync runs.
    private let turn = Mutex(())

    /// Returns when a sync that began behind the call has succeeded, its own or somebody else's.
    func run(_ sync: () throws(SystemError) -> Void) throws(SystemError) {
        let first = rounds.withLock { $0.begun + 1 }
        try turn.withLock { (_) throws(SystemError) in
            guard rounds.withLock({ $0.done < first }) else { return }
            let round = rounds.withLock { rounds in
                rounds.begun += 1
                return rounds.begun
            }
            try sync()
            rounds.withLock { $0.done = round }
        }
    }
}
