// Does a daemon serve the spool? Asked through the folder alone, also over a share.

import Foundation
import Linux

/// Whether a daemon is alive.
package enum DaemonLiveness: Hashable, Sendable {
    /// It holds the lock, or its status is young; in plain words who it is.
    case alive(String)
    /// Nobody serves the spool.
    case none
    /// Its last word is older than it should be, and the lock cannot tell, for the spool lies on a share.
    case silent(seconds: Int64)

    /// How often a daemon that has nothing to tell renews its status, in seconds.
    package static let interval: Int64 = 60

    /// - Parameters:
    ///   - holder: of the lock; `nil` where it is free.
    ///   - age: of the status, in seconds; `nil` where there is none.
    ///   - isStopped: the status says that the daemon has ended.
    ///   - isShared: other machines' locks may not be seen here.
    init(owner: String?, age: Int64?, isStopped: Bool, isShared: Bool) {
        if let owner {
            self = .alive(owner)
        } else if isShared, let age, !isStopped {
            self = age <= Self.interval * 5 / 2 ? .alive("another machine") : .silent(seconds: age)
        } else {
            self = .none
        }
    }
}

extension StatusFiles {
    /// Whether a daemon serves the spool.
    package func liveness(at now: Timestamp = .now) throws(SystemError) -> DaemonLiveness {
        let age = try spool.root.status(of: SpoolNames.status).map {
            (now.microseconds - $0.modified / 1000) / 1_000_000
        }
        return DaemonLiveness(
            owner: try SpoolLock(spool).owner(), age: age, isStopped: try snapshot()?.state == "stopped",
            isShared: try spool.root.filesystem().isShared)
    }

    /// Seconds since the daemon's last word; `nil` where it never had one.
    package func heartbeatAge(at now: Timestamp = .now) throws(SystemError) -> Int64? {
        try spool.root.status(of: SpoolNames.status).map { max(0, (now.microseconds - $0.modified / 1000) / 1_000_000) }
    }
}
