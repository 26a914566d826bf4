// Which results may go. A day is 86,400 s.

import Linux
import Testing

@testable import Spool

@Suite struct RetentionTests {
    private let now = Stamp(microseconds: 100 * 86_400_000_000)

    /// Results that were finished so many hours ago, each of 10 bytes, named by their age.
    private func entries(_ hours: Int64...) -> [Retention.Entry] {
        hours.map { age in
            let name = FileName(bytes: Array("h\(age)".utf8)) ?? "x"
            return Retention.Entry(
                name: name, finished: Stamp(microseconds: now.microseconds - age * 3_600_000_000), bytes: 10)
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
        let tomorrow = Stamp(microseconds: Stamp.now.microseconds + 86_400_000_000)
        #expect(try spool.folders.prune(retention, at: tomorrow, trial: true).count == 1)
        #expect(try names(in: spool.folders.done) == [".going-c", "a", "b", "best of", "readme.txt"])
        let gone = try spool.folders.prune(retention, at: tomorrow).map(\.description)
        #expect(gone.count == 1)
        #expect(try names(in: spool.folders.done) == ["a", "b", "best of", "readme.txt"].filter { !gone.contains($0) })
    }

    @Test(
        "a daemon is alive that holds the lock, or, over a share, has written lately and not said goodbye",
        arguments: [
            (Optional("p"), Optional(Int64(9999)), false, false, Pulse.alive("p")),
            (nil, 1, false, false, .none), (nil, 1, false, true, .alive("another machine")),
            (nil, 150, false, true, .alive("another machine")), (nil, 151, false, true, .silent(seconds: 151)),
            (nil, 1, true, true, .none), (nil, nil, false, true, .none),
        ])
    func pulse(holder: String?, age: Int64?, isStopped: Bool, isShared: Bool, expected: Pulse) {
        #expect(Pulse(holder: holder, age: age, isStopped: isStopped, isShared: isShared) == expected)
    }
}
