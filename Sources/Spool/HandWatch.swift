// What people do by hand while the daemon runs: put a held job back into queue/, lay down PAUSE and take it away.

import Linux
import Synchronization

/// The moves into queue/ that the daemon makes itself, so that it does not take them for somebody's.
final class OwnMoves: Sendable {
    private let names = Mutex<Set<FileName>>([])

    /// A move to `name` in queue/ is about to be made by us.
    func expect(_ name: FileName) { names.withLock { _ = $0.insert(name) } }
    /// True where the move to `name` was ours; each counts once.
    func isOwn(_ name: FileName) -> Bool { names.withLock { $0.remove(name) != nil } }
    /// Events were lost: what is still expected may never be told.
    func forget() { names.withLock { $0 = [] } }
}

extension Folders {
    /// Whether PAUSE lies in the spool.
    public func isPaused() throws(SystemError) -> Bool { try root.status(of: Self.pause) != nil }
}

/// Tells of changes in queue/, of PAUSE, and of the folders themselves.
public final class HandWatch: Sendable {
    /// What somebody did.
    public enum Change: Sendable {
        /// A job was put into the queue.
        case queued(Ticket)
        /// PAUSE came or went.
        case paused(Bool)
        /// Folders were moved, deleted or made, or all of them were looked at.
        case folders(Renewal)
    }

    private let folders: Folders
    private let inotify: Inotify
    private let rootWatch: Inotify.Watch
    /// With the folder that it is of.
    private let queueWatch: Mutex<(watch: Inotify.Watch, queue: Directory)>

    /// Arms the watches: what is done from now on is told.
    public init(_ folders: Folders, _ inotify: Inotify) throws(SystemError) {
        self.folders = folders
        self.inotify = inotify
        // Moves made before, such as those of recovery, are never told: expected still, they would hide somebody's.
        folders.ownMoves.forget()
        let queue = folders.queue
        queueWatch = Mutex((try Self.watch(queue, inotify), queue))
        rootWatch = try inotify.watch(folders.root, for: [.created, .movedIn, .movedOut, .deleted])
    }

    /// The kernel merges an event with an equal one right before it. A name comes back only after it has gone, and to be
    /// told that, too, keeps two comings apart.
    private static func watch(_ queue: Directory, _ inotify: Inotify) throws(SystemError) -> Inotify.Watch {
        try inotify.watch(queue, for: [.movedIn, .written, .movedOut, .deleted])
    }

    /// Whether PAUSE lies in the spool.
    public func isPaused() throws(SystemError) -> Bool { try folders.isPaused() }

    /// Whether an event is of what is watched here.
    public func owns(_ event: Inotify.Event) -> Bool {
        event.watch == rootWatch || event.watch == queueWatch.withLock { $0.watch }
    }

    /// What has been done, told by events that are ours.
    public func changes(_ events: [Inotify.Event]) throws(SystemError) -> [Change] {
        var changes: [Change] = []
        for event in events {
            guard let name = event.name else { continue }
            if event.watch != rootWatch {
                guard !event.kind.isDisjoint(with: [.movedIn, .written]), let ticket = Ticket(entry: name) else {
                    continue
                }
                if !folders.ownMoves.isOwn(name) { changes.append(.queued(ticket)) }
            } else if name == Folders.pause {
                changes.append(.paused(try isPaused()))
            } else if folders.isPlace(name) {
                changes.append(.folders(renewal()))
            }
        }
        return changes
    }

    /// All that is there, where events were lost or nobody tells of them.
    public func everything() throws(SystemError) -> [Change] {
        folders.ownMoves.forget()
        let renewal = renewal()
        return try [.folders(renewal)] + folders.waiting().map(Change.queued) + [.paused(isPaused())]
    }

    private func renewal() -> Renewal {
        var renewal = folders.renew()
        let (old, watched) = queueWatch.withLock { $0 }
        let queue = folders.queue
        guard queue !== watched else { return renewal }
        do throws(SystemError) {
            let watch = try Self.watch(queue, inotify)
            queueWatch.withLock { $0 = (watch, queue) }
            inotify.forget(old)
        } catch {
            // The next look tries it again.
            renewal.trouble = renewal.trouble ?? error
        }
        return renewal
    }
}
