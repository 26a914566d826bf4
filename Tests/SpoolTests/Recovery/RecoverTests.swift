// What a daemon finds after the last one was killed.

import Foundation
import Linux
import Testing

@testable import Spool

@Suite struct RecoverTests {
    let spool: TestSpool
    var folders: Spool { spool.folders }

    init() throws {
        spool = try TestSpool()
    }

    private func put(_ entries: [String: String], of job: String, at microseconds: Int64) throws -> Ticket {
        let ticket = try Ticket.test(job, at: microseconds)
        try folders.active.makeDirectory(ticket.folder)
        let folder = try folders.active.directory(ticket.folder)
        for (entry, text) in entries { try spool.write(text, to: name(entry), in: folder) }
        return ticket
    }

    @Test("each job that was left in active/ comes to where it belongs, and the second time nothing is changed")
    func recover() throws {
        let rendered = try put(["a.json": "{}", "a-1.png": "half", ".result.json": "half"], of: "a", at: 1)
        let tried = try put(["b.json": "{}", "attempts.json": "{\"drawn\":{},\"list\":[]}"], of: "b", at: 2)
        _ = try put(["c.json": "{}", "c-1.png": "whole", "result.json": "{}", "attempts.json": ""], of: "c", at: 3)
        _ = try put(["d.json": "{}", "error.json": "{}"], of: "d", at: 4)
        _ = try put([:], of: "e", at: 5)
        _ = try put(["attempts.json": "{}", "f-1.png": "x"], of: "f", at: 6)
        try folders.active.makeDirectory("lost+found")
        let waiting = try spool.queue("w", at: 7)
        let told = try Recovery(folders).recover()
        #expect(
            told == [
                "a was being rendered and is back in the queue", "b was being rendered and is back in the queue",
                "c was finished and is now in \(spool.path)/done/c",
                "d had failed and is now in \(spool.path)/failed/d",
                "\(spool.path)/active/lost+found is no job's folder and is left alone",
            ])
        #expect(try Listing(folders).waiting() == [rendered, tried, waiting])
        #expect(try spool.tree("active") == ["lost+found"])
        #expect(try spool.tree("done") == ["c", "c/c-1.png: whole", "c/c.json: {}", "c/result.json: {}"])
        #expect(try spool.tree("failed") == ["d", "d/d.json: {}", "d/error.json: {}"])
        #expect(
            try spool.tree("queue") == [
                "\(rendered).json: {}", "\(tried)", "\(tried)/attempts.json: {\"drawn\":{},\"list\":[]}",
                "\(tried)/b.json: {}", "\(waiting).json: {}",
            ])
        let tree = try spool.tree()
        #expect(
            try Recovery(folders).recover() == ["\(spool.path)/active/lost+found is no job's folder and is left alone"])
        #expect(try spool.tree() == tree)
    }

    @Test("a result that was cut off before its move is published once, also where its name is taken by now")
    func taken() throws {
        _ = try put(["c.json": "2", "result.json": "{}"], of: "c", at: 3)
        try folders.done.makeDirectory("c")
        try spool.write("1", to: "c.json", in: folders.done.directory("c"))
        #expect(try Recovery(folders).recover() == ["c was finished and is now in \(spool.path)/done/c.2"])
        #expect(try spool.text("done/c/c.json") == "1")
        #expect(try spool.text("done/c.2/c.json") == "2")
        #expect(try Recovery(folders).recover().isEmpty)
    }

    @Test("a job that was put back twice is as it was")
    func twice() throws {
        let ticket = try spool.queue("cat", "{\"a\": 1}")
        for _ in 0..<2 {
            _ = try #require(try Claims(folders).claim(ticket))
            #expect(try Recovery(folders).recover().count == 1)
            #expect(try spool.tree("queue") == ["\(ticket).json: {\"a\": 1}"])
        }
    }

    @Test("a job that somebody has copied into the queue is two, and the copy has the place", arguments: [true, false])
    func copied(wasTried: Bool) throws {
        let entries = wasTried ? ["cat.json": "mine", "attempts.json": "{}"] : ["cat.json": "mine"]
        let ticket = try put(entries, of: "cat", at: 1)
        try folders.queue.makeDirectory(ticket.folder)
        try spool.write("copy", to: "cat.json", in: folders.queue.directory(ticket.folder))
        try spool.write("other", to: ticket.next.file, in: folders.queue)
        #expect(try Recovery(folders).recover() == ["cat was being rendered and is back in the queue"])
        let place = ticket.next.next
        let back =
            wasTried ? ["\(place)", "\(place)/attempts.json: {}", "\(place)/cat.json: mine"] : ["\(place).json: mine"]
        #expect(
            try spool.tree("queue") == ["\(ticket)", "\(ticket)/cat.json: copy", "\(ticket.next).json: other"] + back)
        #expect(try spool.tree("active").isEmpty)
    }

    @Test("what was refused in the middle is no less refused")
    func refusal() throws {
        let ticket = try put(["x.json": "garbage", "error.json": "{}"], of: "x", at: 1)
        #expect(try Recovery(folders).recover() == ["\(ticket.name) had failed and is now in \(spool.path)/failed/x"])
        #expect(try spool.text("failed/x/x.json") == "garbage")
    }

    @Test("a draft that is being written is not swept, however far the file server's clock is from the daemon's")
    func otherClock() throws {
        let draft = ".00000000-0000-0000-0000-000000000001.drop"
        try spool.drop(name(draft))
        try spool.write("", to: ".lock", in: folders.root)
        let inAYear = Timestamp(microseconds: Timestamp.now.microseconds + 365 * 86_400_000_000)
        #expect(try Recovery(folders).recover(now: inAYear).isEmpty)
        #expect(try names(in: folders.inbox) == [draft])
    }

    @Test("drafts that nobody has gone on writing for a day are swept out of the inbox, and nothing else is")
    func drafts() throws {
        let draft = try Inbox(folders).draft()
        try draft.write(Data("{\"prompt\": ".utf8))
        let names = try names(in: folders.inbox)
        let left = try #require(names.first)
        let others = [
            left.dropFirst().description, left.uppercased(), "\(left)2", left.replacing(".drop", with: ".json"),
            ".0.drop", ".drop", ".cat.drop", "cat.drop",
        ]
        for other in others { try spool.drop(name(other), "mine") }
        try folders.inbox.makeDirectory(".00000000-0000-0000-0000-000000000000.drop")
        let all = try spool.tree("inbox")
        let now = Timestamp.now
        func later(_ hours: Int64) -> Timestamp { Timestamp(microseconds: now.microseconds + hours * 3_600_000_000) }
        for moment in [now, later(23), later(-48)] {
            #expect(try Recovery(folders).recover(now: moment).isEmpty)
            #expect(try spool.tree("inbox") == all)
        }
        let words = "removed from \(spool.path)/inbox:"
        #expect(
            try Recovery(folders).recover(now: later(25)) == [
                "\(words) 1 draft that nobody has gone on writing for a day"
            ])
        #expect(try spool.tree("inbox") == all.filter { !$0.hasPrefix("\(left): ") })
        let more = try [Inbox(folders).draft(), Inbox(folders).draft()]
        #expect(try Recovery(folders).recover(now: later(25)).map { $0.hasPrefix("\(words) 2 drafts ") } == [true])
        more.forEach { $0.discard() }
        #expect(try spool.tree("inbox").count == all.count - 1)
    }

    @Test("an empty spool needs nothing")
    func empty() throws {
        let tree = try spool.tree()
        #expect(try Recovery(folders).recover().isEmpty)
        #expect(try spool.tree() == tree)
    }
}
