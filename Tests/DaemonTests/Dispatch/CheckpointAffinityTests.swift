import Foundation
import Spool
import Synchronization
import Testing

@testable import Daemon

@Suite("Jobs with the checkpoint that is loaded") struct CheckpointAffinityTests {
    private static let a = WantedCheckpoint.named("a")
    private static let b = WantedCheckpoint.named("b")

    private static let rows:
        [(waiting: [(wanted: WantedCheckpoint, overtaken: Int)], loaded: WantedCheckpoint, place: Int)] = [
            ([], .own, 0), ([(a, 0)], .own, 0), ([(a, 0), (b, 0)], .own, 0), ([(a, 0), (b, 0)], b, 1),
            ([(a, 0), (a, 0), (b, 0)], b, 2), ([(a, 0), (a, 0), (a, 0), (b, 0)], b, 0), ([(a, 2), (b, 0)], b, 0),
            ([(a, 1), (b, 0)], b, 1), ([(a, 0), (a, 2), (b, 0)], b, 0), ([(a, 0), (b, 2), (b, 0)], b, 1),
            ([(a, 0), (.turn, 0), (b, 0)], b, 0), ([(a, 0), (.own, 0)], .own, 1), ([(a, 0), (b, 0)], .turn, 0),
            ([(.turn, 0), (b, 0)], b, 0),
        ]

    @Test("go first, but never before one that was overtaken twice or keeps its turn", arguments: rows.indices)
    func choices(row: Int) {
        let (waiting, loaded, place) = Self.rows[row]
        #expect(choice(of: waiting, loaded: loaded, limit: 2) == place)
    }

    @Test("nobody is overtaken more often than that, whatever comes", arguments: [1, 2, 5])
    func fair(limit: Int) throws {
        let tickets = try (0..<40).map { try JobQueueTests.ticket(5, 10 + $0) }
        let reads = Dictionary(
            uniqueKeysWithValues: tickets.enumerated().map { ($1, [Self.a, Self.b][$0 % 2]) })
        let queue = JobQueue()
        let affinity = CheckpointAffinity(limit: limit) { reads[$0] ?? .turn }
        var order: [Ticket] = []
        for (index, ticket) in tickets.enumerated() {
            queue.add([ticket])
            guard index % 5 == 4, let next = queue.next(for: JobQueueTests.slot, by: affinity) else { continue }
            order.append(next.ticket)
        }
        while let next = queue.next(for: JobQueueTests.slot, by: affinity) { order.append(next.ticket) }
        #expect(order.sorted() == tickets && order != tickets)
        for (place, ticket) in order.enumerated() {
            #expect(order[..<place].count { $0 > ticket } <= limit)
        }
        let changes = zip(order, order.dropFirst()).count { reads[$0] != reads[$1] }
        #expect(changes < 39)
    }

    @Test("a more urgent job is not overtaken, and each file is read once")
    func priorities() throws {
        let first = try JobQueueTests.ticket(3, 20)
        let tickets = try (10..<13).map { try JobQueueTests.ticket(5, $0) }
        let reads = [first: Self.a, tickets[0]: Self.a, tickets[1]: .own, tickets[2]: Self.a]
        let queue = JobQueue()
        let seen = Mutex<[Ticket]>([])
        let affinity = CheckpointAffinity(limit: 5) { ticket in
            seen.withLock { $0.append(ticket) }
            return reads[ticket] ?? .turn
        }
        queue.add([first] + tickets)
        var order: [Ticket] = []
        while let next = queue.next(for: JobQueueTests.slot, by: affinity) { order.append(next.ticket) }
        #expect(order == [first, tickets[0], tickets[2], tickets[1]])
        #expect(seen.withLock(\.count) == 4)
    }

    @Test(
        "a job file tells which checkpoint it needs",
        arguments: [
            ("{}", WantedCheckpoint.own),
            (#"{"override_settings": {"sd_model_checkpoint": "x/a.safetensors [0f]"}}"#, a),
            (#"{"override_settings": {"sd_model_checkpoint": "a"}}"#, a),
            (#"{"override_settings": {"sd_model_checkpoint": null}}"#, .own), (#"{"override_settings": 1}"#, .own),
            (#"{"sdspool": {"endpoint": "/sdapi/v1/options", "method": "POST"}}"#, .turn),
        ])
    func wishes(text: String, wanted: WantedCheckpoint) throws {
        #expect(try WantedCheckpoint(JobFile(Data(text.utf8))) == wanted)
    }
}
