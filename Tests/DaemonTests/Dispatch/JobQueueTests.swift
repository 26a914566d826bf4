import Linux
import Spool
import Testing

@testable import Daemon

@Suite("The queue", .timeLimit(.minutes(60)))
struct JobQueueTests {
    static let slot = SlotKey(server: "http://a", kind: .renders)

    static func ticket(_ priority: Int, _ second: Int, _ name: String = "a") throws -> Ticket {
        let text = "\(priority)-20261123T1510\(second).000000Z.\(name)"
        return try #require(FileName(bytes: text.utf8).flatMap { Ticket(entry: $0) })
    }

    @Test("hands out in order of priority, then of arrival, however they came in")
    func order() async throws {
        let tickets = [try Self.ticket(3, 30), try Self.ticket(5, 10), try Self.ticket(5, 11), try Self.ticket(9, 10)]
        let queue = JobQueue()
        queue.add([tickets[3], tickets[1]])
        queue.add([tickets[2], tickets[0], tickets[1]])
        #expect(queue.waiting.count == 4)
        var handed: [Ticket] = []
        while let ticket = queue.next(for: Self.slot)?.ticket { handed.append(ticket) }
        #expect(handed == tickets)
        #expect(queue.waiting.count == 0)
    }

    @Test("knows a ticket that waits or is in a worker's hands, until it is told that it is done with")
    func knows() throws {
        let queue = JobQueue()
        let ticket = try Self.ticket(5, 10)
        #expect(!queue.knows(ticket))
        queue.add([ticket])
        #expect(queue.knows(ticket))
        #expect(queue.next(for: Self.slot)?.ticket == ticket)
        #expect(queue.knows(ticket))
        queue.forget(ticket)
        #expect(!queue.knows(ticket))
        queue.add([ticket])
        #expect(queue.next(for: Self.slot)?.ticket == ticket)
        // Heard of once more, by a look at the folders: it is in somebody's hands.
        queue.add([ticket])
        #expect(queue.waiting.count == 0 && !queue.isIdle)
        queue.requeue(ticket, to: .renders)
        queue.forget(ticket)
        #expect(queue.knows(ticket))
    }

    @Test("lets the others go before one that is late, also when that was taken and put back, until one is answered")
    func late() throws {
        let queue = JobQueue()
        let tickets = [try Self.ticket(5, 10), try Self.ticket(5, 11), try Self.ticket(5, 12)]
        queue.add(tickets)
        #expect(queue.next(for: Self.slot)?.ticket == tickets[0])
        queue.requeue(tickets[0], to: .renders, isLate: true)
        #expect(queue.next(for: Self.slot)?.ticket == tickets[1])
        #expect(queue.next(for: Self.slot)?.ticket == tickets[2])
        // Nothing else is there; the server is found away, and nobody was answered.
        #expect(queue.next(for: Self.slot)?.ticket == tickets[0])
        for ticket in tickets { queue.requeue(ticket, to: .renders) }
        #expect(queue.next(for: Self.slot)?.ticket == tickets[1])
        queue.requeue(tickets[1], to: .renders)
        queue.clearLate()
        #expect(queue.next(for: Self.slot)?.ticket == tickets[0])
    }

    @Test("one that is let in later comes when the server has answered another, where it may")
    func sleeps() async throws {
        let queue = JobQueue()
        let tickets = [try Self.ticket(5, 10), try Self.ticket(5, 11)]
        queue.add(tickets)
        for _ in tickets { _ = queue.next(for: Self.slot) }
        queue.requeue(tickets[0], to: .renders, isLate: true, after: .seconds(3600), untilSuccess: true)
        queue.requeue(tickets[1], to: .renders, isLate: true, after: .seconds(3600))
        queue.clearLate()
        #expect(await queue.hasNext(for: Self.slot))
        #expect(queue.next(for: Self.slot)?.ticket == tickets[0])
        #expect(queue.next(for: Self.slot) == nil)
    }

