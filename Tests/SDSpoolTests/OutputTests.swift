// What becomes of a command whose words nobody takes, and of one whose disk fails.

import Foundation
import Testing

@Suite(.witnessed) struct OutputTests {
    private static let ticket = "5-20260101T000000.000001Z.cat"

    /// A spool without a daemon: `cat` is done, `dog` has failed, `a` and `b` wait.
    private func spool() throws -> TestSpool {
        let spool = try TestSpool()
        try spool.makeFolders()
        for folder in ["done/cat", "failed/dog"] {
            try FileManager.default.createDirectory(at: spool.path(folder), withIntermediateDirectories: true)
        }
        for (name, text) in [
            ("done/cat/result.json", #"{"ticket": "\#(Self.ticket)", "images": [{"file": "cat-1.png"}]}"#),
            ("failed/dog/dog.json", smallJob()), ("failed/dog/error.json", "{}"), ("job.json", smallJob()),
            ("queue/5-20260101T000000.000002Z.a.json", smallJob()),
            ("queue/5-20260101T000000.000003Z.b.json", smallJob()),
        ] { try Data(text.utf8).write(to: spool.path(name)) }
        return spool
    }

    /// Runs `sdspool`, as `"$@"`, in a script of bash's.
    private func run(
        _ script: String, _ words: [String], environment: [String: String] = [:], in spool: TestSpool
    ) async throws -> (code: Int32, said: [String]) {
        let bash = try Program(
            ["-c", script, "bash", Program.executable.path] + words, executable: URL(fileURLWithPath: "/bin/bash"),
            environment: environment.merging(["SDSPOOL_DIR": spool.url.path]) { $1 }, in: spool.url)
        let code = try await bash.exitCode()
        // What it has said may come behind its end.
        _ = try? await bash.line("its last word") { _ in false }
        return (code, bash.lines)
    }

    private static let telling = [
        ["--help"], ["--version"], ["run", "--help"], ["completion", "bash"], ["status"], ["status", "--json"],
        ["status", "--watch"], ["why", "a"], ["wait", "cat"], ["wait", ticket], ["check", "--server", "x", "job.json"],
        ["prune", "--keep", "0", "--older", "0m", "--dry-run"], ["submit", "job.json"], ["pause"], ["resume"],
        ["hold", "a"], ["cancel", "a"], ["retry", "dog"], ["retry", "--all"],
    ]

    @Test("a result that cannot be written is told, with exit code 74", arguments: telling)
    func full(words: [String]) async throws {
        let told = try await run(#"exec "$@" >/dev/full"#, words, in: spool())
        #expect(told.code == 74, "\(told.said)")
        #expect(
            told.said.last
                == "sdspool: the result cannot be written to stdout: No space left on device (ENOSPC)")
    }

    @Test("who has read enough ends what he reads, and that is no error to be told", arguments: telling)
    func gone(words: [String]) async throws {
        let told = try await run(#"exec > >(exec true); wait $!; exec "$@""#, words, in: spool())
        #expect(told.code == 141, "\(told.said)")
        #expect(!told.said.contains { $0.contains("written") || $0.contains("EPIPE") }, "\(told.said)")
    }

    @Test("a daemon that is started without stdin, stdout and stderr has no file of the spool in their place")
    func without() async throws {
        let script = #"""
            "$@" <&- >&- 2>&- &
            until [ -e status.json ]; do sleep 0.02; done
            readlink /proc/$!/fd/{0,1,2} >&2
            kill $!
            wait $!
            """#
        let spool = try spool()
        await spool.takeSlot()
        let told = try await run(script, ["run", "--server", "http://127.0.0.1:1"], in: spool)
        #expect(told.code == 0)
        #expect(told.said == ["/dev/null", "/dev/null", "/dev/null"])
    }

    @Test("status --watch ends behind its reader")
    func watched() async throws {
        let told = try await run(
            #""$@" | head -1 >/dev/null; exit ${PIPESTATUS[0]}"#, ["status", "--watch"], in: spool())
        #expect(told.code == 141 && told.said.isEmpty, "\(told)")
    }

    @Test("what was asked for is done although nobody hears of it")
    func deeds() async throws {
        for target in [">/dev/full", "> >(exec true); wait $!"] {
            let spool = try spool()
            try FileManager.default.createDirectory(at: spool.path("failed/hen"), withIntermediateDirectories: true)
            try Data(smallJob().utf8).write(to: spool.path("failed/hen/hen.json"))
            _ = try await run(#"exec \#(target); exec "$@""#, ["cancel", "a", "b"], in: spool)
            #expect(spool.list("queue").isEmpty, "\(target)")
            _ = try await run(#"exec \#(target); exec "$@""#, ["retry", "--all"], in: spool)
            #expect(spool.list("inbox") == ["dog.json", "hen.json"], "\(target)")
        }
    }

    @Test(
        "a disk that fails is told as such, whichever call it is",
        arguments: [
            ["status"], ["why", "a"], ["wait", "cat"], ["prune", "--older", "30d"], ["retry", "--all"], ["pause"],
            ["resume"], ["hold", "a"], ["cancel", "a"], ["submit", "job.json"],
        ])
    func disk(words: [String]) async throws {
        func struck(_ fault: String) async throws -> (code: Int32, said: [String]) {
            try await run(#"exec "$@""#, words, environment: ["SDSPOOL_FAULT": fault], in: spool())
        }
        let count = try await struck("0:trace").said.count { $0.contains("call ") }
        #expect(count > 5)
        var codes: [Int32] = []
        // Each is a process: some of the calls, from the first to the last.
        for call in stride(from: 1, through: count, by: max(3, count / 8)) {
            let told = try await struck("\(call):EIO")
            codes.append(told.code)
            #expect(told.code != 70, "\(told.said)")
            if told.code == 74 {
                #expect(
                    told.said.contains { $0.hasPrefix("sdspool \(words[0]): ") && $0.contains("(EIO)") }, "\(told.said)"
                )
            }
        }
        #expect(codes.contains(74))
    }
}
