// Which results may go. A day is 86,400 s.

import Foundation
import Glibc
import Linux
import Testing

@testable import Spool

@Suite struct RetentionTests {
    private let now = Timestamp(microseconds: 100 * 86_400_000_000)

    /// Results that were finished so many hours ago, each of 10 bytes, named by their age.
    private func entries(_ hours: Int64...) -> [Retention.Entry] {
        hours.map { age in
            let name = FileName(bytes: Array("h\(age)".utf8)) ?? "x"
            return Retention.Entry(
                name: name, finished: Timestamp(microseconds: now.microseconds - age * 3_600_000_000), bytes: 10)
        }
    }

    private func gone(_ limits: [String], atLeast: Int = 0, _ entries: [Retention.Entry]) throws -> [String] {
        var retention = Retention()
        for limit in limits {
            let isGood = retention.add(limit)
            try #require(isGood)
        }
        retention.atLeast = atLeast
        return retention.victims(among: entries, at: now).map(\.description)
    }

    @Test("an age takes what is older, the oldest first")
    func age() throws {
        #expect(try gone(["2d"], entries(1, 100, 49, 47, 48)) == ["h100", "h49"])
        #expect(try gone(["30m"], entries(0, 1, 2)) == ["h2", "h1"], "an age that was asked for may be under a day")
    }

    @Test("a number and a size take the oldest, and none that is younger than a day unless a shorter age is given")
    func number() throws {
        #expect(try gone(["2"], entries(30, 40, 50, 60)) == ["h60", "h50"])
        #expect(try gone(["1"], entries(1, 2, 23, 25)) == ["h25"])
        #expect(try gone(["1", "12h"], entries(1, 2, 13)) == ["h13"])
        #expect(try gone(["3"], entries(30, 40)) == [])
        var retention = Retention()
        retention.bytes = 25
        #expect(retention.victims(among: entries(30, 40, 50, 60), at: now).map(\.description) == ["h60", "h50"])
    }

    @Test("results that say that they are as large as can be are more than any limit")
    func endless() {
        var retention = Retention()
        retention.bytes = .max - 1
        let results = entries(30, 40).map { Retention.Entry(name: $0.name, finished: $0.finished, bytes: .max) }
        #expect(retention.victims(among: results, at: now).map(\.description) == ["h40", "h30"])
    }

    @Test("what is to stay stays, whatever its age")
    func atLeast() throws {
        #expect(try gone(["1d"], atLeast: 2, entries(30, 40, 50)) == ["h50"])
        #expect(try gone(["1d"], atLeast: 5, entries(30, 40, 50)) == [])
    }

    @Test(
        "limits are read as they are written, and nothing else is",
        arguments: [
            ("30d", true), ("12h", true), ("45m", true), ("1000", true), ("10G", true), ("500M", true), ("0", false),
            ("", false), ("d", false), ("-1", false), ("1.5d", false), ("10g", false), ("10 G", false), ("٣d", false),
            ("99999999999999999999", false), ("9999999T", false),
        ])
    func limits(text: String, isGood: Bool) {
        var retention = Retention()
        #expect(retention.add(text) == isGood)
        #expect((retention == Retention()) == !isGood)
    }

    @Test("a result goes as a whole, with what an earlier call was stopped at; nothing else in done/ is touched")
    func prune() throws {
        let spool = try TestSpool()
        for entry in ["a", "b", ".going-c"] {
            try spool.folders.done.makeDirectory(name(entry))
            try spool.write("x", to: "x.png", in: spool.folders.done.directory(name(entry)))
        }
        for entry in ["a", "b"] {
            try spool.write("{}", to: "result.json", in: spool.folders.done.directory(name(entry)))
        }
        try spool.write("mine", to: "readme.txt", in: spool.folders.done)
        try spool.folders.done.makeDirectory("best of")
        try spool.write("mine", to: "x.png", in: spool.folders.done.directory("best of"))
        var retention = Retention()
        retention.age = .zero
        retention.bytes = 0
        retention.atLeast = 1
        let tomorrow = Timestamp(microseconds: Timestamp.now.microseconds + 86_400_000_000)
        #expect(try Results(spool.folders).prune(retention, at: tomorrow, trial: true).count == 1)
        #expect(try names(in: spool.folders.done) == [".going-c", "a", "b", "best of", "readme.txt"])
        let gone = try Results(spool.folders).prune(retention, at: tomorrow).map(\.description)
        #expect(gone.count == 1)
        #expect(try names(in: spool.folders.done) == ["a", "b", "best of", "readme.txt"].filter { !gone.contains($0) })
    }

    /// A result of that name whose folder was last changed in 2010, as a file server without a battery has it.
    private func result(_ entry: String, _ document: String, in spool: TestSpool) throws {
        try spool.folders.done.makeDirectory(name(entry))
        try spool.write(document, to: "result.json", in: spool.folders.done.directory(name(entry)))
        try age(entry, in: spool)
    }

    private func age(_ entry: String, in spool: TestSpool) throws {
        var times = [timespec(tv_sec: 1_262_304_000, tv_nsec: 0), timespec(tv_sec: 1_262_304_000, tv_nsec: 0)]
        try #require(utimensat(AT_FDCWD, "\(spool.path)/done/\(entry)", &times, 0) == 0)
    }

    private static func document(finished: String, before: String = "") -> String {
        "{\n  \"ticket\": \"x\",\(before)\n  \"finished\": \"\(finished)\"\n}\n"
    }

    private let anHour: Retention = {
        var retention = Retention()
        retention.age = .seconds(3600)
        return retention
    }()

