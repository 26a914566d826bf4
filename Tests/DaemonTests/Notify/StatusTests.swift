import Foundation
import Linux
import Spool
import Testing

@testable import Daemon

@Suite struct StatusTests {
    /// A ticket as it stands in queue/.
    private static func ticket(_ name: StaticString) throws -> Ticket {
        try #require(Ticket(entry: FileName(stringLiteral: name)))
    }

    @Test("tells the first thing that keeps the queue from going on, with the reason, and since when")
    func states() throws {
        let cat = try Self.ticket("5-20261123T151042.123456Z.cat.json")
        let disk = SystemError(call: "write", code: ENOSPC, path: "/x")
        let steps: [(Event, String, String?)] = [
            (.ready(spool: "/s", servers: ["http://a"], waiting: 0), "idle", nil),
            (.serverAway("http://a", reason: "refused"), "waiting for the server", "refused"),
            (.serverBack("http://a", grace: .zero), "idle", nil),
            (.started(cat, server: "http://a"), "rendering", nil), (.paused(true), "rendering", nil),
            (.diskError(disk), "troubled", "write /x: No space left on device (ENOSPC)"),
            (.requeued(cat), "troubled", "write /x: No space left on device (ENOSPC)"),
            (.accepted(cat), "paused", "PAUSE lies in the spool"), (.paused(false), "idle", nil),
            (.started(cat, server: "http://a"), "rendering", nil),
            (.done(cat, path: "/x", pictures: 1, seconds: 1, warnings: []), "idle", nil),
            (.started(cat, server: "http://a"), "rendering", nil),
            (
                .retrying(cat, "it failed", after: .seconds(2)), "waiting",
                "cat is tried again at 1970-01-01T00:00:02.000012Z: it failed"
            ),
            (.requeued(cat), "waiting", "cat is tried again at 1970-01-01T00:00:02.000012Z: it failed"),
            (.started(cat, server: "http://a"), "rendering", nil),
            (
                .retrying(cat, "it failed", after: .seconds(2)), "waiting",
                "cat is tried again at 1970-01-01T00:00:02.000015Z: it failed"
            ),
            (.cancelled(cat), "idle", nil),
            (
                .noSpace(cat, bytes: 3 << 20, reason: "full"), "waiting",
                "no room for the result of cat, 3.0 MiB: full. It is tried again when there is; smaller jobs go first. "
                    + "Free some space to go on"
            ),
            (.spaceAgain, "idle", nil),
            (
                .delayed(cat, "it may still run", atMost: .seconds(2)), "waiting",
                "cat is sent at 1970-01-01T00:00:02.000019Z at the latest: it may still run"
            ),
            (.started(cat, server: "http://a"), "rendering", nil),
            (.stopping, "stopped", nil),
        ]
        var status = Status()
        for (number, (event, state, reason)) in steps.enumerated() {
            let before = (status.state, status.since)
            status.record(event, at: Timestamp(microseconds: Int64(number)))
            let object = try #require(
                JSONSerialization.jsonObject(with: status.document()) as? [String: Any], "step \(number)")
            #expect(object["state"] as? String == state, "step \(number)")
            #expect(object["reason"] as? String == reason, "step \(number)")
            #expect((status.since == before.1) == (status.state == before.0), "step \(number)")
        }
    }

    @Test("waits for the server only where all are away, and tells of each")
    func servers() throws {
        let (cat, dog) = (
            try Self.ticket("5-20261123T151042.123456Z.cat.json"), try Self.ticket("5-20261123T151043.123456Z.dog.json")
        )
        var status = Status()
        status.record(.ready(spool: "/s", servers: ["http://a", "http://b"], waiting: 0))
        status.record(.started(cat, server: "http://a"))
        status.record(.started(dog, server: "http://b"))
        status.record(.serverAway("http://a", reason: "refused"))
        #expect(status.state == .rendering)
        let object = try #require(JSONSerialization.jsonObject(with: status.document()) as? [String: Any])
        #expect(object["rendering"] as? [String] == [dog.description])
        let servers = try #require(object["servers"] as? [[String: Any]])
        #expect(servers.map { $0["url"] as? String } == ["http://a", "http://b"])
        #expect(servers.map { $0["up"] as? Bool } == [false, true])
        #expect(servers.map { $0["reason"] as? String } == ["refused", nil])
        #expect(servers.map { $0["rendering"] as? [String] } == [[], [dog.description]])
        status.record(.serverAway("http://b", reason: "no route"))
        #expect(status.state == .waiting)
        status.record(.serverBack("http://a", grace: .zero))
        #expect(status.state == .idle)
    }
}
