// A spool that an earlier version has left. Upgrade/spool was made by that version's own program, killed where it hurts: jobs
// in inbox/, queue/ (one of them tried before), hold/, active/ (under way; rendered and not moved; batches before and behind
// their instant of commit), done/ and failed/, a message that is not delivered, and PAUSE.

import Foundation
import HTTP
import StandIn
import Synchronization
import Testing

@Suite(.witnessed) struct UpgradeTests {
    private static let left = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Upgrade/spool")

    @Test("a spool that an earlier version has left is finished, and nothing of it is lost")
    func upgrade() async throws {
        let standIn = try StandIn.quick()
        let told = Mutex<[String]>([])
        let receiver = try ScriptedServer { path, body in
            told.withLock { $0.append("\(path) \(body.contains("told-1.png"))") }
            return .text(200, "")
        }
        let spool = try TestSpool()
        for name in try FileManager.default.contentsOfDirectory(atPath: Self.left.path) {
            try FileManager.default.copyItem(
                at: Self.left.appendingPathComponent(name), to: spool.path(name))
        }
        // Where the receiver listens this time.
        let message = spool.path(".outbox").appendingPathComponent(try #require(spool.list(".outbox").first))
        let port = try #require(URL(string: receiver.url)?.port)
        let text = try String(contentsOf: message, encoding: .utf8)
        try text.replacing(#"127.0.0.1:9\/"#, with: #"127.0.0.1:\#(port)\/"#)
            .write(to: message, atomically: true, encoding: .utf8)

        let daemon = try await spool.daemon(server: standIn.url)
        try await daemon.says("published was finished and is now in")
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        let release = try Program(["release", "--spool", spool.url.path, "parked"])
        #expect(try await release.exitCode() == 0)
        let batches = ["batch", "lines", "staged"]
        let singles = ["dropped", "finished", "interrupted", "parked", "published", "told", "tried", "waiting"]
        let parts = [
            "batch-001", "batch-002", "batch-003", "lines-001", "lines-002", "staged-001", "staged-002", "staged-003",
        ]
        try await spool.holds(batches.count + singles.count + parts.count, in: "done")
        #expect(spool.list("done").sorted() == (batches + singles + parts).sorted())
        #expect(spool.list("failed") == ["wrong"])
        try await spool.holds(0, in: ".outbox")
        #expect(try await daemon.stop() == 0)
        #expect(told.withLock { $0 } == ["/hook true"])
        for name in singles + parts {
            #expect(FileManager.default.fileExists(atPath: spool.path("done/\(name)/\(name)-1.png").path), "\(name)")
        }
        for name in ["interrupted", "tried"] {
            let attempts = try #require(try spool.document("done/\(name)/result.json")["attempts"] as? [Any])
            #expect(attempts.count == 2, "\(name)")
        }
        for folder in ["inbox", "queue", "active", "hold"] { #expect(spool.list(folder).isEmpty, "\(folder)") }
        // What was rendered is not rendered again.
        let rendered = standIn.requests.map { String(decoding: $0.body, as: UTF8.self) }
        #expect(!rendered.contains { $0.contains("published") || $0.contains("finished") || $0.contains("told") })
        #expect(rendered.count == singles.count - 3 + parts.count)
        await standIn.stop()
        await receiver.stop()
    }
}
