// What tickets have become.

import Linux
import Spool
import Testing

@testable import Gateway

@Suite struct TicketAliasesTests {
    private static func ticket(_ number: Int) throws -> Ticket {
        let digits = String(1_000_000 + number).dropFirst()
        return try #require(
            FileName(bytes: "5-20261123T151042.\(digits)Z.cat".utf8).flatMap(Ticket.init(entry:)))
    }

    @Test("a job is found by each ticket that it had, also when it has moved back, and others are themselves")
    func moves() throws {
        let tickets = try (0..<4).map(Self.ticket)
        var moves = TicketAliases()
        #expect(moves.current(tickets[0]) == tickets[0])
        moves.record(tickets[0], tickets[1])
        moves.record(tickets[1], tickets[2])
        #expect(tickets.map(moves.current) == [tickets[2], tickets[2], tickets[2], tickets[3]])
        moves.record(tickets[2], tickets[0])
        #expect(tickets.map(moves.current) == [tickets[0], tickets[0], tickets[0], tickets[3]])
        moves.record(tickets[3], tickets[3])
        #expect(moves.current(tickets[3]) == tickets[3])
    }

    @Test("of very many moves the latest are known")
    func many() throws {
        var moves = TicketAliases(limit: 10)
        let tickets = try (0..<1000).map(Self.ticket)
        for (old, new) in zip(tickets, tickets.dropFirst()) { moves.record(old, new) }
        #expect(tickets.suffix(5).map(moves.current) == Array(repeating: tickets[999], count: 5))
        #expect(moves.current(tickets[0]) == tickets[0])
    }
}
