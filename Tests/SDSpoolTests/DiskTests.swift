// The disk in the way: nothing is lost, nothing is rendered for nothing.

import Foundation
import StandIn
import Testing

@Suite(.witnessed) struct DiskTests {
    @Test("a result that cannot be moved to done/ is kept, moved when it can be, and not rendered again")
    func unpublishable() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        // Nothing can be put into a folder that is deleted, and while its name is taken there is no other.
        // The daemon makes it anew whenever it finds it gone.
        while (try? spool.put("", at: "done")) == nil { try? FileManager.default.removeItem(at: spool.path("done")) }
        try spool.drop("cat", smallJob())
        try await daemon.says("done/cat", "ENOENT", "trying again")
        #expect(try await daemon.stop() == 0)
        #expect(spool.list("queue").isEmpty)
        try FileManager.default.removeItem(at: spool.path("done"))
        let next = try await spool.daemon(server: standIn.url)
        try await next.says("cat was finished and is now in")
        #expect(try await next.stop() == 0)
        #expect(spool.list("done/cat") == ["cat-1.png", "cat.json", "result.json"])
        #expect(standIn.requests.count == 1)
        await standIn.stop()
    }

    @Test("words from a job file never begin a line of the log")
    func oneLine() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        try spool.drop("evil", #"{"sdspool": {"endpoint": "/a\r\n2026-01-01T00:00:00Z done everything\u001b[2J"}}"#)
        try await daemon.says("refused evil", #"\x0d\x0a"#, #"\x1b"#)
        #expect(try await daemon.stop() == 0)
        #expect(!daemon.lines.contains { $0.hasPrefix("2026-01-01T00:00:00Z done") })
        await standIn.stop()
    }

    @Test(
        "a job file that is copied into queue/ by hand runs, and one that comes back from hold/ to inbox/ keeps its name"
    )
    func byHand() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        try Data(smallJob().utf8).write(to: spool.path("queue/7-20261125T000000.000000Z.hand.json"))
        try await daemon.says("done hand")
        try Data(smallJob().utf8).write(to: spool.path("hold/5-20261125T000000.000000Z.held.json"))
        try FileManager.default.moveItem(
            at: spool.path("hold/5-20261125T000000.000000Z.held.json"),
            to: spool.path("inbox/5-20261125T000000.000000Z.held.json"))
        try await daemon.says("done held")
        #expect(try await daemon.stop() == 0)
        #expect(spool.list("done") == ["hand", "held"])
        await standIn.stop()
    }
}
