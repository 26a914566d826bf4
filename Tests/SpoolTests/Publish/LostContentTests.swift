// A sync fails and the content is gone, while a second sync of the same file would succeed. Each test runs in a process of
// its own, in which FaultSeam makes the syncs fail.

import Foundation
import Glibc
import Linux
import Testing

@testable import Spool

/// Has the syncs of this process fail: the words of SDSPOOL_FAULT. To be called before its first file call.
private func armed(_ faults: String) throws -> TestSpool {
    setenv("SDSPOOL_FAULT", faults, 1)
    return try TestSpool()
}

/// Syncs that opening a spool makes.
private let syncsOfOpening = 1

private func isFailing<Value>(_ body: () throws -> Value) -> Bool { (try? body()) == nil }

@Suite struct LostContentTests {
    @Test("a picture that is lost stays lost, however often its job is finished")
    func picture() async throws {
        await #expect(processExitsWith: .success) {
            let spool = try armed("sync+\(syncsOfOpening + 1):EIO")
            let job = try spool.claim("cat")
            let file = try job.folder.createFile("cat-1.png")
            try file.write(Data("a picture".utf8))
            let unsynced = UnsyncedFile(file)
            for _ in 0..<2 {
                #expect(throws: ContentLost.self) { try job.finish(with: Data("{}".utf8), unsynced: [unsynced]) }
            }
            #expect(try names(in: spool.folders.done).isEmpty)
            #expect(
                try spool.tree("active").contains { $0.hasSuffix("cat-1.png: " + String(repeating: "\0", count: 9)) })
        }
    }

    @Test("a picture that is on the disk is not synced again behind a later error")
    func later() async throws {
        // The picture, the result, the job's folder.
        await #expect(processExitsWith: .success) {
            let spool = try armed("sync+\(syncsOfOpening + 2):ENOSPC")
            let job = try spool.claim("cat")
            let file = try job.folder.createFile("cat-1.png")
            try file.write(Data("a picture".utf8))
            let unsynced = UnsyncedFile(file)
            #expect(throws: SystemError.self) { try job.finish(with: Data("{ }".utf8), unsynced: [unsynced]) }
            _ = try job.finish(with: Data("{ }".utf8), unsynced: [unsynced])
            #expect(
                try spool.tree("done") == [
                    "cat", "cat/cat-1.png: a picture", "cat/cat.json: {}", "cat/result.json: { }",
                ])
        }
    }

    @Test("a draft that is lost is never dropped")
    func draft() async throws {
        await #expect(processExitsWith: .success) {
            let spool = try armed("sync+\(syncsOfOpening + 1):EIO")
            let draft = try Inbox(spool.folders).draft()
            try draft.write(Data("{}".utf8))
            let name = try #require(JobName(called: "cat"))
            #expect(isFailing { try draft.sync() })
            #expect(isFailing { try Inbox(spool.folders).drop(draft, named: name) })
            #expect(isFailing { try draft.write(Data("{}".utf8)) })
            draft.discard()
            #expect(try names(in: spool.folders.inbox).isEmpty)
        }
    }

    @Test("a dropped file that is lost is written anew, also where the disk fails that, too, and no draft stays behind")
    func dropped() async throws {
        await #expect(processExitsWith: .success) {
            let spool = try armed("sync+\(syncsOfOpening + 1):EIO,sync+1:ENOSPC")
            try spool.drop("a.json", "{\"a\": 1}")
            let loop = try IntakeLoop(spool)
            for sign in ["troubled", "accepted a"] {
                #expect(try loop.outcomes(1).map(words).first?.hasPrefix(sign) == true)
                #expect(try spool.folders.active.entries().isEmpty)
            }
            #expect(try spool.tree("queue").first?.hasSuffix(": {\"a\": 1}") == true)
        }
    }

    @Test("what a burst has lost is written anew, also what is accepted only later")
    func burst() async throws {
        await #expect(processExitsWith: .success) {
            let spool = try armed("sync+\(syncsOfOpening + 1):EIO")
            for name: FileName in ["a.json", "b.json", "c.json"] { try spool.drop(name, "{\"a\": 1}") }
            // Its writer has it open still.
            let open = try spool.folders.inbox.createFile("open.json")
            try open.write(Data("{\"a\": 1}".utf8))
            let loop = try IntakeLoop(spool)
            #expect(
                Set(try loop.outcomes(4).map(words)).subtracting(["accepted a", "accepted b", "accepted c"]).count == 1)
            try open.close()
            #expect(try loop.outcomes(1).map(words) == ["accepted open"])
            #expect(try spool.tree("queue").count { $0.hasSuffix(": {\"a\": 1}") } == 4)
        }
    }

    @Test("the parts of a batch that are lost are written anew")
    func parts() async throws {
        await #expect(processExitsWith: .success) {
            let spool = try armed("sync+\(syncsOfOpening + 1):EIO")
            let text = "[{\"a\": 1}, {\"a\": 2}]"
            let job = try spool.claim("cat", at: 10, text)
            guard case .batch(let batch) = try Submission(Data(text.utf8), kind: .json) else { return }
            #expect(isFailing { try job.expand(batch, at: []) })
            _ = try job.expand(batch, at: [])
            #expect(try spool.tree("queue").map { $0.suffix(8) } == ["{\"a\": 1}", "{\"a\": 2}"])
        }
    }

    @Test("a record that is lost keeps its job from being sent, and is written anew", arguments: [1, 2, 3])
    func record(call: Int) async throws {
        await #expect(processExitsWith: .success) { [call] in
            let spool = try armed("sync+\(syncsOfOpening + call):ENOSPC")
            let job = try spool.claim("cat", at: 1)
            var attempts = Attempts()
            attempts.drawn = ["seed": 7]
            #expect(isFailing { try job.record(attempts) })
            try job.abandon(attempts)
            #expect(try job.attempts().drawn["seed"] == 7)
        }
    }

    @Test("a message in a folder whose own name is not on the disk is not posted")
    func outbox() async throws {
        await #expect(processExitsWith: .success) {
            // The result, the job's folder, the spool.
            let spool = try armed("sync+\(syncsOfOpening + 3):ENOSPC")
            var job = try spool.claim("cat", #"{"sdspool": {"callback": "http://127.0.0.1"}}"#)
            job.callback = try job.writtenCallback()
            #expect(isFailing { try job.finish(with: Data("{}".utf8)) })
            #expect(try spool.folders.root.status(of: ".outbox") == nil)
            _ = try job.finish(with: Data("{}".utf8))
            #expect(try Outbox(spool.folders).messages() == [job.ticket])
        }
    }
}
