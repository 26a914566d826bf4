// A batch on its way from the inbox to its parts in the queue, and what is found of it after a crash.

import Foundation
import Glibc
import Linux
import Synchronization
import Testing

@testable import Spool

private let matrix =
    #"{"prompt": "a cat", "sdspool": {"priority": 3, "matrix": {"seed": [1, 2], "steps": [10, 2.50]}}}"#

@Suite struct ExpandTests {
    let spool: TestSpool
    var folders: Spool { spool.folders }

    init() throws {
        spool = try TestSpool()
    }

    /// A batch that has left the inbox and of which nothing is made yet.
    private func taken(_ file: FileName, _ text: String) throws -> (job: ActiveJob, batch: Batch) {
        try spool.drop(file, text)
        let batch = try batch(text, try #require(JobFileKind(of: file)))
        let ticket = Ticket(
            priority: batch.priority, arrival: Timestamp(microseconds: 100), name: try #require(JobName(dropped: file)))
        return (try #require(try Acceptance(folders).take(file, as: ticket)), batch)
    }

    private func batch(_ text: String, _ kind: JobFileKind) throws -> Batch {
        guard case .batch(let batch) = try Submission(Data(text.utf8), kind: kind) else {
            throw JobFileError(message: "one job")
        }
        return batch
    }

    private func expand(_ job: ActiveJob, _ batch: Batch) throws -> Expansion? {
        try job.expand(batch, at: [])
    }

    /// What is in queue/ and done/ when the batch of four has been expanded, once.
    private func expectWhole(_ file: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(try names(in: folders.active).isEmpty, sourceLocation: sourceLocation)
        #expect(
            try names(in: folders.queue)
                == (1...4).map { "3-19700101T000000.0000\(95 + $0)Z.cat-00\($0).json" }, sourceLocation: sourceLocation)
        #expect(try names(in: folders.done) == ["cat"], sourceLocation: sourceLocation)
        #expect(
            try names(in: folders.done.directory("cat")) == ["cat.\(file)", "result.json"].sorted(),
            sourceLocation: sourceLocation)
        #expect(try Recovery(folders).recover().isEmpty, sourceLocation: sourceLocation)
    }

    @Test("a matrix becomes its combinations, in order, and the result tells which is which")
    func expanded() throws {
        let (job, batch) = try taken("cat.json", matrix)
        let expansion = try #require(try expand(job, batch))
        #expect(expansion.path == "\(spool.path)/done/cat")
        try expectWhole("json")
        #expect(try Listing(folders).waiting() == expansion.parts.map(\.ticket))
        #expect(
            try spool.tree("queue").map { $0.split(separator: ": ", maxSplits: 1)[1] } == [
                #"{"seed": 1, "steps": 10, "prompt": "a cat", "sdspool": {"priority": 3}}"#,
                #"{"seed": 1, "steps": 2.50, "prompt": "a cat", "sdspool": {"priority": 3}}"#,
                #"{"seed": 2, "steps": 10, "prompt": "a cat", "sdspool": {"priority": 3}}"#,
                #"{"seed": 2, "steps": 2.50, "prompt": "a cat", "sdspool": {"priority": 3}}"#,
            ])
        #expect(try spool.text("done/cat/cat.json") == matrix)
        let result = try spool.object("done/cat/result.json")
        #expect(result["status"] as? Int == 202)
        #expect(result["ticket"] as? String == "3-19700101T000000.000100Z.cat")
        let parts = try #require(result["parts"] as? [[String: Any]])
        #expect(parts.map { $0["name"] as? String } == ["cat-001", "cat-002", "cat-003", "cat-004"])
        #expect(parts.map { $0["ticket"] as? String } == expansion.parts.map(\.ticket.description))
        #expect(parts.map { ($0["matrix"] as? [String: Double])?["seed"] } == [1, 1, 2, 2])
        #expect(try spool.text("done/cat/result.json").contains(#""matrix":{"seed":2,"steps":2.50}"#))
    }

