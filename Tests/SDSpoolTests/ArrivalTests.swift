// However a file arrives, it becomes one job, and becomes it whole.

import Foundation
import Glibc
import StandIn
import Testing

@Suite(.witnessed) struct ArrivalTests {
    @Test("whichever way a file comes, it is one job, and its last bytes are in it")
    func ways() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        await spool.takeSlot()
        // Longer than any tool takes between its steps.
        let options = ["--settle", "3600", "--no-progress"]
        var daemon = try Program(spool.arguments(server: standIn.url) + options)
        try await daemon.says("ready:")
        var count = 0
        for (number, way) in (ArrivalWay.all.filter { !$0.isSilent } + ArrivalWay.all.filter(\.isSilent)).enumerated() {
            if way.isSilent {
                // Nobody tells of its last change: it is found by a look at the folder.
                #expect(try await daemon.stop() == 0)
                daemon = try Program(
                    spool.arguments(server: standIn.url) + options + ["--poll", "0.5", "--settle", "600"])
                try await daemon.says("ready:")
            }
            if let lack = lack(way.programs) {
                print("skipped, arrival by \(way): \(lack)")
                continue
            }
            let name = "job\(number)"
            let job = smallJob(#""way": "\#(name)""#)
            let place = spool.surroundings.appendingPathComponent("at-\(name)")
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            let tool = try Program(
                ["-euc", way.script], executable: URL(fileURLWithPath: "/bin/sh"),
                environment: [
                    "JOB": job, "NAME": "\(name).json", "INBOX": spool.path("inbox").path,
                    "FILE": spool.path("inbox/\(name).json").path,
                ], in: place)
            #expect(try await tool.exitCode() == 0, "\(way): \(tool.lines)")
            try await daemon.line("done \(name)") { $0.contains(" done \(name):") }
            let text = try String(contentsOf: spool.path("done/\(name)/\(name).json"), encoding: .utf8)
            let last = way.description.hasPrefix("complete, and open") ? job.replacing("a cat", with: "a dog") : job
            #expect(text.trimmingCharacters(in: .newlines) == last, "\(way)")
            count += 1
        }
        #expect(try await daemon.stop() == 0)
        #expect(standIn.requests.count == count)
        let left = try FileManager.default.contentsOfDirectory(atPath: spool.path("inbox").path)
        #expect(left.filter { !$0.hasSuffix("~") }.isEmpty, "\(left)")
        #expect(spool.list("failed").isEmpty && spool.list("queue").isEmpty)
        await standIn.stop()
    }

    /// A program that is run by nobody; `nil` where that cannot be tried, which is told.
    private func byNobody(_ arguments: [String]) async throws -> Program? {
        let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", try Program.executable.path]
        let check = try Program(nobody + ["--version"], executable: URL(fileURLWithPath: "/usr/bin/setpriv"))
        guard geteuid() == 0, try await check.exitCode() == 0 else {
            print("skipped, files of others: only root can try that, where others may run \(nobody[3])")
            return nil
        }
        return try Program(nobody + arguments, executable: URL(fileURLWithPath: "/usr/bin/setpriv"))
    }

