import TestSupport
import Testing

@testable import Spool

/// A line that may change inside of an expectation.
private final class Waiting {
    private var line = TicketQueue()

    var count: Int { line.count }
    func insert(_ ticket: Ticket) -> Bool { line.insert(ticket) }
    func next() -> Ticket? { line.first.flatMap { line.remove($0) ? $0 : nil } }
    func remove(_ ticket: Ticket) -> Bool { line.remove(ticket) }
    func count(before ticket: Ticket) -> Int { line.count(before: ticket) }
}

@Suite struct TicketQueueTests {
    @Test("the lesser priority goes first, then the earlier arrival")
    func next() throws {
        let line = Waiting()
        let late = try Ticket.test("late", priority: 0, at: 9)
        let usual = try [Ticket.test("a", at: 1), Ticket.test("b", at: 2), Ticket.test("c", at: 3)]
        let last = try Ticket.test("last", priority: 9, at: 0)
        for ticket in [usual[1], last, usual[0], late, usual[2]] { #expect(line.insert(ticket)) }
        #expect(line.count == 5)
        var order: [Ticket] = []
        while let ticket = line.next() { order.append(ticket) }
        #expect(order == [late] + usual + [last])
        #expect(line.count == 0)
        #expect(line.next() == nil)
    }

    @Test("nobody stands in the line twice")
    func twice() throws {
        let line = Waiting()
        let tickets = try (1...3).map { try Ticket.test("x", at: $0) }
        for ticket in tickets { #expect(line.insert(ticket)) }
        for ticket in tickets { #expect(!line.insert(ticket)) }
        #expect(line.count == 3)
        #expect(line.next() == tickets[0])
        #expect(line.insert(tickets[0]))
        #expect(!line.insert(tickets[0]))
    }

    @Test("who comes back goes to the old place")
    func back() throws {
        let line = Waiting()
        let tickets = try (1...100).map { try Ticket.test("x", at: $0) }
        for ticket in tickets { #expect(line.insert(ticket)) }
        let taken = (0..<50).compactMap { _ in line.next() }
        #expect(taken == Array(tickets.prefix(50)))
        for ticket in taken.reversed() { #expect(line.insert(ticket)) }
        #expect((0..<100).compactMap { _ in line.next() } == tickets)
    }

    @Test("who is cancelled leaves, and only once")
    func remove() throws {
        let line = Waiting()
        let tickets = try (1...3).map { try Ticket.test("x", at: $0) }
        for ticket in tickets { #expect(line.insert(ticket)) }
        #expect(line.remove(tickets[1]))
        #expect(!line.remove(tickets[1]))
        #expect(try !line.remove(Ticket.test("x", at: 4)))
        #expect(try !line.remove(Ticket.test("y", priority: 7, at: 1)))
        #expect(line.next() == tickets[0])
        #expect(!line.remove(tickets[0]))
        #expect(line.next() == tickets[2])
        #expect(line.next() == nil)
    }

    @Test("whatever is done to it, it is a sorted list without doubles", arguments: [3, 40, 400])
    func model(range: Int64) throws {
        var random = SeededGenerator()
        let line = Waiting()
        var model: [Ticket] = []
        for round in 0..<6_000 {
            let ticket = try Ticket.test(
                "x", priority: .random(in: 4...6, using: &random), at: .random(in: 0..<range, using: &random))
            // Times of growth and times of decline, so that lanes run empty and fill up again.
            let growing = (round / 500).isMultiple(of: 2)
            switch Int.random(in: 0..<10, using: &random) + (growing ? 3 : 0) {
            case ...4:
                #expect(line.next() == (model.isEmpty ? nil : model.removeFirst()))
            case 5:
                let place = model.firstIndex(of: ticket)
                #expect(line.remove(ticket) == (place != nil))
                if let place { model.remove(at: place) }
            default:
                #expect(line.insert(ticket) == !model.contains(ticket))
                if !model.contains(ticket) {
                    model.append(ticket)
                    model.sort()
                }
            }
            #expect(line.count == model.count)
            #expect(line.count(before: ticket) == model.count { $0 < ticket })
        }
        #expect((0..<model.count).compactMap { _ in line.next() } == model)
    }

    @Test("a hundred thousand pass through it in order")
    func many() throws {
        let name = try Ticket.test("x").name
        var line = TicketQueue()
        let tickets = (0..<100_000).map {
            Ticket(priority: UInt8($0 % 3), arrival: Timestamp(microseconds: Int64($0)), name: name)
        }
        var entered = 0
        for ticket in tickets where line.insert(ticket) { entered += 1 }
        #expect(entered == tickets.count)
        var left: [Ticket] = []
        while let ticket = line.first, line.remove(ticket) {
            // Every tenth is put back once, as after a restart of the server.
            if left.count.isMultiple(of: 10), line.insert(ticket) { _ = line.remove(ticket) }
            left.append(ticket)
        }
        #expect(left == tickets.sorted())
    }
}
