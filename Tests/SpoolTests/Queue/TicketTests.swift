import Linux
import TestSupport
import Testing

@testable import Spool

@Suite struct TicketTests {
    @Test("a ticket is written as priority, arrival and name")
    func text() throws {
        let ticket = try Ticket.test("cat", priority: 3, at: 1_795_446_642_123_456)
        #expect(ticket.description == "3-20261123T151042.123456Z.cat")
        #expect(ticket.file == "3-20261123T151042.123456Z.cat.json")
        #expect(ticket.folder == "3-20261123T151042.123456Z.cat")
    }

    @Test("the order of tickets is the order of their texts, so `ls` shows the queue")
    func order() throws {
        var random = SeededGenerator()
        let jobs = ["a", "b", "B", "ä", "a\u{308}", "a.b", "a b", "10", "9", "~", "%ff"]
        var tickets: [Ticket] = []
        for _ in 0..<2_000 {
            let ticket = try Ticket.test(
                #require(jobs.randomElement(using: &random)), priority: .random(in: 0...9, using: &random),
                at: .random(in: 0...50, using: &random) * 333_333)
            tickets.append(ticket)
            #expect(Ticket(entry: ticket.file) == ticket)
            #expect(Ticket(entry: ticket.folder) == ticket)
        }
        for (one, other) in zip(tickets, tickets.shuffled(using: &random)) {
            #expect((one < other) == (one.folder < other.folder))
        }
        #expect(tickets.sorted().map(\.folder) == tickets.map(\.folder).sorted())
    }

    @Test(
        "what the spool has not named is no ticket",
        arguments: [
            "cat.json", "5-20261123T151042.123456Z", "5-20261123T151042.123456Z.",
            "5-20261123T151042.123456Z..json", "5-20261123T151042.123456Z..cat.json",
            "a-20261123T151042.123456Z.cat.json",
            "10-20261123T151042.123456Z.cat.json", "5_20261123T151042.123456Z.cat.json",
            "5-20261123T151042.123456Zxcat.json", "5-20261123T151042.12345Z.cat.json",
            "5-20261123T151042.+12345Z.a.json",
            "5-20260230T000000.000000Z.cat.json", "5-00010101T000000.000001Z.cat.json",
            "5-20261123T151042.123456Z.con.json", "5-20261123T151042.123456Z.a:b.json",
            "5-20261123T151042.123456Z.cat.json.json", "55-20261123T151042.123456Z.", ".5-20261123T151042.123456Z.cat",
        ])
    func noTicket(text: String) throws {
        #expect(Ticket(entry: try name(text)) == nil)
    }

    @Test("a name that is not UTF-8 is no ticket")
    func bytes() throws {
        let prefix = Array("5-20261123T151042.123456Z.".utf8)
        let entry = try #require(FileName(bytes: prefix + [0xff] + Array(".json".utf8)))
        #expect(Ticket(entry: entry) == nil)
        let head = try #require(FileName(bytes: [0xff] + prefix.dropFirst() + Array("cat.json".utf8)))
        #expect(Ticket(entry: head) == nil)
    }
}
