// What people do by hand while the daemon runs: put a held job back into queue/, lay down PAUSE and take it away.

import Linux
import Synchronization

/// The moves into queue/ that the daemon makes itself, so that it does not take them for somebody's.
final class ExpectedMoves: Sendable {
    private let names = Mutex<Set<FileName>>([])

    /// A move to `name` in queue/ is about to be made by us.
    func expect(_ name: FileName) { names.withLock { _ = $0.insert(name) } }
    /// True where the move to `name` was ours; each counts once.
    func isOwn(_ name: FileName) -> Bool { names.withLock { $0.remove(name) != nil } }
    /// Events were lost: what is still expected may never be told.
    func forget() { names.withLock { $0 = [] } }
}

/// Tells of changes in queue/, of PAUSE, and of the folders themselves.
package final class ManualChangeWatcher: Sendable {
    /// What somebody did.
    package enum Change: Sendable {
        /// A job was put into the queue.
        case queued(Ticket)
        /// PAUSE came or went.
        case paused(Bool)
        /// Folders were moved, deleted or made, or all of them were looked at.
        case folders(DirectoryRefresh)
    }

    private let spool: Spool
    private let inotify: Inotify
    private struct Watches {
        var root: Inotify.Watch
        var queue: Inotify.Watch
        /// That `queue` is of.
        var queueFolder: Directory
    }
    private let watches: Mutex<Watches>

    /// Arms the watches: what is done from now on is told.
    package init(_ spool: Spool, _ inotify: Inotify) throws(SystemError) {
        self.spool = spool
        self.inotify = inotify
        // Moves made before, such as those of recovery, are never told: expected still, they would hide somebody's.
        spool.ownMoves.forget()
        let queue = spool.queue
        watches = Mutex(
            Watches(
                root: try Self.watchRoot(spool, inotify), queue: try Self.watch(queue, inotify), queueFolder: queue))
    }

    /// Watches what could not be watched when it was asked for. What was done before is told by ``everything()``.
    package func arm() throws(SystemError) {
        let now = watches.withLock { $0 }
        if !now.root.isArmed {
            let watch = try Self.watchRoot(spool, inotify)
            watches.withLock { $0.root = watch }
        }
        if !now.queue.isArmed {
            let watch = try Self.watch(now.queueFolder, inotify)
            watches.withLock { $0.queue = watch }
        }
    }

    private static func watchRoot(_ spool: Spool, _ inotify: Inotify) throws(SystemError) -> Inotify.Watch {
        try inotify.watch(spool.root, for: [.created, .movedIn, .movedOut, .deleted])
    }

    /// The kernel merges an event with an equal one right before it. A name comes back only after it has gone, and to be
    /// told that, too, keeps two comings apart.
    private static func watch(_ queue: Directory, _ inotify: Inotify) throws(SystemError) -> Inotify.Watch {
        try inotify.watch(queue, for: [.movedIn, .written, .movedOut, .deleted])
    }

    /// Whether PAUSE lies in the spool.
    package func isPaused() throws(SystemError) -> Bool { try PauseFile(spool).isLaidDown() }

    /// Whether an event is of what is watched here.
    package func owns(_ event: Inotify.Event) -> Bool {
        watches.withLock { event.watch == $0.root || event.watch == $0.queue }
    }

    /// What has been done, told by events that are ours.
    package func changes(_ events: [Inotify.Event]) throws(SystemError) -> [Change] {
        let root = watches.withLock { $0.root }
        var changes: [Change] = []
        for event in events {
            guard let name = event.name else { continue }
            if event.watch != root {
                guard !event.kind.isDisjoint(with: [.movedIn, .written]), let ticket = Ticket(entry: name) else {
                    continue
                }
                if !spool.ownMoves.isOwn(name) { changes.append(.queued(ticket)) }
            } else if name == SpoolNames.pause {
                changes.append(.paused(try isPaused()))
            } else if spool.isPlace(name) {
                changes.append(.folders(refresh()))
            }
        }
        return changes
    }

    /// All that is there, where events were lost or nobody tells of them.
    package func everything() throws(SystemError) -> [Change] {
        spool.ownMoves.forget()
        let refresh = refresh()
        spool.remains.sweep(spool.active)
        return try [.folders(refresh)] + Listing(spool).waiting().map(Change.queued) + [.paused(isPaused())]
    }

    private func refresh() -> DirectoryRefresh {
        var refresh = spool.renew()
        let before = watches.withLock { $0 }
        let queue = spool.queue
        guard queue !== before.queueFolder else { return refresh }
        do throws(SystemError) {
            let watch = try Self.watch(queue, inotify)
            watches.withLock { ($0.queue, $0.queueFolder) = (watch, queue) }
            inotify.forget(before.queue)
        } catch {
            // The next look tries it again.
            refresh.trouble = refresh.trouble ?? error
        }
        return refresh
    }
}
