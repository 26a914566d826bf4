// Clients of A1111's API that others have written, as they lie on PyPI: at the door they go on as they did without it.
//
// $SDSPOOL_PYTHON is a Python that has them (Tests/Clients/requirements.txt); .ci/run makes one.

import Foundation
import StandIn
import Testing

@Suite(.witnessed) struct GatewayClientTests {
    static let python = ProcessInfo.processInfo.environment["SDSPOOL_PYTHON"]
    static let lacksPython: String? =
        python.map { FileManager.default.isExecutableFile(atPath: $0) ? nil : "\($0) is no program" }
        ?? "SDSPOOL_PYTHON names no Python with webuiapi and sd-backend-client"

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("../Clients").standardizedFileURL

    @Test(
        "webuiapi renders, upscales, asks, sets and interrupts through a door that answers 418 to what is passed on",
        .enabled(if: lacksPython == nil, "\(lacksPython ?? "")"))
    func webuiapi() async throws {
        try await visit("webuiapi_visit.py")
    }

    @Test(
        "sd-backend-client finds a web UI behind a transparent door, renders, asks, sets and cancels",
        .enabled(if: lacksPython == nil, "\(lacksPython ?? "")"))
    func backendClient() async throws {
        try await visit("sd_backend_visit.py", "--transparent")
    }

    private func visit(_ script: String, _ options: String...) async throws {
        // A hundred and fifty steps, which are the most that some of them ask for, last until the render is stopped.
        let standIn = try StandIn.start(options: .init(stepTime: .seconds(2)))
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url, options)
        let client = try Program(
            [Self.folder.appendingPathComponent(script).path, visitor.url],
            executable: URL(fileURLWithPath: try #require(Self.python)))
        #expect(try await client.exitCode() == 0, "\(client.lines.joined(separator: "\n"))\n\(daemon.lines.suffix(20))")
        // All that was rendered went through the queue, and the last one was stopped.
        #expect(spool.list("done").count >= 3)
        #expect(spool.list("failed").count == 1)
        #expect(spool.list("inbox").isEmpty && spool.list("queue").isEmpty && spool.list("active").isEmpty)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }
}
