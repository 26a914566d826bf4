// What people do with jobs by the command line: submit, wait, status, why, prune. Only the folder is asked.

import Foundation
import StandIn
import Testing

@Suite(.witnessed) struct SubmitTests {
    private func run(_ words: String..., in spool: TestSpool) async throws -> (
        code: Int32, printed: [String], said: [String]
    ) {
        let program = try Program([words[0], "--spool", spool.url.path] + words.dropFirst())
        let code = try await program.exitCode()
        let printed = try program.printed().split(separator: "\n").map(String.init)
        return (code, printed, program.lines)
    }

    @Test("a prompt is a job: its ticket is printed, its pictures' paths are when it is waited for")
    func prompt() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        let size = ["--width", "64", "--height", "64", "--steps", "1"]
        func submit(_ words: String...) async throws -> (code: Int32, printed: [String], said: [String]) {
            let program = try Program(["submit", "--spool", spool.url.path] + size + words)
            let code = try await program.exitCode()
            return (code, try program.printed().split(separator: "\n").map(String.init), program.lines)
        }
        let first = try await submit("--prompt", "A Lighthouse, at dusk", "--cfg-scale", "7.10", "--priority", "2")
        #expect(first.code == 0)
        let ticket = try #require(first.printed.first)
        #expect(ticket.hasPrefix("2-") && ticket.hasSuffix("Z.a-lighthouse-at-dusk"), "\(first)")
        let waited = try await run("wait", ticket, in: spool)
        #expect(waited.printed == ["\(spool.url.path)/done/a-lighthouse-at-dusk/a-lighthouse-at-dusk-1.png"])
        let job = try String(
            contentsOf: spool.path("done/a-lighthouse-at-dusk/a-lighthouse-at-dusk.json"), encoding: .utf8)
        #expect(job.contains(#""cfg_scale": 7.10"#), "no number is rounded: \(job)")

