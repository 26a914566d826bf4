// active → done or failed.

import Foundation
import Linux
import Testing

@testable import Spool

@Suite struct PublishTests {
    let spool: TestSpool
    var folders: Spool { spool.folders }

    init() throws {
        spool = try TestSpool()
    }

    /// Ends a job of that name with a result and gives the name of its folder in done/.
    private func finish(_ name: String, _ result: String = "{}") throws -> String {
        let path = try spool.claim(name).finish(with: Data(result.utf8))
        #expect(path.hasPrefix(spool.path + "/done/"))
        return String(path.dropFirst(spool.path.count + 6))
    }

    private func report(_ job: ActiveJob) -> ErrorReport {
        ErrorReport(ticket: job.ticket, class: "permanent", message: "no")
    }

    @Test("a result lies where the job's name says, with the job and its pictures and nothing of ours")
    func finish() throws {
        let job = try spool.claim("cat", at: 1, "{\"a\": 1}")
        try job.record(Attempts())
        try spool.write("a picture", to: "cat-1.png", in: job.folder)
        try spool.write("cut off", to: ".cat-2.png", in: job.folder)
        #expect(try job.finish(with: Data("{ }".utf8)) == spool.path + "/done/cat")
        #expect(
            try spool.tree("done") == [
                "cat", "cat/cat-1.png: a picture", "cat/cat.json: {\"a\": 1}", "cat/result.json: { }",
            ])
        #expect(try spool.tree("active").isEmpty)
    }

    @Test("a failed job keeps its file and the reason, and loses what its attempts left")
    func fail() throws {
        let job = try spool.claim("cat", at: 1, "{\"a\": 1}")
        try job.record(Attempts())
        try spool.write("half a picture", to: "cat-1.png", in: job.folder)
        #expect(try job.fail(with: report(job)) == spool.path + "/failed/cat")
        #expect(try names(in: folders.failed.directory("cat")) == ["cat.json", "error.json"])
        #expect(try spool.text("failed/cat/cat.json") == "{\"a\": 1}")
        #expect(try spool.object("failed/cat/error.json")["message"] as? String == "no")
        #expect(try spool.tree("active").isEmpty)
    }

    @Test("a name that is taken gets a number, in done/ and in failed/ each by itself")
    func numbers() throws {
        #expect(try (1...4).map { _ in try finish("cat") } == ["cat", "cat.2", "cat.3", "cat.4"])
        let job = try spool.claim("cat")
        #expect(try job.fail(with: report(job)) == spool.path + "/failed/cat")
        // A job of a name that was given already gets the next free one, too.
        #expect(try finish("cat.2") == "cat.2.2")
    }

    @Test("no result is written over, whatever lies there")
    func noClobber() throws {
        try spool.write("a note", to: "cat", in: folders.done)
        try spool.write("a note", to: "cat.2", in: folders.done)
        #expect(try finish("cat", "{ }") == "cat.3")
        #expect(try spool.text("done/cat") == "a note")
        #expect(try finish("dog", "1") == "dog")
        #expect(try finish("dog", "2") == "dog.2")
        #expect(try spool.text("done/dog/result.json") == "1")
    }

    @Test("an empty folder in the way is nobody's result")
    func emptyFolder() throws {
        try folders.done.makeDirectory("cat")
        #expect(try finish("cat") == "cat")
    }

    @Test("the free number is found behind any count of taken ones", arguments: [1, 2, 3, 4, 7, 8, 9, 100, 300])
    func gallop(taken: Int) throws {
        for number in 1...taken {
            try spool.write("", to: name(number == 1 ? "cat" : "cat.\(number)"), in: folders.done)
        }
        #expect(try finish("cat") == "cat.\(taken + 1)")
    }

    @Test("a gap is filled or passed over, and nothing is written over")
    func gaps() throws {
        for number in [3, 4, 5, 9, 16, 17] { try spool.write("x", to: name("cat.\(number)"), in: folders.done) }
        var given: [String] = []
        for _ in 0..<20 { given.append(try finish("cat")) }
        #expect(Set(given).count == 20)
        #expect(given.first == "cat")
        #expect(try spool.text("done/cat.9") == "x")
        #expect(try names(in: folders.done).count == 26)
    }

    @Test("a delivery that was cut off is made again, at any of its steps", arguments: 0...2)
    func cutOff(step: Int) throws {
        let job = try spool.claim("cat")
        if step < 2 { try job.record(Attempts()) }
        if step < 1 { try spool.write("", to: ".result.json", in: job.folder) }
        try spool.write("{}", to: "result.json", in: job.folder)
        #expect(try job.deliver(to: folders.done, as: .done) == spool.path + "/done/cat")
        #expect(try names(in: folders.done.directory("cat")) == ["cat.json", "result.json"])
    }

    @Test("a job that is named like a file of ours is published beside it", arguments: ["result", "error", "attempts"])
    func namesake(name: String) throws {
        let job = try spool.claim(name, at: 1, "{\"a\": 1}")
        try job.record(Attempts())
        #expect(try job.finish(with: Data("{ }".utf8)) == spool.path + "/done/\(name)")
        #expect(try spool.text("done/\(name)/result.json") == "{ }")
        #expect(try spool.text("done/\(name)/\(name).job.json") == "{\"a\": 1}")
    }

    @Test("a job with the longest name gets its number, too")
    func long() throws {
        let long = String(repeating: "x", count: JobName.limit)
        #expect(try finish(long) == long)
        #expect(try finish(long) == long + ".2")
    }

    @Test("a record of attempts is written in place of the last one")
    func record() throws {
        let job = try spool.claim("cat", at: 1)
        var attempts = Attempts()
        attempts.begin(server: "http://a", at: Timestamp(microseconds: 1))
        try job.record(attempts)
        #expect(try job.attempts().list.map(\.server) == ["http://a"])
        try job.record(Attempts())
        #expect(try job.attempts().list.isEmpty)
    }
}
