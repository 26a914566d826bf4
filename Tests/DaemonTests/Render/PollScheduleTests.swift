import A1111
import Testing

@testable import Daemon

@Suite("Looks at a render") struct PollScheduleTests {
    private let now = ContinuousClock.now

    @Test(
        "are a second apart, and further where the server is slow to answer",
        arguments: [(0.001, 1.0), (0.1, 1), (0.3, 3), (4, 40)])
    func apart(took: Double, next: Double) {
        var pace = PollSchedule(now: now)
        #expect(pace.isDue(now))
        pace.answered(after: .seconds(took), now: now)
        #expect(!pace.isDue(now + .seconds(next) - .milliseconds(1)))
        #expect(pace.isDue(now + .seconds(next)))
    }

    @Test("rest for a minute when one brought nothing, unless it matters")
    func rest() {
        var pace = PollSchedule(now: now)
        pace.failed(Failure(.ambiguous, "no answer"), now: now)
        #expect(!pace.isDue(now + .seconds(59)))
        #expect(pace.isDue(now + .seconds(60)))
        pace.hurry(now: now)
        #expect(pace.isDue(now))
    }

    @Test("end where there is nothing to look at", arguments: [404, 405, 501])
    func never(status: Int) {
        var pace = PollSchedule(now: now)
        pace.failed(Failure(.permanent, "no such path", status: status), now: now)
        pace.hurry(now: now)
        #expect(!pace.isDue(now + .seconds(100_000)))
    }
}
