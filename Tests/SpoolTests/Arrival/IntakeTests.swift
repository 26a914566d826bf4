// The ways in which a file arrives, on real files.

import Foundation
import Glibc
import Linux
import Testing

@testable import Spool

@Suite struct IntakeTests {
    let spool: TestSpool
    var inbox: Directory { spool.folders.inbox }

    init() throws {
        spool = try TestSpool()
    }

    @Test("a file that is written and closed is accepted, its bytes as they were")
    func dropped() throws {
        let loop = try IntakeLoop(spool)
        let text = "\u{feff}{\r\n \"prompt\": \"a cat\", \"sdspool\": {\"priority\": 3}}\r\n"
        try spool.drop("Cat.json", text)
        let outcomes = try loop.outcomes(1)
        guard case .accepted(let ticket, _) = outcomes.first else {
            Issue.record("\(outcomes)")
            return
        }
        #expect(ticket.priority == 3)
        #expect(ticket.name.description == "Cat")
        #expect(try names(in: inbox).isEmpty)
        #expect(try spool.tree("queue") == ["\(ticket).json: \(text)"])
        #expect(try Listing(spool.folders).waiting() == [ticket])
    }

    @Test("a file that is renamed into the inbox is accepted, from outside or from a draft in it")
    func renamed() throws {
        let loop = try IntakeLoop(spool)
        try spool.write("{}", to: "outside", in: spool.folders.root)
        try spool.folders.root.rename("outside", to: inbox, as: "a.json")
        try spool.drop(".b.json.Xyz123")
        try inbox.rename(".b.json.Xyz123", to: inbox, as: "b.json")
        try spool.drop("c.json.part")
        try inbox.rename("c.json.part", to: inbox, as: "c.json")
        #expect(try loop.settled() == ["accepted a", "accepted b", "accepted c"])
    }

    @Test("a hard link is accepted, and the file it is a link to stays")
    func linked() throws {
        let loop = try IntakeLoop(spool)
        try spool.write("{}", to: "original", in: spool.folders.root)
        #expect(link(spool.path + "/original", spool.path + "/inbox/a.json") == 0)
        #expect(try loop.settled() == ["accepted a"])
        #expect(try spool.text("original") == "{}")
        #expect(try names(in: inbox).isEmpty)
    }

    @Test("a file that is written in several rounds is waited for")
    func rounds() throws {
        let loop = try IntakeLoop(spool)
        try spool.drop("a.json", "")
        #expect(try loop.settled() == [])
        try spool.append("{\"prompt\": ", to: "inbox/a.json")
        #expect(try loop.settled() == [])
        try spool.append("\"a cat\"}", to: "inbox/a.json")
        #expect(try loop.settled() == ["accepted a"])
    }

    @Test("a file that is half written is waited for, also where it makes no sense yet")
    func half() throws {
        let loop = try IntakeLoop(spool)
        let half = try inbox.createFile("half.json")
        try half.write(Data("{\"prompt\": ".utf8))
        let hole = try inbox.createFile("hole.json")
        try hole.write(Data(count: 13))
        let wrong = try inbox.createFile("wrong.json")
        try wrong.write(Data("garb".utf8))
        #expect(try loop.settled() == [])
        try half.write(Data("1}".utf8))
        try half.close()
        try spool.letGo("half.json", in: inbox)
        #expect(try loop.settled() == ["accepted half"])
        try hole.close()
        try spool.letGo("hole.json", in: inbox)
        #expect(try loop.settled() == [])
        try wrong.write(Data("age".utf8))
        try wrong.close()
        try spool.letGo("wrong.json", in: inbox)
        #expect(try loop.settled() == ["refused wrong: not JSON: line 1, column 1: a value is missing"])
        #expect(try names(in: inbox) == ["hole.json"])
    }

