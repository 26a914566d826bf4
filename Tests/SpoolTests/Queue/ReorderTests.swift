// Another turn in the line: which tickets it takes, and what has to step aside.

import Foundation
import Linux
import TestSupport
import Testing

@testable import Spool

/// `5-103 b` is job b with priority 5, 103 µs after 1970.
private func ticket(_ text: String) throws -> Ticket {
    let parts = text.split { $0 == "-" || $0 == " " }
    return try .test(String(parts[2]), priority: #require(UInt8(parts[0])), at: #require(Int64(parts[1])))
}

private func text(_ ticket: Ticket) -> String {
    "\(ticket.priority)-\(ticket.arrival.microseconds) \(ticket.name.text)"
}

struct Move: Sendable, CustomTestStringConvertible {
    let line: [String]
    let job: String
    /// `first`, `last`, or the job that it goes before.
    let turn: String
    /// What is renamed, in order; `nil` where nothing can be done.
    let renames: [String]?

    init(_ line: [String], _ job: String, _ turn: String, _ renames: [String]?) {
        (self.line, self.job, self.turn, self.renames) = (line, job, turn, renames)
    }

    var testDescription: String { "\(job) \(turn) of \(line)" }
}

@Suite struct ReorderTests {
    private static let moves = [
        Move(["5-100 a", "5-200 b", "5-300 c"], "c", "first", ["5-300 c → 5-99 c"]),
        Move(["5-100 a", "5-200 b", "5-300 c"], "a", "first", []),
        Move(["5-100 a", "5-200 b", "5-300 c"], "c", "last", []),
        Move(["5-100 a"], "a", "last", []),
        // Behind whatever arrives until now; now is 1000.
        Move(["5-100 a", "5-200 b", "5-300 c"], "a", "last", ["5-100 a → 5-1000 a"]),
        Move(["5-100 a", "5-2000 b"], "a", "last", ["5-100 a → 5-2001 a"]),
        // The best priority and the worst one are taken over.
        Move(["2-500 a", "5-100 b"], "b", "first", ["5-100 b → 2-499 b"]),
        Move(["5-100 a", "5-200 b", "9-100 c"], "a", "last", ["5-100 a → 9-1000 a"]),
        Move(["5-100 a", "5-200 b", "5-300 c"], "c", "b", ["5-300 c → 5-199 c"]),
        Move(["5-100 a", "5-200 b", "5-300 c"], "a", "c", ["5-100 a → 5-299 a"]),
        // There already.
        Move(["5-100 a", "5-200 b", "5-300 c"], "a", "b", []),
        Move(["5-100 a", "5-200 b"], "a", "a", []),
        Move(["3-900 a", "5-100 b", "5-200 c"], "c", "b", ["5-200 c → 5-99 c"]),
        // No moment between a and b, but the names are in the right order.
        Move(["5-100 a", "5-101 b", "5-300 az"], "az", "b", ["5-300 az → 5-100 az"]),
        Move(["5-100 x", "5-101 z", "5-300 y"], "y", "z", ["5-300 y → 5-100 y"]),
        // Neither: one steps aside, on the side where fewer must.
        Move(["5-100 x", "5-101 b", "5-102 c", "5-300 d"], "d", "b", ["5-100 x → 5-99 x", "5-300 d → 5-100 d"]),
        Move(
            ["5-98 z", "5-99 y", "5-100 x", "5-101 c", "5-300 d"], "d", "c",
            ["5-101 c → 5-102 c", "5-300 d → 5-101 d"]),
        // Those of another priority are in nobody's way.
        Move(["4-100 x", "5-0 b", "5-300 d"], "d", "b", ["5-0 b → 5-1 b", "5-300 d → 5-0 d"]),
        // What does not wait has no turn.
        Move(["5-100 a"], "z", "first", nil), Move(["5-100 a"], "a", "z", nil),
        // Nobody could write down the year 10000.
        Move(["5-100 a", "5-253402300799999999 b"], "a", "last", nil),
    ]

    @Test("a job takes a ticket at its new place, and as few others as can be step aside", arguments: moves)
    func table(_ move: Move) throws {
        let line = try move.line.map(ticket)
        #expect(line == line.sorted())
        func waiting(_ name: String) throws -> Ticket {
            try line.first { $0.name.text == name } ?? .test(name, at: 7)
        }
        let turn: MoveTarget =
            switch move.turn {
            case "first": .first
            case "last": .last
            default: .before(try waiting(move.turn))
            }
        let reissues = Ticket.reissues(
            of: try waiting(move.job), to: turn, in: line, now: Timestamp(microseconds: 1000))
        #expect(reissues?.map { "\(text($0.old)) → \(text($0.new))" } == move.renames)
    }

    @Test("whatever moves in bursts, the order is the one that was asked for, and no other is seen on the way to it")
    func anyOrder() throws {
        var chance = SeededGenerator()
        for _ in 0..<300 {
            var names = (0..<12).map { String(UnicodeScalar(UInt8(97 + $0))) }
            names.shuffle(using: &chance)
            // Some moments are next to each other, some are the same one.
            var moment: Int64 = 1000
            var line = try names.map { name in
                moment += Int64.random(in: 0...2, using: &chance)
                return try Ticket.test(name, at: moment)
            }.sorted()
            for _ in 0..<20 {
                let (job, other) = (line.randomElement(using: &chance), line.randomElement(using: &chance))
                guard let job, let other, job != other else { continue }
                var wanted = line.map(\.name).filter { $0 != job.name }
                wanted.insert(job.name, at: try #require(wanted.firstIndex(of: other.name)))
                let others = wanted.filter { $0 != job.name }
                let reissues = try #require(
                    Ticket.reissues(of: job, to: .before(other), in: line, now: Timestamp(microseconds: 0)))
                for reissue in reissues {
                    line[try #require(line.firstIndex(of: reissue.old))] = reissue.new
                    line.sort()
                    #expect(Set(line).count == 12)
                    #expect(line.map(\.name).filter { $0 != job.name } == others)
                }
                #expect(line.map(\.name) == wanted)
            }
        }
    }

    @Test("files and folders are renamed, and what a server has taken stays where it is")
    func renames() throws {
        let spool = try TestSpool()
        let tried = try spool.claim("b", at: 101)
        try tried.record(Attempts())
        #expect(try tried.requeue() == .queued)
        let first = try spool.queue("c", at: 100)
        let last = try spool.queue("d", at: 300)
        var told: [String] = []
        #expect(
            try Reorder(spool.folders).reorder(last, to: .before(tried.ticket)) {
                told.append("\(text($0.old)) → \(text($0.new))")
            })
        #expect(told == ["5-300 d → 5-100 d"])
        let line = try Listing(spool.folders).waiting()
        #expect(line.map(text) == ["5-100 c", "5-100 d", "5-101 b"])
        #expect(try Reorder(spool.folders).reorder(tried.ticket, to: .first) { _ in })
        #expect(try Listing(spool.folders).waiting().map(text) == ["5-99 b", "5-100 c", "5-100 d"])
        #expect(try Claims(spool.folders).claim(first) != nil)
        #expect(try !Reorder(spool.folders).reorder(first, to: .last) { _ in })
    }
}
