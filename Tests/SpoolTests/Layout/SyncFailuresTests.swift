// What is remembered of files that a sync has failed for, and how they are written anew.

import Foundation
import Linux
import Testing

@testable import Spool

@Suite struct SyncFailuresTests {
    let spool: TestSpool
    var inbox: Directory { spool.folders.inbox }

    init() throws {
        spool = try TestSpool()
    }

    private func status(_ name: FileName) throws -> FileStatus { try #require(try inbox.status(of: name)) }

    @Test("the content is kept until the owner writes into the file, and the file stays untrusted after that")
    func changed() throws {
        try spool.drop("a.json", "{}")
        var failures = SyncFailures()
        failures.add(try status("a.json"), "a.json", Data("{}".utf8))
        #expect(failures.content(of: try status("a.json")) == Data("{}".utf8))
        // Another name changes nothing of the content.
        try inbox.link("a.json", as: "b")
        #expect(failures.content(of: try status("b")) == Data("{}".utf8))
        // What is read later may be zeros.
        failures.add(try status("a.json"), "a.json", Data("\0\0".utf8))
        #expect(failures.content(of: try status("a.json")) == Data("{}".utf8))
        try spool.append("\n", to: "inbox/a.json")
        #expect(failures.content(of: try status("a.json")) == nil)
        #expect(failures.contains(try status("a.json")))
        failures.add(try status("a.json"), "a.json", Data("{}\n".utf8))
        #expect(failures.content(of: try status("a.json")) == Data("{}\n".utf8))
        failures.remove(try status("a.json"))
        #expect(!failures.contains(try status("a.json")))
    }

    @Test("another file under the same name is trusted, and what is gone is forgotten when asked")
    func replaced() throws {
        try spool.drop("a.json", "{}")
        try spool.drop("b.json", "{}")
        var failures = SyncFailures()
        for name: FileName in ["a.json", "b.json"] { failures.add(try status(name), name, Data("{}".utf8)) }
        try spool.drop("draft", "{}")
        try inbox.rename("draft", to: inbox, as: "a.json")
        #expect(!failures.contains(try status("a.json")))
        let inbox = inbox
        try failures.removeGone { (name) throws(SystemError) in try inbox.status(of: name) }
        #expect(failures.count == 1)
        #expect(failures.contains(try status("b.json")))
    }

    @Test("content that finds no room is read again, and room that is given back is used")
    func room() throws {
        var failures = SyncFailures(room: 5)
        for name: FileName in ["a.json", "b.json"] {
            try spool.drop(name, "{  }")
            failures.add(try status(name), name, Data("{  }".utf8))
        }
        #expect(failures.content(of: try status("a.json")) != nil)
        #expect(failures.content(of: try status("b.json")) == nil)
        #expect(failures.contains(try status("b.json")))
        failures.remove(try status("a.json"))
        failures.add(try status("b.json"), "b.json", Data("{  }".utf8))
        #expect(failures.content(of: try status("b.json")) != nil)
    }

    @Test("a file that somebody has put in the place of a lost one is not written over, and no draft stays behind")
    func identity() throws {
        try spool.drop("a.json", "old")
        let lost = try status("a.json")
        try spool.drop("draft", "new")
        try inbox.rename("draft", to: inbox, as: "a.json")
        #expect(try Acceptance(spool.folders).rewrite("a.json", Data("old".utf8), insteadOf: lost) == nil)
        #expect(try spool.text("inbox/a.json") == "new")
        let now = try status("a.json")
        let after = try #require(try Acceptance(spool.folders).rewrite("a.json", Data("again".utf8), insteadOf: now))
        #expect(after.inode != now.inode)
        #expect(try spool.text("inbox/a.json") == "again")
        try inbox.unlink("a.json")
        #expect(try Acceptance(spool.folders).rewrite("a.json", Data("again".utf8), insteadOf: after) == nil)
        #expect(try names(in: spool.folders.active).isEmpty)
    }

    @Test("a job that has its end is not taken for cancelled, wherever its folder lies")
    func concluded() throws {
        let job = try spool.claim("cat")
        try spool.write("{}", to: "result.json", in: job.folder)
        try spool.folders.active.rename(job.ticket.folder, to: spool.folders.done, as: "cat")
        guard case .concluded = try job.requeue() else {
            Issue.record("it was put back or is gone")
            return
        }
    }
}
