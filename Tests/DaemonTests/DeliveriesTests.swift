import Spool
import Testing

@testable import Daemon

@Suite("Which message is next") struct DeliveriesTests {
    private let start = ContinuousClock.now

    @Test("a receiver that takes them gets them one after the other, and then there is nothing to do")
    func inOrder() throws {
        let tickets = try (10..<13).map { try QueueTests.ticket(5, $0) }
        var deliveries = Deliveries()
        #expect(deliveries.next(now: start) == .nothing)
        for ticket in tickets { deliveries.add(ticket, to: "a", now: start) }
        for ticket in tickets {
            #expect(deliveries.next(now: start) == .send(ticket, to: "a"))
            deliveries.isOver(with: "a", now: start)
        }
        #expect(deliveries.next(now: start) == .nothing)
    }

    @Test("a receiver that takes none is left alone for 5 s, doubling to 10 min, and others do not wait for it")
    func away() throws {
        let tickets = try (10..<13).map { try QueueTests.ticket(5, $0) }
        var deliveries = Deliveries()
        deliveries.add(tickets[0], to: "a", now: start)
        deliveries.add(tickets[1], to: "a", now: start)
        var now = start
        var waits: [Int64] = []
        for _ in 0..<9 {
            let wait = deliveries.failed("a", now: now)
            waits.append(wait.components.seconds)
            #expect(deliveries.next(now: now) == .wait(until: now + wait))
            deliveries.add(tickets[2], to: "b", now: now)
            #expect(deliveries.next(now: now) == .send(tickets[2], to: "b"))
            deliveries.isOver(with: "b", now: now)
            now += wait
        }
        #expect(waits == [5, 10, 20, 40, 80, 160, 320, 600, 600])
        // The one behind it was tried in between: nine failures, by turns.
        #expect(deliveries.next(now: now) == .send(tickets[1], to: "a"))
        deliveries.isOver(with: "a", now: now)
        #expect(deliveries.next(now: now) == .send(tickets[0], to: "a"))
        #expect(deliveries.failed("a", now: now) == .seconds(5), "it has taken one")
    }

    @Test(
        "an answer says whether to try again",
        arguments: [
            (200, Reception.taken), (204, .taken), (299, .taken), (301, .never), (307, .never), (400, .never),
            (401, .never), (404, .never), (410, .never), (422, .never), (408, .later), (425, .later), (429, .later),
            (500, .later), (503, .later), (599, .later),
        ])
    func receptions(status: Int, reception: Reception) {
        #expect(Reception(status: status) == reception)
    }
}
