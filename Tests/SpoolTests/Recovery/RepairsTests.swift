import Linux
import Testing

@testable import Spool

/// What was found in a job's folder and what follows. `cat.json` is the job, `cat-1.png` a picture that has come.
private let cases: [(entries: [String]?, repair: String)] = [
    ([], "discard"),
    (["cat-1.png"], "discard"),
    (["attempts.json"], "discard"),
    (["attempts.json", ".attempts.json", "cat-1.png"], "discard"),
    (["dog.json"], "discard"),
    (["cat.json"], "requeue"),
    (["cat.json", "attempts.json"], "requeue"),
    (["cat.json", ".result.json", "cat-1.png"], "requeue"),
    (["cat.json", "attempts.json", ".error.json"], "requeue"),
    (["cat.json", "attempts.json", "result.json", "cat-1.png"], "deliver"),
    (["cat.json", "result.json"], "deliver"),
    (["cat.json", "error.json"], "deliver failure"),
    (["cat.json", "error.json", "attempts.json"], "deliver failure"),
    (nil, "leave alone"),
]

private func words(_ repair: Repair) -> String {
    switch repair {
    case .deliver: "deliver"
    case .deliverFailure: "deliver failure"
    case .requeue: "requeue"
    case .discard: "discard"
    case .leaveAlone: "leave alone"
    }
}

@Suite struct RepairsTests {
    @Test("what lies in a job's folder says what is left to do", arguments: cases)
    func repair(entries: [String]?, expected: String) throws {
        let ticket = try Ticket.test("cat")
        let leftOver = LeftOver(name: ticket.folder, entries: try entries.map { Set(try $0.map(name)) })
        #expect(repairs(for: [leftOver]).map(words) == [expected])
    }

    @Test("a job that is named like a file of ours is not taken for it")
    func namesakes() throws {
        for (job, entries, expected) in [
            ("result", ["result.job.json"], "requeue"), ("result", ["result.json"], "discard"),
            ("error", ["error.job.json", "attempts.json"], "requeue"),
            ("attempts", ["attempts.job.json", "result.json"], "deliver"), ("ERROR", ["ERROR.job.json"], "requeue"),
        ] {
            let leftOver = LeftOver(name: try Ticket.test(job).folder, entries: Set(try entries.map(name)))
            #expect(repairs(for: [leftOver]).map(words) == [expected])
        }
    }

    @Test("what is not named by a ticket is left alone", arguments: ["cat", "5-cat", "lost+found"])
    func strangers(text: String) throws {
        let entry = try name(text)
        #expect(repairs(for: [LeftOver(name: entry, entries: ["cat.json"])]) == [.leaveAlone(entry)])
    }

    @Test("jobs are repaired in their order")
    func order() throws {
        let tickets = try [Ticket.test("b", at: 1), Ticket.test("a", at: 2), Ticket.test("c", priority: 6, at: 0)]
        let listing = try tickets.map { LeftOver(name: $0.folder, entries: [try name("\($0.name).json")]) }
        #expect(repairs(for: listing.reversed()) == tickets.map(Repair.requeue))
    }

    @Test("what a repair leaves needs no repair")
    func once() throws {
        let listing = try cases.enumerated().map { index, row in
            let ticket = try Ticket.test("cat", at: Int64(index))
            return LeftOver(name: ticket.folder, entries: try row.entries.map { Set(try $0.map(name)) })
        }
        // All but what is left alone leaves active/.
        let left = repairs(for: listing).compactMap { repair -> FileName? in
            if case .leaveAlone(let name) = repair { name } else { nil }
        }
        let again = repairs(for: listing.filter { left.contains($0.name) })
        #expect(again == left.map(Repair.leaveAlone))
    }

    @Test(
        "a draft is given up when it has not changed for a day, by whatever clock",
        arguments: [(0, false), (1, false), (23, false), (24, true), (25, true), (-1, false), (-100_000, false)])
    func drafts(hours: Int64, isAbandoned: Bool) throws {
        let draft = LeftDraft(name: try name(".x.drop"), changed: 1_000_000 * 3_600_000_000_000)
        let now = Timestamp(microseconds: (1_000_000 + hours) * 3_600_000_000)
        #expect(abandoned([draft], now: now) == (isAbandoned ? [draft.name] : []))
    }
}
