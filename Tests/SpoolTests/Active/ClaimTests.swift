// queued → active, the attempts there, and active → queued.

import Foundation
import Linux
import Testing

@testable import Spool

@Suite struct ClaimTests {
    let spool: TestSpool
    var folders: Spool { spool.folders }

    init() throws {
        spool = try TestSpool()
    }

    private func attempts(_ count: Int) -> Attempts {
        var attempts = Attempts()
        attempts.drawn = ["seed": 7]
        for number in 0..<count { attempts.begin(server: "http://a", at: Timestamp(microseconds: Int64(number))) }
        return attempts
    }

    @Test("a claimed job leaves the queue for a folder of its own")
    func claim() throws {
        let ticket = try spool.queue("cat", "{\"a\": 1}")
        let job = try #require(try Claims(folders).claim(ticket))
        #expect(job.ticket == ticket)
        #expect(try job.content(upTo: 100) == Data("{\"a\": 1}".utf8))
        #expect(try job.content(upTo: 3) == Data("{\"a".utf8))
        #expect(try job.attempts() == Attempts())
        #expect(try spool.tree("queue").isEmpty)
        #expect(try spool.tree("active") == ["\(ticket)", "\(ticket)/cat.json: {\"a\": 1}"])
    }

    @Test("a job that somebody took away is not claimed, and leaves nothing in active/")
    func cancelled() throws {
        let ticket = try spool.queue("cat")
        try folders.queue.unlink(ticket.file)
        #expect(try Claims(folders).claim(ticket) == nil)
        #expect(try spool.tree("active").isEmpty)
    }

    @Test("a claim that was cut off before its rename is made again")
    func cutOff() throws {
        let ticket = try spool.queue("cat")
        try folders.active.makeDirectory(ticket.folder)
        #expect(try Claims(folders).claim(ticket) != nil)
        #expect(try spool.tree("active").count == 2)
    }

    @Test("a claim that an error has cut off behind its rename leaves nothing of a job that was cancelled since")
    func cancelledMeanwhile() throws {
        let job = try spool.claim("cat")
        try job.folder.unlink(job.file)
        #expect(try Claims(folders).claim(job.ticket, again: true) == nil)
        #expect(try spool.tree("active").isEmpty)
    }

    @Test("a job goes back to its place as the file that it was, its bytes and its inode the same")
    func requeueFile() throws {
        let ticket = try spool.queue("cat", priority: 3, at: 7, "{ }")
        let before = try folders.queue.status(of: ticket.file)
        let job = try #require(try Claims(folders).claim(ticket))
        try spool.write("half a picture", to: "cat-1.png", in: job.folder)
        #expect(try job.requeue() == .queued)
        #expect(try spool.tree("queue") == ["\(ticket).json: { }"])
        #expect(try folders.queue.status(of: ticket.file)?.inode == before?.inode)
        #expect(try spool.tree("active").isEmpty)
        #expect(try Listing(folders).waiting() == [ticket])
    }

    @Test("a job that was tried goes back as a folder with the record of its attempts, and is claimed with it")
    func requeueFolder() throws {
        let job = try spool.claim("cat")
        try job.record(attempts(2))
        try spool.write("half a picture", to: "cat-1.png", in: job.folder)
        try job.folder.makeDirectory("stage")
        try spool.write("", to: "x", in: job.folder.directory("stage"))
        #expect(try job.requeue() == .queued)
        #expect(try names(in: folders.queue) == ["\(job.ticket)"])
        #expect(try names(in: folders.queue.directory(job.ticket.folder)) == ["attempts.json", "cat.json"])
        #expect(try Listing(folders).waiting() == [job.ticket])
        let again = try #require(try Claims(folders).claim(job.ticket))
        #expect(try again.attempts() == attempts(2))
        #expect(try again.content(upTo: 10) == Data("{}".utf8))
        #expect(try spool.tree("queue").isEmpty)
        #expect(try names(in: folders.active) == ["\(job.ticket)"])
    }

    @Test("a job whose file somebody deleted is cancelled", arguments: [false, true])
    func deleted(tried: Bool) throws {
        let job = try spool.claim("cat")
        if tried { try job.record(attempts(1)) }
        try job.folder.unlink("cat.json")
        #expect(try job.content(upTo: 10) == nil)
        #expect(try job.requeue() == .gone)
        #expect(try spool.tree("queue").isEmpty)
        #expect(try spool.tree("active").isEmpty)
    }

    @Test("a record is written whole, over the last one")
    func record() throws {
        let job = try spool.claim("cat")
        try spool.write("cut off", to: ".attempts.json", in: job.folder)
        for count in 1...3 {
            try job.record(attempts(count))
            #expect(try job.attempts() == attempts(count))
        }
        #expect(try names(in: job.folder) == ["attempts.json", "cat.json"])
    }

    @Test("a record that cannot be read counts as none", arguments: ["", "{", "[]", "{\"list\": 1}"])
    func unreadable(text: String) throws {
        let job = try spool.claim("cat")
        try spool.write(text, to: "attempts.json", in: job.folder)
        #expect(try job.attempts() == Attempts())
    }

    @Test("an attempt is counted from 1, whatever somebody has written into the record")
    func number() throws {
        let job = try spool.claim("cat")
        let text = #"{"drawn": {}, "list": [{"number": 9223372036854775807, "server": "a", "started": "b"}]}"#
        try spool.write(text, to: "attempts.json", in: job.folder)
        var attempts = try job.attempts()
        attempts.begin(server: "a", at: .now)
        #expect(attempts.list.last?.number == 2)
    }

    @Test("what has the name of a job that waits, and is neither its file nor its folder, does not wait")
    func strangers() throws {
        let ticket = try Ticket.test("cat")
        try folders.queue.makeDirectory(ticket.file)
        try spool.write("", to: ticket.folder, in: folders.queue)
        #expect(try !Pending(folders).isQueued(ticket) && Claims(folders).claim(ticket) == nil)
        try folders.queue.removeDirectory(ticket.file)
        try spool.write("{}", to: ticket.file, in: folders.queue)
        #expect(try Pending(folders).isQueued(ticket))
    }

    @Test("what waits is listed in order, files and folders, and nothing else")
    func waiting() throws {
        let late = try spool.queue("a", at: 3)
        let first = try spool.queue("b", priority: 1, at: 9)
        let tried = try spool.claim("c", at: 2)
        try tried.record(attempts(1))
        #expect(try tried.requeue() == .queued)
        try spool.write("", to: "README.txt", in: folders.queue)
        #expect(try Listing(folders).waiting() == [first, tried.ticket, late])
    }

    @Test("a job that is named like a file of ours keeps its bytes", arguments: ["attempts", "result", "error"])
    func namesake(job name: String) throws {
        let job = try spool.claim(name, at: 1, "{\"a\": 1}")
        try job.record(attempts(1))
        #expect(try job.requeue() == .queued)
        let again = try #require(try Claims(folders).claim(job.ticket))
        #expect(try again.content(upTo: 10) == Data("{\"a\": 1}".utf8))
        #expect(try again.attempts() == attempts(1))
    }
}
