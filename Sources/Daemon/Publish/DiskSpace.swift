// A disk without room for a result: one render finds that out at most. From then on a job is sent only when what it will
// need is free; larger ones wait beside the queue, and smaller ones go.

import A1111
import Glibc
import Linux
import Spool
import Synchronization

/// Who waits for room on the disk of the spool. Blocks on the disk where it is asked; its own looks are made once a second,
/// on a thread of their own, and only while somebody waits.
final class DiskSpace: Sendable {
    private struct State {
        var needs = SpaceEstimate()
        /// The disk has refused a result since there was last room for twice the largest one.
        var isShort = false
        /// What it said then.
        var cause = ""
        /// While room is short: what is known of single jobs, whose results came and were lost.
        var own: [Ticket: Int] = [:]
        /// What those that are under way will need.
        var reserved: [Ticket: Int] = [:]
        /// Jobs that are not in the queue's lines until there is room for them.
        var waiting: [Ticket: (jobClass: JobClass, need: Int)] = [:]
        /// Jobs whose answers are held by their servers.
        var holding: Set<Ticket> = []
        var isWatched = false
        /// It was told that this one waits, and not yet that nobody does.
        var told: Ticket?

        /// What those that are under way will need together.
        var taken: Int { reserved.values.reduce(0, +) }
    }
    private let state = Mutex(State())
    private let spool: Spool
    private let queue: JobQueue
    private let emit: @Sendable (Event) -> Void

    init(_ spool: Spool, _ queue: JobQueue, emit: @escaping @Sendable (Event) -> Void) {
        self.spool = spool
        self.queue = queue
        self.emit = emit
    }

    /// Whether a job may be sent. One that may not waits here, and comes back into its job class when there is room.
    ///
    /// - Parameter pixels: of its request; read only where room is short.
    func admits(_ ticket: Ticket, from jobClass: JobClass, pixels: () -> Int?) -> Bool {
        guard isShort() else { return true }
        let pixels = pixels()
        let (need, taken) = state.withLock { state in
            (state.own[ticket] ?? state.needs.bytes(for: pixels), state.taken)
        }
        if isFree(taken + need) {
            state.withLock { $0.reserved[ticket] = need }
            return true
        }
        setAside(ticket, jobClass, need)
        return false
    }

    /// Whether the answer of a job may be read. One that may not stays with its server, and others that need as much are not
    /// sent; where too many stay there, ``NoSpace`` is thrown, and the render is lost.
    ///
    /// - Parameter pixels: of its request.
    func admits(_ bytes: Int, of ticket: Ticket, pixels: Int?) throws -> Bool {
        let others = state.withLock { state in state.isShort ? state.taken - state.reserved[ticket, default: 0] : 0 }
        if hasFree(bytes + SpaceEstimate.documents), !state.withLock(\.isShort) || isFree(others + bytes) {
            state.withLock { state in
                state.holding.remove(ticket)
                if state.isShort { state.reserved[ticket] = bytes }
            }
            return true
        }
        let isNew = state.withLock { state -> Bool? in
            state.isShort = true
            state.needs.record(bytes, for: pixels)
            if state.holding.contains(ticket) { return false }
            guard state.holding.count < Self.mostHeld else { return nil }
            state.holding.insert(ticket)
            (state.own[ticket], state.told) = (bytes, ticket)
            return true
        }
        guard let isNew else {
            throw NoSpace(SystemError(call: "write", code: ENOSPC, path: spool.active.path), bytes: bytes)
        }
        if isNew { emit(.noSpace(ticket, bytes: bytes, reason: reason(for: bytes))) }
        return false
    }

    /// So many answers stay with their servers at once.
    private static let mostHeld = 8

    /// A result found no room. The job is back in the queue's folder, and waits here.
    func waitForSpace(_ ticket: Ticket, _ jobClass: JobClass, _ lack: NoSpace, pixels: Int?) {
        state.withLock { state in
            state.needs.record(lack.bytes, for: pixels)
            (state.own[ticket], state.cause, state.isShort) = (lack.bytes, "\(lack.cause)", true)
        }
        setAside(ticket, jobClass, lack.bytes)
    }