    @Test("a file that cannot be read yet is waited for, and taken at its chmod")
    func unreadable() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        #expect(chmod(spool.url.path, 0o777) == 0 && chmod(spool.path("inbox").path, 0o777) == 0)
        await spool.takeSlot()
        guard let daemon = try await byNobody(spool.arguments(server: standIn.url).dropLast() + ["3600"]) else {
            return
        }
        try await daemon.says("ready:")
        let file = spool.path("inbox/.cat.json")
        try Data(smallJob().utf8).write(to: file)
        #expect(chmod(file.path, 0o600) == 0)
        try FileManager.default.moveItem(at: file, to: spool.path("inbox/cat.json"))
        try spool.drop("next", smallJob())
        try await daemon.says("done next")
        #expect(spool.list("inbox") == ["cat.json"])
        #expect(chmod(spool.path("inbox/cat.json").path, 0o644) == 0)
        try await daemon.says("done cat")
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("what only others may read or enter keeps nobody from their pictures, the page or the room of old results")
    func ofOthers() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        try spool.makeFolders()
        let ours = [".", "inbox", "queue", "active", "done", "failed", "hold", "assets"]
        for folder in ours { #expect(chmod(spool.path(folder).path, 0o777) == 0) }
        // Each has the first place in the line, or comes first in the alphabet.
        let (file, folder) = ("0-20260101T000000.000001Z.a", "0-20260101T000000.000002Z.b")
        try spool.put(smallJob(), at: "queue/\(file).json")
        #expect(chmod(spool.path("queue/\(file).json").path, 0o600) == 0)
        try spool.put(smallJob(), at: "queue/\(folder)/b.json")
        for result in ["done/@eaDir", "failed/@eaDir", "done/.going-0/@eaDir"] {
            try spool.put("x", at: "\(result)/x")
            #expect(chmod(spool.path(result).path, 0o700) == 0)
        }
        await spool.takeSlot()
        guard let daemon = try await byNobody(spool.arguments(server: standIn.url) + ["--in-flight", "1"]) else {
            return
        }
        try await daemon.says("ready:")
        for name in ["c", "d"] { try spool.drop(name, smallJob()) }
        for name in ["c", "d"] { try await daemon.says("done \(name)") }
        try await daemon.says("EACCES", folder)
        #expect(spool.list("queue") == [folder])
        let message = try #require(try spool.document("failed/a/error.json")["message"] as? String)
        #expect(message.hasPrefix("it cannot be read: openat") && message.hasSuffix("Permission denied (EACCES)"))
        #expect(try await daemon.stop() == 0)
        #expect(try String(contentsOf: spool.path("index.html"), encoding: .utf8).contains("done/d/d-1.png"))
        let prune = try #require(try await byNobody(["prune", "--spool", spool.url.path, "--older", "0m"]))
        #expect(try await prune.exitCode() == 74)
        try await prune.says("done/.going-0/@eaDir", "EACCES")
        #expect(spool.list("done") == ["@eaDir"])
        await standIn.stop()
    }

