// Promise 2: jobs come in the order in which their files became whole.

@preconcurrency import Dispatch
import Foundation
import Glibc
import Linux
import Synchronization
import TestSupport
import Testing

@testable import Spool

@Suite struct IntakeOrderTests {
    let spool: TestSpool
    var inbox: Directory { spool.folders.inbox }

    init() throws {
        spool = try TestSpool()
    }

    private func tickets(_ outcomes: [Intake.IntakeResult]) -> [Ticket] {
        outcomes.compactMap { if case .accepted(let ticket, _) = $0 { ticket } else { nil } }
    }

    @Test("of two writers at once the one that closes first is first")
    func interleaved() throws {
        let loop = try IntakeLoop(spool)
        let one = try inbox.createFile("one.json")
        let other = try inbox.createFile("other.json")
        try one.write(Data("{".utf8))
        try other.write(Data("{".utf8))
        #expect(try loop.settled() == [])
        try one.write(Data("}".utf8))
        try other.write(Data("}".utf8))
        try other.close()
        try spool.letGo("other.json", in: inbox)
        try one.close()
        try spool.letGo("one.json", in: inbox)
        #expect(try loop.settled() == ["accepted other", "accepted one"])
    }

    @Test("a thousand files of one burst come out in the order in which they came in", .timeLimit(.minutes(60)))
    func burst() throws {
        var random = SeededGenerator()
        let files = try (0..<1_000).map { try name("\(UInt32.random(in: 0...UInt32.max, using: &random))-\($0).json") }
        let loop = try IntakeLoop(spool)
        let failure = Mutex<(any Error)?>(nil)
        DispatchQueue.global().async { @Sendable [spool] in
            do {
                // By renames: other tests start processes, which hold on to what this one has open for a moment, and a
                // file is whole when the last writer lets go. (Files that are closed in place: MainJobTests.)
                for file in files {
                    try spool.drop("draft")
                    try spool.folders.inbox.rename("draft", to: spool.folders.inbox, as: file)
                }
            } catch {
                failure.withLock { $0 = error }
            }
        }
        let accepted = try tickets(loop.outcomes(files.count))
        #expect(failure.withLock { $0 } == nil)
        #expect(accepted.map { $0.name.with(suffix: ".json") } == files)
        #expect(accepted == accepted.sorted())
        #expect(Set(accepted.map(\.arrival)).count == files.count)
        #expect(try Listing(spool.folders).waiting() == accepted)
    }

    @Test("files from before the start come in the order in which they got their names, whatever their times of change")
    func before() throws {
        // Kernel times tick coarsely: each file gets its name again until the clock has gone on.
        var last: Int64 = 0
        for (index, file) in (["c.json", "a.json", "d.json", "b.json"] as [FileName]).enumerated() {
            try spool.drop("draft")
            var times = [
                timespec(tv_sec: 1_000_000 - index, tv_nsec: 0), timespec(tv_sec: 1_000_000 - index, tv_nsec: 0),
            ]
            #expect(utimensat(AT_FDCWD, spool.path + "/inbox/draft", &times, 0) == 0)
            try inbox.rename("draft", to: inbox, as: file)
            while let changed = try inbox.status(of: file)?.changed, changed <= last {
                try inbox.rename(file, to: inbox, as: "draft")
                try inbox.rename("draft", to: inbox, as: file)
            }
            last = try #require(try inbox.status(of: file)).changed
        }
        let loop = try IntakeLoop(spool)
        #expect(try loop.settled() == ["accepted c", "accepted a", "accepted d", "accepted b"])
    }

    @Test("arrivals go on behind the latest one in the spool, though the clock is behind it")
    func after() throws {
        let future = Timestamp(microseconds: Timestamp.now.microseconds + 3_600_000_000)
        let loop = try IntakeLoop(spool, after: future)
        try spool.drop("a.json")
        try spool.drop("b.json")
        let accepted = try tickets(loop.outcomes(2))
        #expect(accepted.map { $0.arrival.microseconds - future.microseconds } == [1, 2])
    }

    @Test("where the kernel lost events, the folder's listing is the truth", .timeLimit(.minutes(60)))
    func overflow() throws {
        // max_queued_events of them fit; `touch` on a file that is no job fills the queue.
        let limit =
            Int(
                try String(contentsOfFile: "/proc/sys/fs/inotify/max_queued_events", encoding: .utf8)
                    .trimmingCharacters(in: .whitespacesAndNewlines)) ?? 16_384
        guard limit <= 100_000 else { try Test.cancel("the queue of events holds \(limit)") }
        let loop = try IntakeLoop(spool)
        for file in ["x", "y"] as [FileName] { try spool.drop(file) }
        // Two names by turns: the kernel merges an event with the same one before it.
        let paths = ["x", "y"].map { "\(spool.path)/inbox/\($0)" }
        let changed = (0...limit).count { chmod(paths[$0 % 2], 0o644) == 0 }
        #expect(changed == limit + 1)
        try spool.drop("lost.json")
        #expect(try loop.outcomes(1).map(words) == ["accepted lost"])
    }
}
