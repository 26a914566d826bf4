// Who has the spool.

import Foundation
import Linux

/// The daemon that serves a spool, as it wrote itself into the lock.
public struct Holder: Codable, Sendable, CustomStringConvertible {
    let pid: Int32
    let host: String
    let since: String

    /// This process, from now on.
    public static var this: Holder {
        let process = ProcessInfo.processInfo
        return Holder(pid: process.processIdentifier, host: process.hostName, since: Stamp.now.iso8601)
    }

    /// For the person who tried to be the second.
    public var description: String { "process \(pid) on \(host) since \(since)" }
}

extension Folders {
    /// Whether the lock could be taken.
    public enum LockOutcome: Sendable {
        /// Ours for as long as the object lives.
        case held(FileLock)
        /// Somebody else's, in plain words.
        case taken(by: String)
    }

    /// Makes sure that one daemon serves the spool.
    public func lock(for holder: Holder) throws -> LockOutcome {
        switch try FileLock.take(Self.lock, in: root, note: JSONEncoder().encode(holder)) {
        case .held(let lock): return .held(lock)
        case .taken(let note):
            let other = try? JSONDecoder().decode(Holder.self, from: note)
            return .taken(by: other.map(String.init(describing:)) ?? "another process")
        }
    }

    /// Lays down PAUSE, with the reason in it.
    public func pause(because reason: String) throws {
        try root.putWhole(Data("\(Stamp.now.iso8601) \(reason)\n".utf8), as: Self.pause)
    }
}