    /// A result has been published.
    func recordResult(_ bytes: Int, pixels: Int?) { state.withLock { $0.needs.record(bytes, for: pixels) } }

    /// A job is under way no more.
    func left(_ ticket: Ticket) {
        state.withLock { state in
            state.reserved[ticket] = nil
            state.holding.remove(ticket)
        }
        tellOfEnd()
    }

    // MARK: Waiting

    private func setAside(_ ticket: Ticket, _ jobClass: JobClass, _ need: Int) {
        let (isFirst, isNew) = state.withLock { state in
            state.reserved[ticket] = nil
            state.waiting[ticket] = (jobClass, need)
            defer { (state.told, state.isWatched) = (state.told ?? ticket, true) }
            return (state.told == nil, !state.isWatched)
        }
        if isFirst { emit(.noSpace(ticket, bytes: need, reason: reason(for: need))) }
        if isNew { Task(executorPreference: TaskQueueExecutor.shared) { await self.watch() } }
    }

    private func watch() async {
        repeat {
            // Nobody cancels it: it ends with the last who waits, or with the process.
            try? await TaskQueueExecutor.rest(for: Self.interval)
            try? await TaskQueueExecutor.blocking { [self] in requeueFitting() }
        } while state.withLock { state in
            state.isWatched = !state.waiting.isEmpty
            return state.isWatched
        }
    }

    private static let interval = Duration.seconds(1)
    /// So many are put back each time, for each costs a look at the disk.
    private static let most = 64

    /// Puts back those for which there is room, in their order; all of them, where it is short no more.
    private func requeueFitting() {
        let isShort = isShort()
        var (taken, tooLarge, count) = (state.withLock(\.taken), Int.max, 0)
        for (ticket, (jobClass, need)) in state.withLock(\.waiting).sorted(by: { $0.key < $1.key })
        where need < tooLarge {
            guard !isShort || isFree(taken + need) else {
                tooLarge = need
                continue
            }
            taken += need
            count += isShort ? 1 : 0
            state.withLock { $0.waiting[ticket] = nil }
            queue.requeue(ticket, to: jobClass)
            if count == Self.most { return }
        }
        tellOfEnd()
    }

    /// Where the one that was told of does not wait any more: the first that does is told of, or that none does.
    private func tellOfEnd() {
        let event = state.withLock { state -> (first: Ticket?, need: Int)? in
            guard let told = state.told, state.waiting[told] == nil, !state.holding.contains(told) else { return nil }
            state.told = (Array(state.waiting.keys) + state.holding).min()
            return (state.told, state.told.flatMap { state.waiting[$0]?.need ?? state.own[$0] } ?? 0)
        }
        guard let event else { return }
        guard let first = event.first else { return emit(.spaceAgain) }
        emit(.noSpace(first, bytes: event.need, reason: reason(for: event.need)))
    }

    // MARK: The disk

    /// Whether room is short; found out anew where it was.
    private func isShort() -> Bool {
        let (wasShort, wanted) = state.withLock { ($0.isShort, $0.taken + 2 * $0.needs.largest) }
        guard wasShort, isFree(wanted) else { return wasShort }
        state.withLock { ($0.isShort, $0.reserved, $0.own) = (false, [:], [:]) }
        return false
    }

    private func isFree(_ bytes: Int) -> Bool {
        guard hasFree(bytes + SpaceEstimate.documents) else { return false }
        // Quotas and the limit of a file's size show only where something is written.
        return (try? DiskProbe(spool).run(room: bytes + SpaceEstimate.documents)) != nil
    }

    /// What the filesystem says in bytes; `nil` where it says nothing, which is not held against it.
    private var free: Int? { try? spool.active.freeBytes() }

    private func hasFree(_ bytes: Int) -> Bool { free.map { $0 >= bytes } ?? true }

    private func reason(for bytes: Int) -> String {
        guard let free, free < bytes + SpaceEstimate.documents else { return state.withLock(\.cause) }
        return "\(spool.active.path) has \(free >> 10) KiB free"
    }
}
