// The clients of examples/clients, each run by its own interpreter against the real daemon.

import Foundation
import HTTP
import StandIn
import Testing

@Suite(.witnessed) struct ClientTests {
    static let clients = [
        (interpreter: "sh", file: "drop.sh"), ("python3", "drop.py"), ("node", "drop.mjs"), ("perl", "drop.pl"),
        ("ruby", "drop.rb"), ("pwsh", "drop.ps1"),
    ].filter { path(of: $0.0) != nil }

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../examples/clients").standardizedFileURL

    @Test("a client drops a prompt as it is and prints where its picture lies", arguments: clients)
    func done(interpreter: String, file: String) async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        let prompt = "a \"cat\"\n\\ on a 'mat' \u{1f408} $HOME"
        let client = try Self.start(interpreter, file, spool.url.path, prompt)
        #expect(try await client.exitCode() == 0, "\(client.lines)")
        let paths = try client.printed().split(separator: "\n").map(String.init)
        #expect(paths.count == 1)
        let picture = try Data(contentsOf: URL(fileURLWithPath: try #require(paths.first)))
        #expect(picture.starts(with: [0x89, 0x50, 0x4e, 0x47]))
        let body = try JSONSerialization.jsonObject(with: Data(try #require(standIn.requests.first).body))
        #expect((body as? [String: Any])?["prompt"] as? String == prompt)
        _ = try await daemon.stop()
        await standIn.stop()
    }

    @Test("a client tells why its job failed, and fails", arguments: clients)
    func failed(interpreter: String, file: String) async throws {
        let server = try Server.own { _ in
            Response(
                status: 422, headers: ["Content-Type": "application/json"],
                body: .bytes(Array(#"{"detail":[{"loc":["body","steps"],"msg":"no \"such\" steps","type":"x"}]}"#.utf8))
            )
        }
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: "http://127.0.0.1:\(server.port)")
        let client = try Self.start(interpreter, file, spool.url.path, "a cat")
        #expect(try await client.exitCode() == 1)
        try await client.says(#"steps: no "such" steps"#)
        _ = try await daemon.stop()
        await server.stop()
    }

    private static func start(_ interpreter: String, _ file: String, _ arguments: String...) throws -> Program {
        let program = try #require(path(of: interpreter))
        return try Program(
            [folder.appendingPathComponent(file).path] + arguments, executable: URL(fileURLWithPath: program))
    }

    private static func path(of program: String) -> String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(program)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