    @Test("gives each ticket to one of many who ask")
    func once() async throws {
        let tickets = try (10..<60).map { try Self.ticket(5, $0) }
        let queue = JobQueue()
        let takers = (0..<8).map { _ in
            Task {
                var taken: [Ticket] = []
                while await queue.hasNext(for: Self.slot) {
                    if let ticket = queue.next(for: Self.slot)?.ticket { taken.append(ticket) }
                }
                return taken
            }
        }
        var all: [Ticket] = []
        for ticket in tickets { queue.add([ticket]) }
        while queue.waiting.count > 0 { await Task.yield() }
        queue.close()
        for taker in takers { all += await taker.value }
        #expect(all.sorted() == tickets)
    }

    @Test("hands out nothing while it is paused, and says when that changes")
    func pause() async throws {
        let queue = JobQueue()
        #expect(queue.pause(true))
        #expect(!queue.pause(true))
        queue.add([try Self.ticket(5, 10)])
        #expect(queue.next(for: Self.slot)?.ticket == nil)
        #expect(queue.waiting.count == 1)
        let waiter = Task { await queue.hasNext(for: Self.slot) }
        // Most likely it waits by then; the outcome is the same either way.
        for _ in 0..<1000 { await Task.yield() }
        #expect(queue.pause(false))
        #expect(await waiter.value)
        #expect(queue.next(for: Self.slot)?.ticket != nil)
        #expect(!queue.pause(false))
    }

    @Test("wakes who waits for a ticket")
    func wake() async throws {
        let queue = JobQueue()
        let waiter = Task { await queue.hasNext(for: Self.slot) }
        await Task.yield()
        queue.add([try Self.ticket(5, 10)])
        #expect(await waiter.value)
        #expect(await queue.hasNext(for: Self.slot))
    }

    @Test("lets everybody go when it is closed, paused or not", arguments: [false, true])
    func close(paused: Bool) async throws {
        let queue = JobQueue()
        _ = queue.pause(paused)
        if paused { queue.add([try Self.ticket(5, 10)]) }
        let waiters = (0..<5).map { _ in Task { await queue.hasNext(for: Self.slot) } }
        await Task.yield()
        queue.close()
        for waiter in waiters { #expect(await !waiter.value) }
        queue.add([try Self.ticket(5, 11)])
        #expect(queue.next(for: Self.slot)?.ticket == nil)
        #expect(await !queue.hasNext(for: Self.slot))
    }

    @Test("a job that names its server waits for that one, in its place among the others")
    func pinned() throws {
        let tickets = try (10..<14).map { try Self.ticket(5, $0) }
        let other = SlotKey(server: "http://b", kind: .renders)
        let queue = JobQueue()
        queue.add([tickets[1], tickets[3]])
        queue.add([tickets[0]], to: JobClass(.renders, server: "http://b"))
        queue.add([tickets[2]], to: JobClass(.renders, server: "http://a"))
        #expect(queue.next(for: Self.slot)?.ticket == tickets[1])
        #expect(queue.next(for: Self.slot)?.ticket == tickets[2])
        let first = queue.next(for: other)
        #expect(first?.ticket == tickets[0])
        #expect(first?.jobClass == JobClass(.renders, server: "http://b"))
        #expect(queue.next(for: other)?.ticket == tickets[3])
        #expect(queue.next(for: Self.slot) == nil)
        // Back in the lane that it came from.
        queue.add([tickets[0]], to: JobClass(.renders, server: "http://b"))
        #expect(queue.next(for: Self.slot) == nil)
    }

    @Test("a worker waits until its server has room, or has nothing of it")
    func room() async throws {
        let queue = JobQueue()
        queue.slots { $0.add(Self.slot, limit: 2) }
        queue.add(try (10..<13).map { try Self.ticket(5, $0) })
        #expect(queue.next(for: Self.slot) != nil)
        #expect(queue.next(for: Self.slot) != nil)
        #expect(queue.next(for: Self.slot) == nil)
        let more = Task { await queue.hasNext(for: Self.slot) }
        queue.slots { slots in
            slots.starting(Self.slot)
            slots.sent(Self.slot)
        }
        let none = Task { await queue.waitForNone(at: Self.slot) }
        for _ in 0..<1000 { await Task.yield() }
        queue.slots { $0.publishing(Self.slot) }
        #expect(await more.value)
        await none.value
        #expect(queue.next(for: Self.slot) != nil)
    }
}
