import Linux
import Spool
import Testing

@testable import Daemon

@Suite("The queue", .timeLimit(.minutes(1)))
struct QueueTests {
    static func ticket(_ priority: Int, _ second: Int, _ name: String = "a") throws -> Ticket {
        let text = "\(priority)-20261123T1510\(second).000000Z.\(name)"
        return try #require(FileName(bytes: text.utf8).flatMap { Ticket(entry: $0) })
    }

    @Test("hands out in order of priority, then of arrival, however they came in")
    func order() async throws {
        let tickets = [try Self.ticket(3, 30), try Self.ticket(5, 10), try Self.ticket(5, 11), try Self.ticket(9, 10)]
        let queue = Queue()
        queue.add([tickets[3], tickets[1]])
        queue.add([tickets[2], tickets[0], tickets[1]])
        #expect(queue.count == 4)
        var handed: [Ticket] = []
        while let ticket = queue.next() { handed.append(ticket) }
        #expect(handed == tickets)
        #expect(queue.count == 0)
    }

    @Test("gives each ticket to one of many who ask")
    func once() async throws {
        let tickets = try (10..<60).map { try Self.ticket(5, $0) }
        let queue = Queue()
        let takers = (0..<8).map { _ in
            Task {
                var taken: [Ticket] = []
                while await queue.hasNext() { if let ticket = queue.next() { taken.append(ticket) } }
                return taken
            }
        }
        var all: [Ticket] = []
        for ticket in tickets { queue.add([ticket]) }
        while queue.count > 0 { await Task.yield() }
        queue.close()
        for taker in takers { all += await taker.value }
        #expect(all.sorted() == tickets)
    }

    @Test("hands out nothing while it is paused, and says when that changes")
    func pause() async throws {
        let queue = Queue()
        #expect(queue.pause(true))
        #expect(!queue.pause(true))
        queue.add([try Self.ticket(5, 10)])
        #expect(queue.next() == nil)
        #expect(queue.count == 1)
        let waiter = Task { await queue.hasNext() }
        // Most likely it waits by then; the outcome is the same either way.
        for _ in 0..<1000 { await Task.yield() }
        #expect(queue.pause(false))
        #expect(await waiter.value)
        #expect(queue.next() != nil)
        #expect(!queue.pause(false))
    }

    @Test("wakes who waits for a ticket")
    func wake() async throws {
        let queue = Queue()
        let waiter = Task { await queue.hasNext() }
        await Task.yield()
        queue.add([try Self.ticket(5, 10)])
        #expect(await waiter.value)
        #expect(await queue.hasNext())
    }

    @Test("lets everybody go when it is closed, paused or not", arguments: [false, true])
    func close(paused: Bool) async throws {
        let queue = Queue()
        _ = queue.pause(paused)
        if paused { queue.add([try Self.ticket(5, 10)]) }
        let waiters = (0..<5).map { _ in Task { await queue.hasNext() } }
        await Task.yield()
        queue.close()
        for waiter in waiters { #expect(await !waiter.value) }
        queue.add([try Self.ticket(5, 11)])
        #expect(queue.next() == nil)
        #expect(await !queue.hasNext())
    }
}
