// A daemon's life: one a spool, it ends as it is told, and the next one goes on where it stopped.

import Foundation
import StandIn
import Testing

@Suite(.witnessed) struct LifeTests {
    @Test("as JSON the log has a line for each event, and says what it is about")
    func jsonLog() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url, "--log", "json")
        try spool.drop("cat", smallJob())
        let line = try await daemon.says(#""event":"done""#)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
        #expect(Set(object.keys) == ["time", "level", "event", "ticket", "message"])
        #expect(object["ticket"]?.hasSuffix(".cat") == true)
        #expect(object["level"] == "info")
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("SIGTERM in the middle of a render puts the job back, and the next start renders the same picture")
    func stopAndGoOn() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let first = try await spool.daemon(server: standIn.url)
        try spool.drop("long", smallJob(#""sketch": {"fault": "hold", "times": 1}"#))
        try await first.says("accepted", ".long")
        try spool.drop("short", smallJob())
        try await first.says("accepted", ".short")
        await standIn.arrived(1)
        #expect(try await first.stop() == 0)
        #expect(spool.list("active").isEmpty)
        #expect(spool.list("queue").count == 2)
        #expect(spool.list("queue").first?.hasSuffix(".long") == true)
        standIn.release()

        let second = try await spool.daemon(server: standIn.url)
        for name in ["long", "short"] { try await second.says("done \(name)") }
        #expect(try await second.stop() == 0)
        let bodies = standIn.requests.map(\.body)
        #expect(bodies.count { $0 == bodies.first } == 2)
        // They begin in order; which of them is published first is not promised.
        let begun = second.lines.filter { $0.contains(" rendering ") }
        #expect(begun.first?.contains(" rendering long ") == true)
        let attempts = try #require(try spool.document("done/long/result.json")["attempts"] as? [[String: Any]])
        #expect(attempts.map { $0["failure"] as? String } == ["stopped", nil])
        await standIn.stop()
    }

    @Test("a job that somebody copies into the queue while it is rendered is two jobs")
    func copied() async throws {
        let standIn = try StandIn.start(options: .init(stepTime: .milliseconds(100)))
        let spool = try TestSpool()
        // Drafts of progress.json would come and go under the copy.
        let first = try await spool.daemon(server: standIn.url, "--no-progress")
        try spool.drop("cat", smallJob().replacing(#""steps": 1"#, with: #""steps": 100000"#))
        await standIn.arrived(1)
        let ticket = try #require(spool.list("active").first)
        try FileManager.default.copyItem(at: spool.path("active/\(ticket)"), to: spool.path("queue/\(ticket)"))
        #expect(try await first.stop() == 0)
        #expect(spool.list("active").isEmpty)
        #expect(spool.list("queue").count == 2)
        await standIn.stop()

        let other = try StandIn.quick()
        let second = try await spool.daemon(server: other.url)
        for folder in ["/done/cat,", "/done/cat.2,"] { try await second.says("done cat:", folder) }
        #expect(try await second.stop() == 0)
        await other.stop()
    }

    @Test("SIGTERM does not wait for a server that does not answer what it is asked before a render")
    func stopWhileAsking() async throws {
        let asked = AsyncStream<Void>.makeStream()
        let bare = try BareServer { path in
            guard path == "/openapi.json" else { return nil }
            asked.continuation.finish()
            try? await Task.sleep(for: .seconds(3600))
            return nil
        }
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: bare.url)
        try spool.drop("cat", smallJob())
        for await _ in asked.stream {}
        #expect(try await daemon.stop() == 0, "the question is not given up by itself")
        #expect(spool.list("queue").count == 1)
        await bare.server.stop()
    }

    @Test("a killed daemon loses nothing: the next one repairs and goes on")
    func killed() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let first = try await spool.daemon(server: standIn.url)
        try spool.drop("cat", smallJob(#""sketch": {"fault": "hold", "times": 1}"#))
        await standIn.arrived(1)
        first.kill(SIGKILL)
        #expect(try await first.exitCode() == 128 + SIGKILL)
        #expect(spool.list("active").count == 1)
        let second = try await spool.daemon(server: standIn.url)
        try await second.says("back in the queue")
        // It looks whether the server is idle, and it is not.
        let looks = standIn.looks
        await standIn.wait { $0.count > 1 || standIn.looks > looks + 1 }
        #expect(standIn.requests.count == 1, "the orphan of the first daemon is waited for")
        standIn.release()
        try await second.says("done cat")
        #expect(try await second.stop() == 0)
        #expect(Set(standIn.requests.map(\.body)).count == 1)
        #expect(standIn.requests.count == 2)
        await standIn.stop()
    }

    @Test("a second signal ends it at once")
    func secondSignal() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        // An answer that has begun is given some seconds to end: time for the second signal.
        try spool.drop("drip", smallJob(#""sketch": {"fault": "drip", "seconds": 0.2}"#))
        try await spool.holds(".picture-1", inFolderOf: "active")
        daemon.kill(SIGINT)
        try await daemon.says("stopping")
        daemon.kill(SIGINT)
        #expect(try await daemon.exitCode() == 128 + SIGINT)
        await standIn.stop()
    }

    @Test("a second daemon on the same spool says who has it and goes")
    func second() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let first = try await spool.daemon(server: standIn.url)
        let second = try Program(spool.arguments(server: standIn.url))
        #expect(try await second.exitCode() == 75)
        try await second.says("process \(first.pid) on", "since 2")
        #expect(try await first.stop() == 0)
        let third = try await spool.daemon(server: standIn.url)
        #expect(try await third.stop() == 0)
        await standIn.stop()
    }

    @Test("missing folders are made")
    func folders() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        try FileManager.default.removeItem(at: spool.url)
        let daemon = try await spool.daemon(server: standIn.url)
        #expect(
            spool.list("").filter { !TestSpool.isShown($0) } == [
                "active", "assets", "done", "failed", "hold", "inbox", "queue",
            ])
        #expect(try await daemon.stop() == 0)
        #expect(try spool.document("status.json")["state"] as? String == "stopped")
        await standIn.stop()
    }

    @Test("a job that is deleted from queue/ is cancelled, one that is moved to hold/ waits there until it is put back")
    func byHand() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        try Data().write(to: spool.path("PAUSE"))
        let daemon = try await spool.daemon(server: standIn.url)
        for name in ["away", "held", "last"] {
            try spool.drop(name, smallJob())
            try await daemon.says("accepted", ".\(name)")
        }
        let entries = spool.list("queue")
        try FileManager.default.removeItem(at: spool.path("queue/\(entries[0])"))
        try FileManager.default.moveItem(at: spool.path("queue/\(entries[1])"), to: spool.path("hold/\(entries[1])"))
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        try await daemon.says("done last")
        #expect(spool.list("done") == ["last"])
        try FileManager.default.moveItem(at: spool.path("hold/\(entries[1])"), to: spool.path("queue/\(entries[1])"))
        try await daemon.says("done held")
        #expect(try await daemon.stop() == 0)
        #expect(spool.list("done") == ["held", "last"])
        #expect(standIn.requests.count == 2)
        await standIn.stop()
    }
}