    @Test("what is no job goes to failed/, as it was, with the reason")
    func garbage() throws {
        let loop = try IntakeLoop(spool)
        try spool.drop("cat.json", "{\n  \"prompt\": \"a cat\",\n}\n")
        try spool.drop("dog.json", "{\"sdspool\": {\"prio\": 1}}")
        #expect(
            try loop.settled() == [
                "refused cat: not JSON: line 3, column 1: a key in double quotes is missing behind the comma",
                "refused dog: \"sdspool\" knows callback, endpoint, matrix, method, priority, server and wait, but not \"prio\"",
            ])
        #expect(try names(in: inbox).isEmpty)
        #expect(try names(in: spool.folders.active).isEmpty)
        #expect(try spool.text("failed/cat/cat.json") == "{\n  \"prompt\": \"a cat\",\n}\n")
        let error = try spool.object("failed/cat/error.json")
        #expect(error["class"] as? String == "not a job")
        #expect(error["line"] as? Int == 3)
        #expect(error["column"] as? Int == 1)
        #expect((error["message"] as? String)?.contains("a key in double quotes is missing") == true)
        #expect(try spool.object("failed/dog/error.json")["line"] == nil)
    }

    @Test("what stays unfinished is refused when it has not changed for a while")
    func abandoned() throws {
        let loop = try IntakeLoop(spool, settle: .milliseconds(50))
        try spool.drop("a.json", "{\"prompt\": \"a c")
        let outcomes = try loop.outcomes(1).map(words)
        #expect(outcomes == ["refused a: not JSON: line 1, column 16: the text ends too early"])
        #expect(try names(in: spool.folders.failed) == ["a"])
    }

    @Test("a file over the size limit is refused unread")
    func large() throws {
        let loop = try IntakeLoop(spool, cap: 20)
        try spool.drop("fits.json", "{\"a\": \"1234567890\"}\n")
        try spool.drop("large.json", "{\"a\": \"12345678901\"}\n")
        let sparse = try inbox.createFile("sparse.json")
        #expect(truncate(spool.path + "/inbox/sparse.json", 1 << 40) == 0)
        try sparse.close()
        try spool.letGo("sparse.json", in: inbox)
        #expect(
            try loop.settled() == [
                "accepted fits", "refused large: the file has 21 bytes; at most 20 are read",
                "refused sparse: the file has 1099511627776 bytes; at most 20 are read",
            ])
    }

    @Test("what is no file is left alone, told once, and taken when a file has its name")
    func noFiles() throws {
        let loop = try IntakeLoop(spool)
        try spool.write("{}", to: "target", in: spool.folders.root)
        #expect(symlink("../target", spool.path + "/inbox/link.json") == 0)
        #expect(mkfifo(spool.path + "/inbox/fifo.json", 0o600) == 0)
        #expect(
            try loop.settled() == [
                "left alone link.json: it is a symbolic link; links are not followed",
                "left alone fifo.json: it is a FIFO, a socket or a device",
            ])
        #expect(lchown(spool.path + "/inbox/link.json", geteuid(), getegid()) == 0)
        #expect(try loop.settled() == [])
        #expect(try names(in: inbox) == ["fifo.json", "link.json"])
        #expect(try spool.text("target") == "{}")
        try inbox.unlink("link.json")
        try spool.drop("link.json")
        #expect(try loop.settled() == ["accepted link"])
    }

    @Test("a file that takes the name of what was left alone is found by the next listing, though nobody tells of it")
    func untold() throws {
        let inotify = try Inotify()
        var intake = try Intake(
            spool.folders, inotify, settle: .seconds(3600), cap: 1 << 20, after: nil, servers: [])
        try inbox.makeDirectory("a.json")
        for _ in 0..<2 { _ = intake.collect([], isRound: true) }
        #expect(intake.collect([], isRound: true).map(words) == [])
        try inbox.removeDirectory("a.json")
        try spool.drop("a.json")
        #expect(intake.collect([], isRound: true).map(words) == ["accepted a"])
    }

    @Test("what is no job by its name, and a folder and what is in it, is passed over in silence")
    func strangers() throws {
        let loop = try IntakeLoop(spool)
        for name: FileName in [".cat.json", "cat.txt", "cat.json~", ".DS_Store", "4913"] { try spool.drop(name) }
        try inbox.makeDirectory("folder.json")
        try spool.write("{}", to: "cat.json", in: inbox.directory("folder.json"))
        #expect(try loop.settled() == [])
        #expect(try names(in: inbox).count == 6)
    }

    @Test("a name that is not UTF-8 is accepted under one that is, and kept beside the job")
    func bytes() throws {
        let loop = try IntakeLoop(spool)
        let file = try #require(FileName(bytes: [0xff, 0x0a] + Array(".json".utf8)))
        try spool.drop(file, "{\"a\": 1}")
        #expect(try loop.settled() == ["accepted %ff%0a"])
        #expect(try names(in: inbox).isEmpty)
        let ticket = try #require(try Listing(spool.folders).waiting().first)
        #expect(try names(in: spool.folders.queue) == ["\(ticket)"])
        #expect(try spool.text("queue/\(ticket)/%ff%0a.json") == "{\"a\": 1}")
        let job = try #require(try Claims(spool.folders).claim(ticket))
        #expect(try job.attempts().dropped == #"\xff\x0a.json"#)
    }

    @Test("a name of 255 bytes is accepted under one that fits")
    func long() throws {
        let loop = try IntakeLoop(spool)
        try spool.drop(name(String(repeating: "x", count: 250) + ".json"))
        try spool.drop(name(String(repeating: "y", count: 250) + ".json"), "[]")
        #expect(try loop.settled().map { $0.prefix(12) } == ["accepted xxx", "refused yyyy"])
    }

    @Test("the same name twice is two jobs; one that is replaced before it was seen is one")
    func twice() throws {
        let loop = try IntakeLoop(spool)
        try spool.drop("a.json", "{\"n\": 1}")
        #expect(try loop.settled() == ["accepted a"])
        try spool.drop("a.json", "{\"n\": 1}")
        #expect(try loop.settled() == ["accepted a"])
        #expect(try Listing(spool.folders).waiting().count == 2)
        try spool.drop("a.json", "{\"n\": 2}")
        try spool.drop("draft", "{\"n\": 3}")
        try inbox.rename("draft", to: inbox, as: "a.json")
        #expect(try loop.settled() == ["accepted a"])
        #expect(try spool.tree("queue").last?.hasSuffix("{\"n\": 3}") == true)
    }

    @Test("a file that somebody takes away again is forgotten")
    func gone() throws {
        let loop = try IntakeLoop(spool)
        try spool.drop("a.json")
        try inbox.unlink("a.json")
        try spool.drop("b.json", "{")
        #expect(try loop.settled() == [])
        try inbox.rename("b.json", to: spool.folders.root, as: "b")
        try spool.drop("c.json")
        #expect(try loop.settled() == ["accepted c"])
    }
}
