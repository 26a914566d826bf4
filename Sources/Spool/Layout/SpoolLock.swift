// Who has the spool.

import Foundation
import Linux

/// The daemon that serves a spool, as it wrote itself into the lock.
package struct LockOwner: Codable, Sendable, CustomStringConvertible {
    let pid: Int32
    let host: String
    let since: String

    /// This process, from now on.
    package static var this: LockOwner {
        let process = ProcessInfo.processInfo
        return LockOwner(pid: process.processIdentifier, host: process.hostName, since: Timestamp.now.iso8601)
    }

    /// For the person who tried to be the second.
    package var description: String { "process \(pid) on \(host) since \(since)" }
}

/// The lock of a spool.
package struct SpoolLock: Sendable {
    let spool: Spool

    package init(_ spool: Spool) { self.spool = spool }

    /// Whether the lock could be taken.
    package enum Outcome: Sendable {
        /// Ours for as long as the object lives.
        case held(FileLock)
        /// Somebody else's, in plain words.
        case taken(by: String)
    }

    /// Makes sure that one daemon serves the spool.
    package func take(for owner: LockOwner) throws -> Outcome {
        let note = try JSONEncoder().encode(owner)
        var tries = 0
        while true {
            switch try FileLock.take(SpoolNames.lock, in: spool.root, note: note) {
            case .held(let lock): return .held(lock)
            case .taken(let note) where tries == 5: return .taken(by: Self.words(note))
            case .taken:
                // Somebody who only asks whether it is held (``owner()``) holds it for an instant.
                tries += 1
                usleep(20_000)
            }
        }
    }

    /// Who serves the spool, in plain words; `nil` where the lock is free. Over a share that passes no locks on (sshfs) it
    /// always seems free.
    package func owner() throws(SystemError) -> String? {
        try FileLock.note(SpoolNames.lock, in: spool.root).map(Self.words)
    }

    private static func words(_ note: Data) -> String {
        let other = try? JSONDecoder().decode(LockOwner.self, from: note)
        return other.map(String.init(describing:)) ?? "another process"
    }
}
