// The server being away is nobody's fault: the queue waits and says why.

import Foundation
import StandIn
import TestSupport
import Testing

@Suite(.witnessed) struct ServerAwayTests {
    @Test("a server that is not there is waited for, told once, and its jobs are done when it comes")
    func away() async throws {
        let gone = try ReservedPort()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: gone.url)
        try await daemon.says("waiting for \(gone.url)")
        try spool.drop("cat", smallJob())
        try await daemon.says("accepted")
        #expect(spool.list("queue").count == 1)
        let standIn = try StandIn.start(port: gone.number, options: .init(stepTime: .zero))
        try await daemon.says("is back")
        try await daemon.says("done cat")
        #expect(try await daemon.stop() == 0)
        #expect(daemon.lines.count { $0.contains("waiting for") } == 1)
        #expect(try (spool.document("done/cat/result.json")["attempts"] as? [Any])?.count == 1)
        await standIn.stop()
    }

    @Test("before the first request to a port that was seen closed there is a time of grace")
    func grace() async throws {
        let gone = try ReservedPort()
        let spool = try TestSpool()
        await spool.takeSlot()
        let daemon = try Program([
            "run", "--spool", spool.url.path, "--server", gone.url, "--server-grace", "1.5",
        ])
        try await daemon.says("waiting for")
        try spool.drop("cat", smallJob())
        let opened = ContinuousClock.now
        let standIn = try StandIn.start(port: gone.number, options: .init(stepTime: .zero))
        await standIn.arrived(1)
        #expect(ContinuousClock.now - opened >= .seconds(1.5))
        try await daemon.says("asked in 1.5 s")
        try await daemon.says("done cat")
        _ = try await daemon.stop()
        await standIn.stop()
    }

    @Test("credentials reach the server and nobody else")
    func credentials() async throws {
        let standIn = try StandIn.start(options: .init(stepTime: .zero, credentials: "user:s3cret"))
        let spool = try TestSpool()
        let url = standIn.url.replacing("http://", with: "http://user:s3cret@")
        let daemon = try await spool.daemon(server: url)
        try spool.drop("cat", smallJob())
        try await daemon.says("done cat")
        let title = try Data(contentsOf: URL(fileURLWithPath: "/proc/\(daemon.pid)/cmdline"))
        #expect(!String(decoding: title, as: UTF8.self).contains("s3cret"))
        _ = try await daemon.stop()
        #expect(daemon.lines.allSatisfy { !$0.contains("s3cret") })
        let result = try String(contentsOf: spool.path("done/cat/result.json"), encoding: .utf8)
        #expect(!result.contains("s3cret"))
        #expect(result.contains(standIn.url))
        await standIn.stop()
    }
}