    @Test("a fresh result stays whatever time its folder has, and an old one stays in a folder that has just changed")
    func wrongClock() throws {
        let spool = try TestSpool()
        try result("fresh", Self.document(finished: Timestamp.now.iso8601), in: spool)
        try result("old", Self.document(finished: "2012-01-01T00:00:00.000000Z"), in: spool)
        try result("touched", Self.document(finished: "2012-01-01T00:00:00.000000Z"), in: spool)
        try spool.write("x", to: "new.png", in: spool.folders.done.directory("touched"))
        for trial in [true, false] {
            #expect(try Results(spool.folders).prune(anHour, trial: trial) == ["old"])
        }
        #expect(try names(in: spool.folders.done) == ["fresh", "touched"])
    }

    @Test("the oldest by their own word go first")
    func order() throws {
        let spool = try TestSpool()
        for (entry, year) in [("a", "2014"), ("b", "2012"), ("c", "2013")] {
            try result(entry, Self.document(finished: "\(year)-01-01T00:00:00.000000Z"), in: spool)
        }
        var retention = Retention()
        retention.count = 1
        #expect(try Results(spool.folders).prune(retention) == ["b", "c"])
    }

    @Test(
        "what a result.json says of its end is read from any that the daemon has written, and from others as far as it can be",
        arguments: [
            ("{\"finished\": \"2030-01-01T00:00:00.000000Z\"}", true),
            (document(finished: "2030-01-01T00:00:00.000000Z"), true),
            // A batch of thousands: behind more than is read of the beginning.
            (
                document(
                    finished: "2030-01-01T00:00:00.000000Z",
                    before: "\n  \"parts\": [" + String(repeating: "{},", count: 200_000) + "{}],"), true
            ),
            ("", false), ("{", false), ("[]", false), (document(finished: "yesterday"), false),
            (document(finished: "2030-02-30T00:00:00.000000Z"), false), (document(finished: ""), false),
            ("{\"finished\": 5}", false), (document(finished: "9999-01-01T00:00:00.000000Z"), false),
            (String(repeating: "x", count: 1 << 20), false),
        ])
    func word(document: String, isBelieved: Bool) throws {
        let spool = try TestSpool()
        try result("cat", document, in: spool)
        let now = Timestamp(microseconds: 1_893_456_000_000_000 + 1_800_000_000)
        #expect(try Results(spool.folders).prune(anHour, at: now) == (isBelieved ? [] : ["cat"]))
    }

    @Test("a result.json that is a link, a FIFO, a folder or endless tells nothing and stops nothing")
    func noWord() throws {
        let spool = try TestSpool()
        let fresh = Self.document(finished: Timestamp.now.iso8601)
        try spool.write(fresh, to: "elsewhere.json", in: spool.folders.root)
        for entry in ["endless", "fifo", "folder", "link"] { try spool.folders.done.makeDirectory(name(entry)) }
        #expect(symlink("\(spool.path)/elsewhere.json", "\(spool.path)/done/link/result.json") == 0)
        #expect(mkfifo("\(spool.path)/done/fifo/result.json", 0o600) == 0)
        try spool.folders.done.directory("folder").makeDirectory("result.json")
        try spool.write("{", to: "result.json", in: spool.folders.done.directory("endless"))
        #expect(truncate("\(spool.path)/done/endless/result.json", 1 << 40) == 0)
        for entry in ["endless", "fifo", "folder", "link"] { try age(entry, in: spool) }
        #expect(try Results(spool.folders).prune(anHour).sorted() == ["endless", "fifo", "folder", "link"])
        #expect(try names(in: spool.folders.root).contains("elsewhere.json"))
    }

    @Test("what was read of a folder is not read again before the folder changes")
    func memory() throws {
        let spool = try TestSpool()
        let memory = ResultMemory()
        let old = Self.document(finished: "2012-01-01T00:00:00.000000Z")
        try result("cat", Self.document(finished: Timestamp.now.iso8601), in: spool)
        #expect(try Results(spool.folders).prune(anHour, memory: memory).isEmpty)
        // Written in place, which its folder does not show.
        try Data(old.utf8).withUnsafeBytes { bytes in
            let file = open("\(spool.path)/done/cat/result.json", O_WRONLY | O_TRUNC)
            try #require(write(file, bytes.baseAddress, bytes.count) == bytes.count)
            close(file)
        }
        #expect(try Results(spool.folders).prune(anHour, memory: memory).isEmpty)
        #expect(try Results(spool.folders).prune(anHour, trial: true) == ["cat"])
        let done = spool.folders.done
        let before = try #require(try done.status(of: "cat")).changed
        try done.rename("cat", to: done, as: "dog")
        // The clock of a filesystem may tick every few milliseconds only.
        repeat { try age("dog", in: spool) } while try done.status(of: "dog")?.changed == before
        #expect(try Results(spool.folders).prune(anHour, memory: memory) == ["dog"])
    }

    @Test(
        "a daemon is alive that holds the lock, or, over a share, has written lately and not said goodbye",
        arguments: [
            (Optional("p"), Optional(Int64(9999)), false, false, DaemonLiveness.alive("p")),
            (nil, 1, false, false, .none), (nil, 1, false, true, .alive("another machine")),
            (nil, 150, false, true, .alive("another machine")), (nil, 151, false, true, .silent(seconds: 151)),
            (nil, 1, true, true, .none), (nil, nil, false, true, .none),
        ])
    func liveness(owner: String?, age: Int64?, isStopped: Bool, isShared: Bool, expected: DaemonLiveness) {
        #expect(DaemonLiveness(owner: owner, age: age, isStopped: isStopped, isShared: isShared) == expected)
    }
}
