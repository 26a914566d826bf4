import TestSupport
import Testing

@testable import Spool

@Suite struct TimestampTests {
    /// 2026-11-23T15:10:42.123456Z.
    private let stamp = Timestamp(microseconds: 1_795_446_642_123_456)

    @Test("a moment stands in names without separators and in results with them")
    func forms() {
        #expect(stamp.compact == "20261123T151042.123456Z")
        #expect(stamp.iso8601 == "2026-11-23T15:10:42.123456Z")
        #expect(Timestamp(microseconds: 7).compact == "19700101T000000.000007Z")
    }

    @Test("what is written is read again, and texts sort as moments do")
    func order() {
        var random = SeededGenerator()
        // Up to the end of the year 9999; every other one close to its neighbour.
        var stamps = (0..<2_000).map { _ in
            Timestamp(microseconds: .random(in: 0..<253_402_300_800_000_000, using: &random))
        }
        stamps += stamps.map { Timestamp(microseconds: $0.microseconds + .random(in: 0...2_000_000, using: &random)) }
        for (one, other) in zip(stamps, stamps.shuffled(using: &random)) {
            #expect(Timestamp(compact: one.compact) == one)
            #expect((one < other) == (Array(one.compact.utf8).lexicographicallyPrecedes(Array(other.compact.utf8))))
        }
    }

    @Test(
        "what no stamp has written is no stamp",
        arguments: [
            "", "x", "20261123T151042Z", "20261123T151042.123456", "20261123T151042.12345Z", "20261123T151042.+12345Z",
            "20261123T151042.-00000Z", "20261123T151042.1234567Z", "20261323T151042.123456Z", "20260230T151042.123456Z",
            "20261123T251042.123456Z", "20261123T156042.123456Z", "20261123 151042.123456Z", "2026-11-23T1510.123456Z",
            "19691231T235959.999999Z", "00010101T000000.000001Z", "20261123T151042.123456z", "20261123T151042,123456Z",
        ])
    func noStamp(text: String) {
        #expect(Timestamp(compact: text) == nil)
    }

    @Test("arrivals get moments that strictly increase, though the clock stands or steps back")
    func clock() {
        var clock = ArrivalClock(after: nil)
        let readings: [Int64] = [100, 200, 200, 200, 150, 0, 201, 300]
        let given = readings.map { clock.next(now: Timestamp(microseconds: $0)).microseconds }
        #expect(given == [100, 200, 201, 202, 203, 204, 205, 300])
    }

    @Test("a clock begins behind the latest arrival that is still there")
    func after() {
        var clock = ArrivalClock(after: stamp)
        #expect(clock.next(now: Timestamp(microseconds: 1)).microseconds == stamp.microseconds + 1)
    }

    @Test(
        "behind whatever arrival there is, the next can be written and read",
        arguments: ["99981231T235959.999999Z", "99990101T000000.000000Z", "99991231T235959.999999Z"])
    func end(text: String) {
        var clock = ArrivalClock(after: Timestamp(compact: text))
        let next = clock.next(now: .now)
        #expect(Timestamp(compact: next.compact) == next)
    }

    @Test("a batch gets the last of the moments that its parts need, and nobody else gets one of them")
    func room() {
        var clock = ArrivalClock(after: nil)
        #expect(clock.next(now: Timestamp(microseconds: 100), behind: 6).microseconds == 106)
        #expect(clock.next(now: Timestamp(microseconds: 101)).microseconds == 107)
        #expect(clock.next(now: Timestamp(microseconds: 50), behind: 2).microseconds == 110)
    }

    @Test("now is now")
    func now() {
        #expect(Timestamp.now > stamp || Timestamp.now.microseconds > 1_700_000_000_000_000)
    }
}
