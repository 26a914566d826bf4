// What people do to jobs by the command line: hold, release, retry, pause, resume. Whether a daemon runs does not matter.

import Foundation
import StandIn
import Testing

@Suite(.witnessed) struct HoldTests {
    private func run(_ words: String..., in spool: TestSpool) async throws -> (
        code: Int32, printed: String, said: [String]
    ) {
        let program = try Program([words[0], "--spool", spool.url.path] + words.dropFirst())
        return (try await program.exitCode(), try program.printed(), program.lines)
    }

    @Test("a job that is held waits in hold/ until it is released, and runs in its old place then")
    func hold() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        #expect(try await run("pause", "while", "I", "sleep", in: spool).code == 66, "there is no spool yet")
        let daemon = try await spool.daemon(server: standIn.url)
        let paused = try await run("pause", "while", "I", "sleep", in: spool)
        #expect(paused.printed == "paused; sdspool resume goes on\n")
        try await daemon.says("paused: no job is started")
        #expect(try String(contentsOf: spool.path("PAUSE"), encoding: .utf8).hasSuffix("Z while I sleep\n"))
        for name in ["a", "b", "c"] {
            try spool.drop(name, smallJob())
            try await daemon.says("accepted", ".\(name)")
        }
        let queue = spool.list("queue")
        let held = try await run("hold", "a", "b.json", "nope", in: spool)
        #expect(held.code == 66)
        #expect(held.printed == "holding a\nholding b\n")
        #expect(held.said == ["sdspool hold: no job nope waits in queue/"])
        #expect(spool.list("hold") == Array(queue.prefix(2)))
        // By its ticket, and what somebody has parked under its own name.
        try Data(smallJob().utf8).write(to: spool.path("hold/d.json"))
        let ticket = String(queue[0].dropLast(5))
        let released = try await run("release", ticket, "d", "c", in: spool)
        #expect(released.code == 66)
        #expect(
            released.printed
                == "released a: it is now \(spool.url.path)/queue/\(queue[0])\nreleased d: it is now \(spool.url.path)/inbox/d.json\n"
        )
        try await daemon.says("accepted", ".d")
        #expect(try await run("resume", in: spool).printed == "going on\n")
        for name in ["a", "c", "d"] { try await daemon.says("done \(name)") }
        #expect(try await run("resume", in: spool).printed == "it was not paused\n")
        #expect(try await daemon.stop() == 0)
        #expect(spool.list("hold") == [queue[1]])
        // Without a daemon, too.
        #expect(try await run("release", "b", in: spool).code == 0)
        #expect(spool.list("queue") == [queue[1]])
        await standIn.stop()
    }

    @Test("of several held jobs of one name none is touched, and their tickets are named")
    func several() async throws {
        let spool = try TestSpool()
        try spool.makeFolders()
        let names = ["5-20260101T000000.000001Z.a.json", "5-20260101T000000.000002Z.a.json"]
        for name in names { try Data("{}".utf8).write(to: spool.path("hold/\(name)")) }
        let released = try await run("release", "a", in: spool)
        #expect(released.code == 65)
        #expect(
            released.said == ["sdspool release: 2 jobs are called a; name one by its ticket:"] + names.map { "  \($0)" }
        )
        #expect(spool.list("hold") == names)
        // One whose place is taken stays.
        try Data("{}".utf8).write(to: spool.path("queue/\(names[0])"))
        #expect(try await run("release", String(names[0].dropLast(5)), in: spool).code == 66)
        #expect(spool.list("hold") == names)
    }

    @Test("a failed job is dropped once more, and all of them are")
    func retry() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        for name in ["a", "b", "c"] {
            try spool.drop(name, smallJob(#""cfg_scale": "big""#))
            try await daemon.says("failed \(name)")
        }
        // It does not fail once more before the command has cleaned up behind it.
        try spool.put("", at: "PAUSE")
        try await daemon.says("paused")
        let again = try await run("retry", "a", "nope", in: spool)
        #expect(again.code == 66)
        #expect(again.printed == "dropped a once more\n")
        #expect(
            again.said.first?.hasPrefix("sdspool retry: nothing to drop again in \(spool.url.path)/failed/nope") == true
        )
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        while spool.list("failed").count < 3 { await Task.yield() }
        #expect(spool.list("failed") == ["a", "b", "c"])
        #expect(spool.list("failed/a") == ["a.json", "error.json"])
        #expect(try await daemon.stop() == 0)
        #expect(
            try await run("retry", "--all", in: spool).printed
                == "dropped a once more\ndropped b once more\ndropped c once more\n")
        #expect(spool.list("failed").isEmpty)
        #expect(spool.list("inbox") == ["a.json", "b.json", "c.json"])
        await standIn.stop()
    }
}