    @Test("what is no job stays where it is, and costs the next job nothing")
    func strangers() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let inbox = spool.path("inbox").path
        let junk = [
            "._cat.json", "cat.json~", ".cat.json.swp", "cat.json.part", "cat.json.crdownload", "cat.json.filepart",
            "cat.json.tmp", ".~lock.cat.json#", ".syncthing.cat.json.tmp", "4913", "sedAbC123", ".DS_Store",
            "Thumbs.db",
            "desktop.ini", "cat.txt", "json", ".json",
        ]
        for name in junk { try spool.put("{}", at: "inbox/\(name)") }
        for number in 0..<10_000 { close(open("\(inbox)/junk-\(number)", O_CREAT | O_WRONLY | O_CLOEXEC, 0o644)) }
        for folder in ["@eaDir", "folder.json"] { try spool.put(smallJob(), at: "inbox/\(folder)/in.json") }
        #expect(symlink("/etc/passwd", "\(inbox)/link.json") == 0)
        #expect(mkfifo("\(inbox)/fifo.json", 0o600) == 0)
        let before = try FileManager.default.contentsOfDirectory(atPath: inbox).count
        let daemon = try await spool.daemon(server: standIn.url)
        for name in ["folder.json", "link.json", "fifo.json"] { try await daemon.says("inbox/\(name) is left alone") }
        try spool.drop("cat", smallJob())
        try await daemon.says("done cat")
        #expect(try await daemon.stop() == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: inbox).count == before)
        #expect(spool.list("failed").isEmpty && spool.list("done") == ["cat"])
        await standIn.stop()
    }

    /// As bytes, and what becomes of them.
    private static let names: [(dropped: [UInt8], folder: String)] = [
        (Array("a cat's \"best\" <day>.json".utf8), "a cat's %22best%22 %3cday%3e"),
        (Array("-rf.json".utf8), "-rf"), (Array("two\nlines.json".utf8), "two%0alines"),
        (Array("CAT.JSON".utf8), "CAT"), (Array("con.json".utf8), "%63on"), (Array("Lpt1.x.json".utf8), "%4cpt1.x"),
        ([0x63, 0x61, 0x66, 0xe9] + Array(".json".utf8), "caf%e9"),
        (Array("caf\u{e9}.json".utf8), "caf\u{e9}"), (Array("cafe\u{301}.json".utf8), "cafe\u{301}"),
        (Array("dot..json".utf8), "dot%2e"), (Array("\u{1b}[2J.json".utf8), "%1b[2J"),
    ]

    @Test("any name becomes one that a share can show, and the name that was dropped is in the result")
    func anyName() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        let inbox = spool.path("inbox").path
        func drop(_ name: [UInt8], _ text: String) throws {
            let draft = spool.path("inbox/.draft")
            try Data(text.utf8).write(to: draft)
            let target =
                Array(inbox.utf8CString.dropLast()) + "/".utf8.map(CChar.init) + name.map { CChar(bitPattern: $0) }
            #expect(rename(draft.path, target + [0]) == 0)
        }
        for (dropped, _) in Self.names { try drop(dropped, smallJob()) }
        let long = [UInt8](repeating: UInt8(ascii: "x"), count: 250) + Array(".json".utf8)
        try drop(long, smallJob())
        try drop(Array("no?job.json".utf8), "hello")
        try await spool.holds(Self.names.count + 1, in: "done")
        try await daemon.says("refused no%3fjob")
        #expect(try await daemon.stop() == 0)
        for (dropped, folder) in Self.names {
            let result = try spool.document("done/\(folder)/result.json")
            let isSame = Array("\(folder).json".utf8) == dropped
            #expect((result["dropped"] != nil) == !isSame, "\(folder)")
        }
        #expect(try spool.document("done/caf%e9/result.json")["dropped"] as? String == #"caf\xe9.json"#)
        #expect(try spool.document("done/CAT/result.json")["dropped"] as? String == "CAT.JSON")
        #expect(try spool.document("failed/no%3fjob/error.json")["dropped"] as? String == "no?job.json")
        let cut = try #require(spool.list("done").first { $0.hasPrefix("xxx") })
        #expect(cut.utf8.count == 200)
        let result = try spool.document("done/\(cut)/result.json")
        #expect(result["dropped"] as? String == String(decoding: long, as: UTF8.self))
        await standIn.stop()
    }

    @Test("a name that is dropped again while the first waits, runs or has ended is another job")
    func again() async throws {
        let standIn = try StandIn.start(options: .init(stepTime: .milliseconds(1)))
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        let slow = smallJob().replacing(#""steps": 1"#, with: #""steps": 100"#)
        try spool.drop("cat", slow)
        await standIn.wait { $0.first?.started != nil }
        // While it runs; then while one waits.
        for _ in 0..<2 {
            try spool.drop("cat", slow)
            try await spool.holds(0, in: "inbox")
        }
        try spool.drop("bad", "{]")
        try await daemon.says("refused bad")
        try spool.drop("bad", "{]")
        try await spool.holds(3, in: "done")
        try await spool.holds(2, in: "failed")
        try spool.drop("cat", slow)
        try await spool.holds(4, in: "done")
        #expect(try await daemon.stop() == 0)
        #expect(spool.list("done") == ["cat", "cat.2", "cat.3", "cat.4"])
        #expect(spool.list("failed") == ["bad", "bad.2"])
        await standIn.stop()
    }

    @Test("an inbox that is deleted, moved away or made anew is told of, and the next file is taken all the same")
    func inboxGone() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        let inbox = spool.path("inbox")
        let away = spool.surroundings.appendingPathComponent("unrelated")
        try FileManager.default.moveItem(at: inbox, to: away)
        try await daemon.says("inbox is gone")
        // Somebody's own folder now, whatever it was before.
        try Data(smallJob().utf8).write(to: away.appendingPathComponent("not.json"))
        try FileManager.default.createDirectory(at: inbox, withIntermediateDirectories: true)
        try await daemon.says("inbox is back")
        try spool.drop("a", smallJob())
        try await daemon.says("done a")
        try FileManager.default.removeItem(at: inbox)
        try FileManager.default.createDirectory(at: inbox, withIntermediateDirectories: true)
        try spool.drop("b", smallJob())
        try await daemon.says("done b")
        try FileManager.default.removeItem(at: spool.path("done"))
        try spool.drop("c", smallJob())
        try await daemon.says("done c")
        #expect(try await daemon.stop() == 0)
        #expect(spool.list("done") == ["c"])
        #expect(FileManager.default.fileExists(atPath: away.appendingPathComponent("not.json").path))
        await standIn.stop()
    }
}
