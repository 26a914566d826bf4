// Many jobs in one file, with the real executable.

import Foundation
import StandIn
import TestSupport
import Testing

@Suite(.witnessed) struct BatchTests {
    private func drop(_ file: String, _ text: String, into spool: TestSpool) throws {
        let draft = spool.path("inbox/.\(file).tmp")
        try Data(text.utf8).write(to: draft)
        try FileManager.default.moveItem(at: draft, to: spool.path("inbox/\(file)"))
    }

    private func body(_ request: [UInt8]) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(request)) as? [String: Any])
    }

    @Test("an array, a file with a job a line and a matrix become their parts, each with a result of its own, in order")
    func results() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        try Data().write(to: spool.path("PAUSE"))
        let daemon = try await spool.daemon(server: standIn.url)
        try drop("a.json", "[\(smallJob(#""seed": 1"#)), \(smallJob(#""seed": 2"#))]", into: spool)
        try await daemon.says("expanded a into 2 jobs, a-001 to a-002; see \(spool.url.path)/done/a/result.json")
        try drop(
            "b.jsonl", "\(smallJob(#""seed": 3"#))\n\(smallJob(#""seed": 4, "sdspool": {"priority": 1}"#))\n",
            into: spool)
        try await daemon.says("expanded b into 2 jobs, b-001 to b-002")
        try drop("c.json", smallJob(#""sdspool": {"matrix": {"cfg_scale": [4, 7.50]}}"#), into: spool)
        try await daemon.says("expanded c into 2 jobs, c-001 to c-002")
        #expect(!daemon.lines.contains { $0.contains(" accepted ") })
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        for part in ["b-002", "a-001", "a-002", "b-001", "c-001", "c-002"] { try await daemon.says("done \(part)") }
        #expect(try await daemon.stop() == 0)

        #expect(
            spool.list("done") == ["a", "a-001", "a-002", "b", "b-001", "b-002", "c", "c-001", "c-002"])
        #expect(spool.list("done/b") == ["b.jsonl", "result.json"])
        #expect(spool.list("done/b-001") == ["b-001-1.png", "b-001.json", "result.json"])
        #expect(spool.list("failed").isEmpty && spool.list("queue").isEmpty && spool.list("active").isEmpty)
        let seeds = try standIn.requests.map { try body($0.body)["seed"] as? Int }
        #expect(seeds.prefix(4) == [4, 1, 2, 3])
        #expect(seeds.count == 6 && seeds[4] != nil && seeds[4] == seeds[5], "one seed for a matrix: \(seeds)")
        #expect(String(decoding: standIn.requests[5].body, as: UTF8.self).contains("7.50"))
        let table = try #require(try spool.document("done/c/result.json")["parts"] as? [[String: Any]])
        #expect(table.map { $0["name"] as? String } == ["c-001", "c-002"])
        #expect(table.map { ($0["matrix"] as? [String: Double])?["cfg_scale"] } == [4, 7.5])
        await standIn.stop()
    }

    @Test("a question in a batch does not wait behind the pictures")
    func lanes() async throws {
        let standIn = try StandIn.start(options: .init(stepTime: .milliseconds(50)))
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        let long = smallJob().replacing(#""steps": 1"#, with: #""steps": 100000"#)
        try drop(
            "a.json", #"[\#(long), {"sdspool": {"endpoint": "/sdapi/v1/samplers", "method": "GET"}}]"#, into: spool)
        try await daemon.says("done a-002")
        #expect(!daemon.lines.contains { $0.contains("done a-001") })
        #expect(try await daemon.stop() == 0)
        #expect(try spool.document("done/a-002/result.json")["status"] as? Int == 418)
        await standIn.stop()
    }

    @Test("one wrong line and nothing is queued; mended, the same file goes the whole way")
    func wrongLine() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        try drop("a.jsonl", "\(smallJob())\n\(smallJob()),\n\(smallJob())\n", into: spool)
        try await daemon.says("refused a: not JSON: line 2, column ", "failed/a")
        #expect(spool.list("queue").isEmpty && spool.list("done").isEmpty)
        #expect(spool.list("failed/a") == ["a.jsonl", "error.json"])
        #expect(try spool.document("failed/a/error.json")["line"] as? Int == 2)
        #expect(standIn.requests.isEmpty)

        let text = try String(contentsOf: spool.path("failed/a/a.jsonl"), encoding: .utf8)
        try Data(text.replacing("},\n", with: "}\n").utf8).write(to: spool.path("failed/a/a.jsonl"))
        try FileManager.default.moveItem(at: spool.path("failed/a/a.jsonl"), to: spool.path("inbox/a.jsonl"))
        for part in ["a-001", "a-002", "a-003"] { try await daemon.says("done \(part)") }
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("one job that no server could be asked and nothing is queued")
    func impossible() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        try spool.drop("a", #"[\#(smallJob()), {"sdspool": {"endpoint": "/a/../b"}}]"#)
        try await daemon.says("refused a: job 2 of 2: \"sdspool\".\"endpoint\" must be a path on the server")
        try spool.drop("b", #"{"x": 1, "sdspool": {"endpoint": "/b", "method": "GET"}}"#)
        try await daemon.says("refused b: a GET has no body")
        #expect(try await daemon.stop() == 0)
        #expect(spool.list("queue").isEmpty && spool.list("done").isEmpty && standIn.requests.isEmpty)
        await standIn.stop()
    }

    @Test("a batch that a crash left in the queue is expanded in its turn", arguments: ["json", "jsonl"])
    func inQueue(kind: String) async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let ticket = "5-20261123T151042.123456Z.a"
        let folder = spool.path("active/\(ticket)")
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("parts"), withIntermediateDirectories: true)
        let text = kind == "json" ? "[\(smallJob()), \(smallJob())]" : "\(smallJob())\n\(smallJob())\n"
        try Data(text.utf8).write(to: folder.appendingPathComponent("a.\(kind)"))
        try Data("{".utf8).write(to: folder.appendingPathComponent("parts/5-20261123T151042.123454Z.a-001.json"))
        let daemon = try await spool.daemon(server: standIn.url)
        try await daemon.says("expanded a into 2 jobs, a-001 to a-002")
        for part in ["a-001", "a-002"] { try await daemon.says("done \(part)") }
        #expect(try await daemon.stop() == 0)
        #expect(spool.list("done") == ["a", "a-001", "a-002"])
        #expect(spool.list("done/a") == ["a.\(kind)", "result.json"])
        #expect(standIn.requests.count == 2)
        await standIn.stop()
    }

    @Test("check tells how many jobs are in a file, each warning once, and which job has a problem")
    func check() async throws {
        let spool = try TestSpool()
        let gone = try ReservedPort()
        let files = [
            ("matrix.json", #"{"prompt": "x", "step": 20, "sdspool": {"matrix": {"seed": [1, 2], "sed": [3, 4, 5]}}}"#),
            ("lines.jsonl", "{\"step\": 1}\n{\"step\": 2}\n{\"sdspool\": {\"endpoint\": \"/x\"}}\n"),
            ("wrong.jsonl", "{}\n{\"a\" 1}\n"),
            ("paths.json", #"[{}, {"sdspool": {"endpoint": "x"}}, {}, {"sdspool": {"endpoint": "x"}}]"#),
        ]
        for (name, text) in files { try Data(text.utf8).write(to: spool.path(name)) }
        let program = try Program(["check", "--server", gone.url] + files.map(\.0), in: spool.url)
        #expect(try await program.exitCode() == 65)
        #expect(
            try program.printed().split(separator: "\n").map(String.init) == [
                "matrix.json: 6 jobs, POST /sdapi/v1/txt2img",
                #"matrix.json: warning: A1111 does not know "sed" and would ignore it; did you mean "seed"?"#,
                #"matrix.json: warning: A1111 does not know "step" and would ignore it; did you mean "steps"?"#,
                "lines.jsonl: 3 jobs, POST /sdapi/v1/txt2img, GET /x",
                #"lines.jsonl: warning: A1111 does not know "step" and would ignore it; did you mean "steps"?"#,
            ])
        try await program.says("wrong.jsonl: not JSON: line 2, column 6")
        try await program.says(#"paths.json: job 2 of 4 (and 1 more): "sdspool"."endpoint" must be a path"#)
    }
}
