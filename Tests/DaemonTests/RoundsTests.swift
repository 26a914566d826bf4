// How often all folders are looked at.

import Testing

@testable import Daemon

@Suite struct RoundsTests {
    private let start = ContinuousClock.now

    @Test("a round is due an interval after the last one, and later where rounds take long")
    func due() {
        var rounds = Rounds(every: .seconds(2), now: start)
        #expect(!rounds.isDue(start + .seconds(1)))
        #expect(rounds.isDue(start + .seconds(2)))
        rounds.ended(start + .seconds(2), after: .milliseconds(10))
        #expect(rounds.next == start + .seconds(4))
        rounds.ended(start + .seconds(4), after: .seconds(1))
        #expect(rounds.next == start + .seconds(24))
    }

    @Test("where something was missed the next round is soon, and never later than it would have been")
    func hurry() {
        var rounds = Rounds(every: .seconds(60), now: start)
        rounds.hurry(start, in: .seconds(1))
        #expect(rounds.next == start + .seconds(1))
        rounds.hurry(start, in: .seconds(30))
        #expect(rounds.next == start + .seconds(1))
    }
}
