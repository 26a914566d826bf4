// How often all folders are looked at.

import Testing

@testable import Daemon

@Suite struct RescanScheduleTests {
    private let start = ContinuousClock.now

    @Test("a round is due an interval after the last one, and later where rounds take long")
    func due() {
        var rescans = RescanSchedule(every: .seconds(2), now: start)
        #expect(!rescans.isDue(start + .seconds(1)))
        #expect(rescans.isDue(start + .seconds(2)))
        rescans.ended(start + .seconds(2), after: .milliseconds(10))
        #expect(rescans.next == start + .seconds(4))
        rescans.ended(start + .seconds(4), after: .seconds(1))
        #expect(rescans.next == start + .seconds(24))
    }

    @Test("where something was missed the next round is soon, and never later than it would have been")
    func hurry() {
        var rescans = RescanSchedule(every: .seconds(60), now: start)
        rescans.hurry(start, in: .seconds(1))
        #expect(rescans.next == start + .seconds(1))
        rescans.hurry(start, in: .seconds(30))
        #expect(rescans.next == start + .seconds(1))
    }
}
