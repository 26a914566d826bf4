import Testing

@testable import Linux
@testable import Spool

private let start = ContinuousClock.now

@Suite struct AgendaTests {
    private var agenda = Agenda()

    /// Those that are taken so many seconds after the start.
    private mutating func taken(_ count: Int = 10, at seconds: Double = 0) -> [String] {
        agenda.take(count, at: start + .seconds(seconds)).map(\.description)
    }

    @Test("names are looked at in their order, a batch at a time, and each once")
    mutating func order() {
        for name in ["b", "a", "c"] as [FileName] { agenda.add(name) }
        #expect(agenda.names == ["a", "b", "c"])
        #expect(taken(2) == ["b", "a"])
        #expect(agenda.names == ["c"])
        agenda.add("a")
        #expect(taken() == ["c", "a"])
        #expect(taken() == [] && agenda.next == nil && agenda.names == [])
    }

    @Test("what is due is looked at in the order of its times, behind what was told")
    mutating func due() {
        agenda.add("late", at: start + .seconds(3))
        agenda.add("early", at: start + .seconds(2))
        agenda.add("told")
        #expect(taken(at: 1) == ["told"])
        #expect(agenda.next == start + .seconds(2))
        agenda.add("told again")
        #expect(taken(at: 3) == ["told again", "early", "late"])
    }

    @Test("the earlier of two times counts, and now before both")
    mutating func earlier() {
        agenda.add("a", at: start + .seconds(2))
        agenda.add("a", at: start + .seconds(9))
        #expect(agenda.next == start + .seconds(2))
        agenda.add("a", at: start + .seconds(1))
        #expect(agenda.next == start + .seconds(1))
        agenda.add("a")
        #expect(taken() == ["a"] && agenda.next == nil)
    }

    @Test("what the disk refuses is looked at after 1 s, doubling to 30 s, and from 1 s on when it has been well since")
    mutating func trouble() {
        var waits: [Int] = []
        func postpone(_ agenda: inout Agenda) -> Int {
            agenda.postpone("a", at: start)
            let wait = agenda.next.map { Int(($0 - start) / .seconds(1)) } ?? 0
            _ = agenda.take(10, at: start + .seconds(wait))
            return wait
        }
        for _ in 0..<7 { waits.append(postpone(&agenda)) }
        #expect(waits == [1, 2, 4, 8, 16, 30, 30])
        agenda.forgetTrouble(butOf: ["a"])
        #expect(postpone(&agenda) == 30)
        agenda.forgetTrouble(butOf: ["b"])
        #expect(postpone(&agenda) == 1)
        #expect(postpone(&agenda) == 2)
        agenda.forgetTrouble(of: "a")
        #expect(postpone(&agenda) == 1)
    }
}