        let second = try await submit("--wait", "--batch", "2", "--name", "cat", "--prompt", #"a "cat"\"#)
        #expect(second.code == 0)
        #expect(second.printed == ["cat-1.png", "cat-2.png"].map { "\(spool.url.path)/done/cat/\($0)" })
        #expect(try spool.document("done/cat/cat.json")["prompt"] as? String == #"a "cat"\"#)

        let odd = spool.surroundings.appendingPathComponent("odd.json")
        try Data(smallJob(#""cfg_scale": "big""#).utf8).write(to: odd)
        let failing = try await run("submit", "--wait", odd.path, in: spool)
        #expect(failing.code == 1)
        #expect(failing.said.last?.contains("odd failed: ") == true, "\(failing)")
        #expect(try await submit("--prompt", "x", "--steps", "many").code == 64)
        #expect(try await submit("--prompt", "x", "--steps=").code == 64)
        #expect(try await submit("--wait", "--name", "none", "--prompt=x", "--negative=", "--seed=5").code == 0)
        let none = try spool.document("done/none/none.json")
        #expect(none["negative_prompt"] as? String == "", "an empty value is one, and swallows nothing: \(none)")
        #expect(none["seed"] as? Int == 5)
        #expect(try await submit("x.json").code == 64, "a file says its steps itself")
        #expect(try await daemon.stop() == 0)
        #expect(spool.list("inbox").isEmpty)
        await standIn.stop()
    }

    @Test("files and stdin are dropped as they are, under free names; what is no job is not dropped")
    func files() async throws {
        let spool = try TestSpool()
        try spool.makeFolders()
        let file = spool.surroundings.appendingPathComponent("cat.json")
        try Data(smallJob().utf8).write(to: file)
        let bad = spool.surroundings.appendingPathComponent("bad.json")
        try Data("{".utf8).write(to: bad)
        let refused = try await run("submit", file.path, bad.path, in: spool)
        #expect(refused.code == 65)
        #expect(refused.said == ["sdspool submit: bad is no job: not JSON: line 1, column 2: the text ends too early"])
        #expect(spool.list("inbox").isEmpty, "all or nothing")
        // Without a daemon the file waits in the inbox, and that is said.
        let first = try await run("submit", file.path, in: spool)
        #expect(first.code == 0)
        #expect(first.printed == ["\(spool.url.path)/inbox/cat.json"])
        #expect(first.said.first?.contains("no daemon serves") == true)
        #expect(try await run("submit", file.path, in: spool).printed == ["\(spool.url.path)/inbox/cat-2.json"])
        #expect(spool.list("inbox") == ["cat-2.json", "cat.json"])
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: spool.path("inbox").path).count == 2, "no draft is left"
        )
        func shell(_ line: String) throws -> Program {
            let arguments = ["-c", line, try Program.executable.path, spool.url.path]
            return try Program(arguments, executable: URL(fileURLWithPath: "/bin/bash"))
        }
        for line in [
            #"printf '%s' '{"prompt": "x"}' | "$0" submit --spool "$1" --name piped -"#,
            #""$0" submit --spool "$1" --name piped <(printf '%s' '{"prompt": "x"}')"#,
        ] { #expect(try await shell(line).exitCode() == 0) }
        #expect(spool.list("inbox") == ["cat-2.json", "cat.json", "piped-2.json", "piped.json"])
        let closed = try shell(#""$0" submit --spool "$1" - <&-"#)
        #expect(try await closed.exitCode() == 66)
        try await closed.says("sdspool submit: - cannot be read: Bad file descriptor (EBADF)")

        let standIn = try StandIn.quick()
        let waiting = try Program(["submit", "--spool", spool.url.path, "--wait", file.path])
        try await waiting.says("no daemon serves")
        try await spool.holds(5, in: "inbox")
        let daemon = try await spool.daemon(server: standIn.url)
        #expect(try await waiting.exitCode() == 0)
        #expect(try waiting.printed() == "\(spool.url.path)/done/cat-3/cat-3-1.png\n")
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test(
        "of a file with many jobs all are waited for, of one name the job that was dropped, and of a gone one that is told"
    )
    func waiting() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        let file = spool.surroundings.appendingPathComponent("many.json")
        try Data("[\(smallJob()), \(smallJob())]".utf8).write(to: file)
        let many = try await run("submit", "--wait", file.path, in: spool)
        #expect(many.printed == ["001", "002"].map { "\(spool.url.path)/done/many-\($0)/many-\($0)-1.png" })
        let again = try await run("submit", "--wait", file.path, in: spool)
        #expect(again.printed == ["001", "002"].map { "\(spool.url.path)/done/many-\($0).2/many-\($0)-1.png" })
        #expect(
            try await run("wait", "many-001", in: spool).printed == ["\(spool.url.path)/done/many-001.2/many-001-1.png"]
        )
        #expect(try await run("wait", "many-001", "nobody", in: spool).code == 66)
        #expect(try await run("pause", in: spool).code == 0)
        try await daemon.says("paused:")
        try spool.drop("gone", smallJob())
        let ticket = try #require(try await daemon.says("accepted", ".gone").split(separator: " ").last)
        let waiting = try Program(["wait", "--spool", spool.url.path, "gone"])
        #expect(try await run("cancel", String(ticket), in: spool).code == 0)
        // It may be asked for before or behind its end.
        let code = try await waiting.exitCode()
        #expect([1, 66].contains(code))
        #expect(waiting.lines.last?.contains("gone") == true)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("status tells what is rendered, what waits and why, what failed, and whether anybody is there")
    func status() async throws {
        let standIn = try StandIn.start(options: StandIn.Options(stepTime: .milliseconds(50)))
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        try spool.drop("bad", smallJob(#""cfg_scale": "big""#))
        try await daemon.says("failed bad")
        try spool.drop("long", smallJob().replacing(#""steps": 1"#, with: #""steps": 100000"#))
        try await daemon.says("rendering long")
        for name in ["a", "b", "c", "d", "e", "f", "g"] {
            try spool.drop(name, smallJob())
            try await daemon.says("accepted", ".\(name)")
        }
        #expect(try await run("pause", "lunch", in: spool).code == 0)
        try await daemon.says("paused:")
        try await spool.isSaid(state: "rendering")
        let shown = try await run("status", in: spool)
        let text = shown.printed.joined(separator: "\n")
        #expect(shown.code == 0)
        for words in [
            "(paused: ", " lunch)", "daemon     process \(daemon.pid) on ", "last word ",
            "server     \(standIn.url) up",
            "rendering  long", "failed     1", "bad: ",
        ] {
            #expect(text.contains(words), "\(words) is not in\n\(text)")
        }
        #expect(text.contains(" and 1 more") || text.contains(" and 2 more"), "\(text)")
        let json = try await run("status", "--json", in: spool)
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(json.printed.joined(separator: "\n").utf8)) as? [String: Any])
        #expect(object["alive"] as? Bool == true)
        #expect((object["status"] as? [String: Any])?["servers"] != nil)
        #expect(((object["failures"] as? [[String: Any]])?.first)?["folder"] as? String == "bad")
        let why = try await run("why", "g", spool.path("failed/bad").path, in: spool)
        #expect(why.code == 0)
        #expect(why.printed.first?.contains("g waits in the queue behind ") == true, "\(why)")
        #expect(why.printed.first?.contains("lunch): sdspool resume") == true, "\(why)")
        #expect(why.printed.last?.hasPrefix("\(spool.url.path)/failed/bad has failed (permanent): ") == true, "\(why)")
        // A dead daemon's last word is not what the spool does.
        daemon.kill(SIGKILL)
        _ = try await daemon.exitCode()
        let dead = try await run("status", in: spool)
        #expect(dead.code == 69)
        #expect(dead.printed.first?.contains(": no daemon") == true)
        #expect(try await run("why", "long", in: spool).printed.first?.contains("when its daemon ended") == true)
        await standIn.stop()
    }

    @Test("why tells of everything that can lie in an inbox")
    func why() async throws {
        let spool = try TestSpool()
        try spool.makeFolders()
        let files = [
            "notes.txt": ("hello", "does not end in .json"), ".hidden.json": ("{}", "begins with a dot"),
            "half.json": (#"{"prompt": "#, "is not whole yet: not JSON: line 1"), "wrong.json": ("[}", "is no job: "),
            "whole.json": (smallJob(), "is a whole job that is not taken yet. No daemon serves the spool"),
            "asset.json": (#"{"init_images": ["there.png"]}"#, "there.png"),
            "order.json": (#"{"sdspool": {"prio": 1}}"#, "knows "),
        ]
        for (name, file) in files { try Data(file.0.utf8).write(to: spool.path("inbox/\(name)")) }
        for (name, file) in files {
            let told = try await run("why", spool.path("inbox/\(name)").path, in: spool)
            #expect(told.code == 0)
            #expect(told.printed.joined().contains(file.1), "\(name): \(told)")
        }
        try FileManager.default.createDirectory(at: spool.path("inbox/folder.json"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: spool.path("inbox/link.json").path, withDestinationPath: "whole.json")
        try Data("{}".utf8).write(to: spool.path("queue/stray.json"))
        try Data("{}".utf8).write(to: spool.path("hold/parked.json"))
        for (path, words) in [
            ("inbox/folder.json", "it is a folder"), ("inbox/link.json", "symbolic link"),
            ("queue/stray.json", "none of the spool's files"), ("hold/parked.json", "is parked"),
        ] {
            let told = try await run("why", spool.path(path).path, in: spool)
            #expect(told.printed.first?.contains(words) == true, "\(path): \(told)")
        }
        #expect(try await run("why", spool.path("inbox/nothing.json").path, in: spool).code == 66)
        #expect(try await run("why", "/etc/passwd", in: spool).code == 66)
    }

    @Test("prune shows and takes the oldest results, and none that are too young to be asked for")
    func prune() async throws {
        let spool = try TestSpool()
        try spool.makeFolders()
        for (name, days) in [("old", 40.0), ("older", 50), ("new", 0)] {
            let folder = spool.path("done/\(name)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data("{}".utf8).write(to: folder.appendingPathComponent("result.json"))
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -days * 86400)], ofItemAtPath: folder.path)
        }
        #expect(try await run("prune", in: spool).code == 64)
        let trial = try await run("prune", "--older", "30d", "--dry-run", in: spool)
        #expect(trial.printed == ["older", "old"].map { "\(spool.url.path)/done/\($0)" })
        #expect(spool.list("done").count == 3)
        #expect(try await run("prune", "--older", "45d", in: spool).printed == ["\(spool.url.path)/done/older"])
        #expect(try await run("prune", "--keep", "0", in: spool).printed == ["\(spool.url.path)/done/old"])
        #expect(spool.list("done") == ["new"])
    }

    @Test("with --keep-done old results go by themselves when a new one comes, and what is young stays")
    func keepDone() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        for (name, days) in [("old", 40.0), ("older", 50), ("young", 0.5)] {
            let folder = spool.path("done/\(name)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data("{}".utf8).write(to: folder.appendingPathComponent("result.json"))
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -days * 86400)], ofItemAtPath: folder.path)
        }
        let program = try Program(["run", "--spool", spool.url.path, "--keep-done", "soon"])
        #expect(try await program.exitCode() == 64)
        let daemon = try await spool.daemon(server: standIn.url, "--keep-done", "2", "--keep-done", "45d")
        try spool.drop("cat", smallJob())
        try await daemon.says("2 old results taken out of done/")
        #expect(spool.list("done") == ["cat", "young"])
        // The job's numbers are there for Prometheus.
        #expect(try await daemon.stop() == 0)
        let numbers = try String(contentsOf: spool.path("metrics.prom"), encoding: .utf8)
        #expect(numbers.contains("\nsdspool_jobs_total{result=\"done\"} 1\n"), "\(numbers)")
        #expect(numbers.contains("\nsdspool_state{state=\"stopped\"} 1\n"))
        await standIn.stop()
    }
}
