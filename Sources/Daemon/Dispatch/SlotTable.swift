// Who may take the next job: the dispatchers of all servers, and how much each has in hand.

import Spool

/// Which dispatcher it is: of which server, for which job classes.
struct SlotKey: Hashable, Sendable {
    /// The server's URL.
    let server: String
    let kind: JobClass.Kind
}

/// Decides whose turn it is. A server gets its second job before its first has ended only where no other has none: two
/// jobs at two servers are rendered at once.
struct SlotTable {
    private struct Slots {
        /// So many requests are with the server at once.
        var limit: Int
        /// Taken, and in no attempt yet.
        var reserved = 0
        /// In an attempt that has not left yet.
        var beforeSend = 0
        /// Sent and not answered yet.
        var atServer = 0
        /// Answered, and not in done/ or failed/ yet.
        var unpublished = 0
        /// Whether it answers. What is not known is hoped.
        var isUp = true

        /// Taken and not answered yet.
        var load: Int { reserved + beforeSend + atServer }

        /// Of a server that is to show whether it answers again one request is enough.
        var room: Int {
            guard isUp else { return 1 - load }
            return limit - load
        }
    }
    private var slots: [SlotKey: Slots] = [:]

    /// Results that wait for the disk; more would only be memory.
    private static let unpublishedLimit = 32

    mutating func add(_ slot: SlotKey, limit: Int) { slots[slot] = Slots(limit: limit) }

    /// How many jobs it may take now. One that nobody seated takes one after the other.
    func room(_ slot: SlotKey) -> Int {
        guard let own = slots[slot] else { return 1 }
        return own.unpublished < Self.unpublishedLimit ? max(0, own.room) : 0
    }

    /// Whether it may take a job that others could take, too.
    func isTurn(_ slot: SlotKey) -> Bool {
        guard let own = slots[slot] else { return true }
        return !slots.contains { other, slots in
            other.kind == slot.kind && slots.isUp && slots.load < min(own.load, slots.limit)
        }
    }

    /// How many of its jobs are with its server, or about to be.
    func count(at slot: SlotKey) -> Int { slots[slot].map { $0.beforeSend + $0.atServer } ?? 0 }

    /// Whether another attempt may get ready to leave: one after the other, so that they leave in order.
    func mayStart(_ slot: SlotKey) -> Bool {
        guard let own = slots[slot] else { return true }
        return own.beforeSend == 0 && own.atServer < own.limit
    }

    mutating func reserve(_ slot: SlotKey) { slots[slot]?.reserved += 1 }

    /// A job that was taken is in an attempt.
    mutating func starting(_ slot: SlotKey) {
        slots[slot]?.reserved -= 1
        slots[slot]?.beforeSend += 1
    }

    /// The attempt has left: its job is with the server.
    mutating func sent(_ slot: SlotKey) {
        slots[slot]?.beforeSend -= 1
        slots[slot]?.atServer += 1
    }

    /// A job was answered, and what comes of it is on its way to the disk.
    mutating func publishing(_ slot: SlotKey) {
        slots[slot]?.atServer -= 1
        slots[slot]?.unpublished += 1
    }

    /// That is done.
    mutating func released(_ slot: SlotKey) { slots[slot]?.unpublished -= 1 }

    /// A job that was taken is not sent.
    mutating func cancelled(_ slot: SlotKey) { slots[slot]?.reserved -= 1 }

    mutating func setLimit(_ slot: SlotKey, _ limit: Int) { slots[slot]?.limit = limit }
    /// See ``Slots``.
    func limit(_ slot: SlotKey) -> Int { slots[slot]?.limit ?? 1 }

    mutating func setUp(_ server: String, _ isUp: Bool) {
        for slot in slots.keys where slot.server == server { slots[slot]?.isUp = isUp }
    }
}
