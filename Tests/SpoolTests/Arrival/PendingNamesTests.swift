import Testing

@testable import Linux
@testable import Spool

private let start = ContinuousClock.now

@Suite struct PendingNamesTests {
    private var pending = PendingNames()

    /// Those that are taken so many seconds after the start.
    private mutating func taken(_ count: Int = 10, at seconds: Double = 0) -> [String] {
        pending.take(count, at: start + .seconds(seconds)).map(\.description)
    }

    @Test("names are looked at in their order, a batch at a time, and each once")
    mutating func order() {
        for name in ["b", "a", "c"] as [FileName] { pending.add(name) }
        #expect(pending.names == ["a", "b", "c"])
        #expect(taken(2) == ["b", "a"])
        #expect(pending.names == ["c"])
        pending.add("a")
        #expect(taken() == ["c", "a"])
        #expect(taken() == [] && pending.next == nil && pending.names == [])
    }

    @Test("what is due is looked at in the order of its times, behind what was told")
    mutating func due() {
        pending.add("late", at: start + .seconds(3))
        pending.add("early", at: start + .seconds(2))
        pending.add("told")
        #expect(taken(at: 1) == ["told"])
        #expect(pending.next == start + .seconds(2))
        pending.add("told again")
        #expect(taken(at: 3) == ["told again", "early", "late"])
    }

    @Test("the earlier of two times counts, and now before both")
    mutating func earlier() {
        pending.add("a", at: start + .seconds(2))
        pending.add("a", at: start + .seconds(9))
        #expect(pending.next == start + .seconds(2))
        pending.add("a", at: start + .seconds(1))
        #expect(pending.next == start + .seconds(1))
        pending.add("a")
        #expect(taken() == ["a"] && pending.next == nil)
    }

    @Test("what the disk refuses is looked at after 1 s, doubling to 30 s, and from 1 s on when it has been well since")
    mutating func trouble() {
        var waits: [Int] = []
        func postpone(_ pending: inout PendingNames) -> Int {
            pending.postpone("a", at: start)
            let wait = pending.next.map { Int(($0 - start) / .seconds(1)) } ?? 0
            _ = pending.take(10, at: start + .seconds(wait))
            return wait
        }
        for _ in 0..<7 { waits.append(postpone(&pending)) }
        #expect(waits == [1, 2, 4, 8, 16, 30, 30])
        pending.forgetTrouble(butOf: ["a"])
        #expect(postpone(&pending) == 30)
        pending.forgetTrouble(butOf: ["b"])
        #expect(postpone(&pending) == 1)
        #expect(postpone(&pending) == 2)
        pending.forgetTrouble(of: "a")
        #expect(postpone(&pending) == 1)
    }
}
