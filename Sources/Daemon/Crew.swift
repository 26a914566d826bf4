// Who may take the next job: the workers of all servers, and how much each has in hand.

import Spool

/// Which worker it is: of which server, for which lanes.
struct Seat: Hashable, Sendable {
    /// The server's URL.
    let server: String
    let kind: Lane.Kind
}

/// Decides whose turn it is. A server gets its second job before its first has ended only where no other has none: two
/// jobs at two servers are rendered at once.
struct Crew {
    private struct Hands {
        /// So many requests are with the server at once.
        var limit: Int
        /// Taken, and in no flight yet.
        var ready = 0
        /// In a flight that has not left yet.
        var boarding = 0
        /// Sent and not answered yet.
        var sent = 0
        /// Answered, and not in done/ or failed/ yet.
        var behind = 0
        /// Ready to be sent although the server has its share: they are sent the moment an answer comes.
        var ahead = 0
        /// Whether it answers. What is not known is hoped.
        var isThere = true

        /// Taken and not answered yet.
        var load: Int { ready + boarding + sent }

        /// Of a server that is to show whether it answers again one request is enough.
        var room: Int {
            guard isThere else { return 1 - load }
            return limit + ahead - load
        }
    }
    private var hands: [Seat: Hands] = [:]

    /// Results that wait for the disk; more would only be memory.
    private static let behindLimit = 32
    /// What is made ready cannot be overtaken by what is more urgent.
    private static let aheadLimit = 14

    mutating func add(_ seat: Seat, limit: Int) { hands[seat] = Hands(limit: limit) }

    /// How many jobs it may take now. One that nobody seated takes one after the other.
    func room(_ seat: Seat) -> Int {
        guard let own = hands[seat] else { return 1 }
        return own.behind < Self.behindLimit ? max(0, own.room) : 0
    }

    /// Whether it may take a job that others could take, too.
    func isTurn(_ seat: Seat) -> Bool {
        guard let own = hands[seat] else { return true }
        return !hands.contains { other, hands in
            other.kind == seat.kind && hands.isThere && hands.load < min(own.load, hands.limit)
        }
    }

    /// How many of its jobs are with its server, or about to be.
    func count(at seat: Seat) -> Int { hands[seat].map { $0.boarding + $0.sent } ?? 0 }

    /// Whether another flight may get ready to leave: one after the other, so that they leave in order.
    func mayBoard(_ seat: Seat) -> Bool {
        guard let own = hands[seat] else { return true }
        return own.boarding == 0 && own.sent < own.limit
    }

    mutating func took(_ seat: Seat) { hands[seat]?.ready += 1 }

    /// A job that was taken is in a flight.
    mutating func boarded(_ seat: Seat) {
        hands[seat]?.ready -= 1
        hands[seat]?.boarding += 1
    }

    /// The flight has left: its job is with the server.
    mutating func left(_ seat: Seat) {
        hands[seat]?.boarding -= 1
        hands[seat]?.sent += 1
    }

    /// A job was answered, and what comes of it is on its way to the disk.
    mutating func answered(_ seat: Seat) {
        hands[seat]?.sent -= 1
        hands[seat]?.behind += 1
    }

    /// That is done.
    mutating func ended(_ seat: Seat) { hands[seat]?.behind -= 1 }

    /// A job that was taken is not sent.
    mutating func returned(_ seat: Seat) { hands[seat]?.ready -= 1 }

    mutating func setAhead(_ seat: Seat, _ count: Int) { hands[seat]?.ahead = min(count, Self.aheadLimit) }
    /// See ``Hands``.
    func ahead(_ seat: Seat) -> Int { hands[seat]?.ahead ?? 0 }
    mutating func setLimit(_ seat: Seat, _ limit: Int) { hands[seat]?.limit = limit }
    /// See ``Hands``.
    func limit(_ seat: Seat) -> Int { hands[seat]?.limit ?? 1 }

    mutating func setThere(_ server: String, _ isThere: Bool) {
        for seat in hands.keys where seat.server == server { hands[seat]?.isThere = isThere }
    }
}