    @Test("each part goes to its lane, with the priority that it asks for")
    func jobClasses() throws {
        let (job, batch) = try taken(
            "cat.jsonl", "{\"a\": 1}\n{\"sdspool\": {\"endpoint\": \"/q\", \"priority\": 1}}\n")
        let expansion = try #require(try job.expand(batch, at: []))
        #expect(expansion.parts.map(\.jobClass) == [.renders, .queries])
        #expect(
            expansion.parts.map(\.ticket.description) == [
                "5-19700101T000000.000098Z.cat-001", "1-19700101T000000.000099Z.cat-002",
            ])
        #expect(try spool.text("done/cat/cat.jsonl").hasPrefix("{\"a\": 1}\n"))
        #expect(try spool.object("done/cat/result.json")["status"] as? Int == 202)
    }

    @Test("what a matrix leaves to chance is drawn once for all of its combinations, but for what is in the matrix")
    func chance() throws {
        let (job, batch) = try taken(
            "cat.jsonl",
            """
            {"seed": -1, "sdspool": {"matrix": {"steps": [1, 2]}}}
            {"sdspool": {"matrix": {"seed": [-1, 5]}}}
            {"sdspool": {"matrix": {"steps": [3, 4]}}}
            {"steps": 5}
            """)
        _ = try expand(job, batch)
        let parts = try spool.tree("queue").map { String($0.split(separator: ": ", maxSplits: 1)[1]) }
        let seeds = parts.map { $0.firstMatch(of: /"seed": (-?\d+)/)?.output.1 ?? "" }
        #expect(seeds[0] == seeds[1] && seeds[0] != "-1")
        #expect(parts[2...3] == [#"{"seed": -1}"#, #"{"seed": 5}"#])
        #expect(seeds[4] == seeds[5] && seeds[4] != seeds[0])
        #expect(parts[4] == #"{"seed": \#(seeds[4]), "steps": 3}"#)
        #expect(parts[6] == #"{"steps": 5}"#)
    }

    @Test("a long value is told by its place in the list, so that no picture stands in the table")
    func longValues() throws {
        let picture = String(repeating: "A", count: 300)
        let (job, batch) = try taken("cat.json", "{\"sdspool\": {\"matrix\": {\"image\": [\"x\", \"\(picture)\"]}}}")
        _ = try expand(job, batch)
        let text = try spool.text("done/cat/result.json")
        #expect(text.contains(#""matrix":{"image":"x"}"#))
        #expect(text.contains(#""matrix":{"image":"value 2 of 2"}"#))
        #expect(try spool.tree("queue").last?.hasSuffix(", \"image\": \"\(picture)\"}") == true)
    }

    // MARK: Cut off

    /// Where a batch can be cut off, and what then lies in its folder besides its file.
    enum Cut: CaseIterable {
        case taken, stageHalfMade, stageMade, resultHalfWritten, resultWritten, somePartsMoved, allPartsMoved, stageGone

        var isCommitted: Bool { [.resultWritten, .somePartsMoved, .allPartsMoved, .stageGone].contains(self) }
    }

    /// Does the steps of an expansion up to a point, by hand.
    private func cut(_ job: ActiveJob, _ batch: Batch, at cut: Cut) throws {
        guard cut != .taken else { return }
        try job.folder.makeDirectory(JobFolder.parts)
        let stage = try job.folder.directory(JobFolder.parts)
        var files: [FileName] = []
        try batch.forEach { part in
            files.append(batch.ticket(of: part, in: job.ticket).file)
            if cut == .stageHalfMade, part.number > 2 { return }
            try spool.write(String(decoding: part.text, as: UTF8.self), to: try #require(files.last), in: stage)
        }
        switch cut {
        case .taken, .stageHalfMade, .stageMade: return
        case .resultHalfWritten: return try spool.write("{", to: ".result.json", in: job.folder)
        case .resultWritten, .somePartsMoved, .allPartsMoved, .stageGone:
            try spool.write("{}", to: JobFolder.result, in: job.folder)
        }
        let moved = cut == .resultWritten ? 0 : cut == .somePartsMoved ? 2 : 4
        for file in files.prefix(moved) { try stage.rename(file, to: folders.queue, as: file) }
        if cut == .stageGone { try job.folder.removeDirectory(JobFolder.parts) }
    }

    @Test(
        "wherever it is cut off, each part is queued once, the batch is done once, and a second recovery changes nothing",
        arguments: Cut.allCases, ["json", "jsonl"])
    func recovered(cut place: Cut, file: String) throws {
        let lines = (1...4).map { "{\"n\": \($0), \"sdspool\": {\"priority\": 3}}" }
        let text = file == "json" ? "[\(lines.joined(separator: ",\n"))]" : lines.joined(separator: "\n")
        let (job, batch) = try taken(name("cat.\(file)"), text)
        try cut(job, batch, at: place)

        #expect(
            try Recovery(folders).recover() == [
                place.isCommitted
                    ? "cat was finished and is now in \(spool.path)/done/cat"
                    : "cat was being rendered and is back in the queue"
            ])
        let tree = try spool.tree()
        #expect(try Recovery(folders).recover().isEmpty)
        #expect(try spool.tree() == tree)
        if !place.isCommitted {
            // Nothing of it is to be seen but the batch itself, in its place, as it was dropped.
            let entry = "\(job.ticket)\(file == "json" ? ".json" : "/cat.jsonl")"
            #expect(try spool.tree("queue").filter { $0.contains("{") } == ["\(entry): \(text)"])
            let waiting = try Listing(folders).waiting()
            #expect(waiting == [job.ticket])
            let claimed = try #require(try Claims(folders).claim(job.ticket))
            #expect(claimed.kind == (file == "json" ? .json : .lines))
            let content = try #require(try claimed.content(upTo: 1 << 20))
            _ = try expand(claimed, self.batch(String(decoding: content, as: UTF8.self), claimed.kind))
        }
        try expectWhole(file)
        for number in 1...4 {
            let part = "3-19700101T000000.0000\(95 + number)Z.cat-00\(number).json"
            #expect(try spool.text("queue/\(part)") == lines[number - 1])
        }
    }

    @Test(
        "an expansion that the disk stopped goes on where it was, before the commit and behind it",
        arguments: Cut.allCases)
    func again(cut place: Cut) throws {
        let (job, batch) = try taken("cat.json", matrix)
        try cut(job, batch, at: place)
        #expect(try expand(job, batch)?.parts.count == 4)
        try expectWhole("json")
        #expect(try spool.object("done/cat/result.json")["status"] as? Int == 202)
        #expect(try expand(job, batch)?.path == "\(spool.path)/done/cat")
    }

    @Test("a part that is under way already when the moves of the others go on is not queued again")
    func partUnderWay() throws {
        let (job, batch) = try taken("cat.json", matrix)
        try cut(job, batch, at: .somePartsMoved)
        let first = try #require(try Listing(folders).waiting().first)
        _ = try #require(try Claims(folders).claim(first))
        #expect(try expand(job, batch)?.parts.count == 4)
        #expect(
            try Listing(folders).waiting().map(\.name.description) == ["cat-002", "cat-003", "cat-004"])
        #expect(try names(in: folders.active) == [first.description])
    }

    @Test("a batch whose file somebody has deleted is cancelled")
    func cancelled() throws {
        let (job, batch) = try taken("cat.json", matrix)
        try job.folder.unlink("cat.json")
        #expect(try expand(job, batch) == nil)
        #expect(try names(in: folders.queue).isEmpty)
        #expect(try Recovery(folders).recover().isEmpty)
        #expect(try names(in: folders.active).isEmpty)
    }

    @Test("what comes in behind a batch that is to be expanded again gets no arrival of its parts")
    func arrivals() throws {
        let (job, _) = try taken("cat.json", matrix)
        _ = try Recovery(folders).recover()
        var clock = ArrivalClock(after: try Listing(folders).waiting().map(\.arrival).max())
        #expect(clock.next(now: Timestamp(microseconds: 97)) > job.ticket.arrival)
    }

    // MARK: Through the inbox

    @Test("a file with many jobs is expanded where it stands in the order of arrivals")
    func inbox() throws {
        let loop = try IntakeLoop(spool)
        try spool.drop("a.json")
        try spool.drop("b.json", "[{}, {}]")
        try spool.drop("c.jsonl", "{}\n{}\n{}\n")
        try spool.drop("d.json", "{\"sdspool\": {\"matrix\": {\"seed\": [1, 2]}}}")
        try spool.drop("e.json")
        #expect(
            try loop.settled() == [
                "accepted a", "expanded b into 2", "expanded c into 3", "expanded d into 2", "accepted e",
            ])
        #expect(
            try Listing(folders).waiting().map(\.name.description) == [
                "a", "b-001", "b-002", "c-001", "c-002", "c-003", "d-001", "d-002", "e",
            ])
        #expect(try names(in: folders.inbox).isEmpty)
        #expect(try names(in: folders.done) == ["b", "c", "d"])
    }

    @Test("one wrong job and none is queued: the file fails, under its own name")
    func refused() throws {
        let loop = try IntakeLoop(spool)
        try spool.drop("a.jsonl", "{}\n{\"a\" 1}\n{}\n")
        #expect(
            try loop.settled() == ["refused a: not JSON: line 2, column 6: a colon is missing behind the key"])
        #expect(try names(in: folders.queue).isEmpty)
        #expect(try names(in: folders.failed.directory("a")) == ["a.jsonl", "error.json"])
        #expect(try spool.object("failed/a/error.json")["line"] as? Int == 2)
        // Mended, it goes the same way again.
        try folders.failed.directory("a").unlink("a.jsonl")
        try spool.drop("a.jsonl", "{}\n{}\n")
        #expect(try loop.settled() == ["expanded a into 2"])
    }

    @Test("lines that are still being written are waited for, though each of them is whole")
    func growing() throws {
        let loop = try IntakeLoop(spool)
        let file = try folders.inbox.createFile("a.jsonl")
        try file.write(Data("{}\n".utf8))
        #expect(try loop.settled() == [])
        try file.write(Data("{}\n{\"a\"".utf8))
        #expect(try loop.settled() == [])
        try file.write(Data(": 1}\n".utf8))
        try file.close()
        try spool.letGo("a.jsonl", in: folders.inbox)
        #expect(try loop.settled() == ["expanded a into 3"])
    }

    @Test("lines that were moved in while somebody writes on are waited for until he is done")
    func movedWhileWritten() throws {
        let loop = try IntakeLoop(spool)
        let file = try folders.root.createFile("draft")
        try file.write(Data("{}\n".utf8))
        guard try folders.root.file("draft").hasWriter == true else { try Test.cancel("no leases here") }
        try folders.root.rename("draft", to: folders.inbox, as: "a.jsonl")
        #expect(try loop.settled() == [])
        try file.write(Data("{}\n".utf8))
        try file.close()
        try spool.letGo("a.jsonl", in: folders.inbox)
        #expect(try loop.settled() == ["expanded a into 2"])
    }

    @Test("what the disk stops on the way of a batch is told, tried again, and done once")
    func stopped() throws {
        let future = Timestamp(microseconds: Timestamp.now.microseconds + 3_600_000_000)
        let loop = try IntakeLoop(spool, after: future)
        // A folder that has the name of the second part stops its move, behind the instant of commit.
        let second = Ticket(
            priority: 5, arrival: Timestamp(microseconds: future.microseconds + 2),
            name: try #require(JobName(written: "cat-002".utf8)))
        try folders.queue.makeDirectory(second.file)
        try spool.drop("cat.json", "[{\"n\": 1}, {\"n\": 2}]")
        let told = try loop.outcomes(1).map(words)
        #expect(told.count == 1 && told[0].hasPrefix("troubled: renameat "))
        #expect(try names(in: folders.done).isEmpty)
        try folders.queue.removeDirectory(second.file)
        #expect(try loop.outcomes(1).map(words) == ["expanded cat into 2"])
        #expect(try Listing(folders).waiting().map(\.name.description) == ["cat-001", "cat-002"])
        #expect(try spool.text("queue/\(second).json") == "{\"n\": 2}")
        #expect(try names(in: folders.active).isEmpty)
        #expect(try Recovery(folders).recover().isEmpty)
    }
}
