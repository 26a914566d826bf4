import Spool
import Testing

@testable import Daemon

@Suite("Which message is next") struct CallbackScheduleTests {
    private let start = ContinuousClock.now

    @Test("a receiver that takes them gets them one after the other, and then there is nothing to do")
    func inOrder() throws {
        let tickets = try (10..<13).map { try JobQueueTests.ticket(5, $0) }
        var schedule = CallbackSchedule()
        #expect(schedule.next(now: start) == .nothing)
        for ticket in tickets { schedule.add(ticket, to: "a", now: start) }
        for ticket in tickets {
            #expect(schedule.next(now: start) == .send(ticket, to: "a"))
            schedule.isOver(with: "a", now: start)
        }
        #expect(schedule.next(now: start) == .nothing)
    }

    @Test("a receiver that takes none is left alone for 5 s, doubling to 10 min, and others do not wait for it")
    func away() throws {
        let tickets = try (10..<13).map { try JobQueueTests.ticket(5, $0) }
        var schedule = CallbackSchedule()
        schedule.add(tickets[0], to: "a", now: start)
        schedule.add(tickets[1], to: "a", now: start)
        var now = start
        var waits: [Int64] = []
        for _ in 0..<9 {
            let wait = schedule.failed("a", now: now)
            waits.append(wait.components.seconds)
            #expect(schedule.next(now: now) == .wait(until: now + wait))
            schedule.add(tickets[2], to: "b", now: now)
            #expect(schedule.next(now: now) == .send(tickets[2], to: "b"))
            schedule.isOver(with: "b", now: now)
            now += wait
        }
        #expect(waits == [5, 10, 20, 40, 80, 160, 320, 600, 600])
        // The one behind it was tried in between: nine failures, by turns.
        #expect(schedule.next(now: now) == .send(tickets[1], to: "a"))
        schedule.isOver(with: "a", now: now)
        #expect(schedule.next(now: now) == .send(tickets[0], to: "a"))
        #expect(schedule.failed("a", now: now) == .seconds(5), "it has taken one")
    }

    @Test(
        "an answer says whether to try again",
        arguments: [
            (200, DeliveryResult.taken), (204, .taken), (299, .taken), (301, .never), (307, .never), (400, .never),
            (401, .never), (404, .never), (410, .never), (422, .never), (408, .later), (425, .later), (429, .later),
            (500, .later), (503, .later), (599, .later),
        ])
    func receptions(status: Int, deliveryResult: DeliveryResult) {
        #expect(DeliveryResult(status: status) == deliveryResult)
    }
}
