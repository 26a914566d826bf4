// What people do by hand while the daemon runs: put a held job back into queue/, lay down PAUSE and take it away.

@preconcurrency import Dispatch
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

/// Tells of changes in queue/ and of PAUSE.
public final class HandWatch: Sendable {
    /// What somebody did.
    public enum Change: Sendable {
        /// A job was put into the queue.
        case queued(Ticket)
        /// PAUSE came or went.
        case paused(Bool)
    }

    private let folders: Folders
    private let inotify: Inotify
    private let queueWatch: Inotify.Watch

    /// Arms the watches: what is done from now on is told.
    public init(_ folders: Folders) throws(SystemError) {
        self.folders = folders
        inotify = try Inotify()
        // Moves made before, such as those of recovery, are never told: expected still, they would hide somebody's.
        folders.ownMoves.forget()
        // The kernel merges an event with an equal one right before it. A name comes back only after it has gone, and
        // to be told that, too, keeps two comings apart.
        queueWatch = try inotify.watch(folders.queue, for: [.movedIn, .written, .movedOut, .deleted])
        _ = try inotify.watch(folders.root, for: [.created, .movedIn, .movedOut, .deleted])
    }

    /// Runs `wake` when there may be something to collect.
    public func source(on queue: DispatchQueue, wake: @escaping @Sendable () -> Void) -> any DispatchSourceRead {
        inotify.source(on: queue, wake: wake)
    }

    /// Whether PAUSE lies in the spool.
    public func isPaused() throws(SystemError) -> Bool { try folders.root.status(of: Folders.pause) != nil }

    /// What has been done since the last call.
    ///
    /// - Parameter all: that call threw an error: all that lies there is told.
    public func collect(all: Bool = false) throws(SystemError) -> [Change] {
        var changes: [Change] = []
        let events = try inotify.read()
        if all || events.contains(where: { $0.kind.contains(.overflow) }) {
            folders.ownMoves.forget()
            return try folders.waiting().map(Change.queued) + [.paused(isPaused())]
        }
        for event in events {
            if event.watch == queueWatch {
                guard !event.kind.isDisjoint(with: [.movedIn, .written]), let name = event.name,
                    let ticket = Ticket(entry: name)
                else {
                    continue
                }
                if !folders.ownMoves.isOwn(name) { changes.append(.queued(ticket)) }
            } else if event.name == Folders.pause {
                changes.append(.paused(try isPaused()))
            }
        }
        return changes
    }
}
