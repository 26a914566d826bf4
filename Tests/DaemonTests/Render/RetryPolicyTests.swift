import A1111
import Spool
import Testing

@testable import Daemon

@Suite("A job that failed")
struct RetryPolicyTests {
    static let steps: [(Failure.Class, attempts: Int, RetryDecision)] = [
        (.serverDown, 1, .waitForServer), (.serverDown, 3, .waitForServer), (.serverDown, 100, .waitForServer),
        (.unclear, 1, .waitForServer), (.notNow, 1, .later), (.notNow, 100, .later),
        (.permanent, 1, .fail), (.wrongResult, 1, .fail),
        (.outOfMemory, 1, .tryAgain(after: .seconds(5))), (.outOfMemory, 2, .fail), (.outOfMemory, 3, .fail),
        (.temporary, 1, .tryAgain(after: .seconds(2))), (.temporary, 2, .tryAgain(after: .seconds(10))),
        (.temporary, 3, .fail), (.temporary, 4, .fail),
        (.ambiguous, 1, .tryAgain(after: .seconds(2))), (.ambiguous, 2, .tryAgain(after: .seconds(10))),
        (.ambiguous, 3, .fail),
    ]

    @Test("waits, is tried again or fails by the class of its failure and its attempts", arguments: steps)
    func decision(failure: Failure.Class, attempts: Int, expected: RetryDecision) {
        #expect(step(after: failure, attempts: attempts) == expected)
    }

    static let now = Timestamp(microseconds: 1_795_446_642_123_456)

    /// Attempts that ended so; `nil` for one that did not end, "" for one that succeeded.
    static func attempts(_ endings: [String?]) -> Attempts {
        var attempts = Attempts()
        for ending in endings {
            attempts.begin(server: "http://h", at: now)
            if let ending { attempts.end(at: now, failure: ending.isEmpty ? nil : ending) }
        }
        return attempts
    }

    static let records: [([String?], counted: Int, mayStillRun: Bool)] = [
        ([], 0, false), ([nil], 1, true), ([""], 1, false), (["stopped"], 0, true), (["no answer"], 1, true),
        (["temporary"], 1, false), (["out of memory"], 1, false), (["stopped", "stopped", "stopped"], 0, true),
        (["no answer", "temporary"], 2, false), (["stopped", "temporary", nil], 2, true),
        // A gateway lost the server under it: once may be chance.
        (["server down"], 0, true), (["server down", "server down"], 2, true),
        (["server down", "temporary"], 1, false), (["server down", "server down", "stopped"], 2, true),
        ([nil, nil, nil], 3, true), (["temporary", "stopped", "no answer"], 2, true),
    ]

    @Test("has attempts that count, and perhaps one that the server still renders", arguments: records)
    func record(endings: [String?], counted: Int, mayStillRun: Bool) {
        let attempts = Self.attempts(endings)
        #expect(attempts.counted == counted)
        #expect(attempts.mayStillRun == mayStillRun)
    }
}

@Suite("The wait for a server")
struct BackoffTests {
    @Test("doubles from one second to thirty, and begins anew when the server was back")
    func doubling() {
        var backoff = Backoff()
        let waits = (0..<8).map { _ in backoff.next(chance: 0) }
        #expect(waits == [1, 2, 4, 8, 16, 30, 30, 30].map { .seconds($0) })
        backoff.reset()
        #expect(backoff.next(chance: 0) == .seconds(1))
        #expect(backoff.next(chance: 0) == .seconds(2))
    }

    @Test("is shortened by chance, by a quarter at most")
    func chance() {
        var shortest = Backoff()
        #expect((0..<6).map { _ in shortest.next(chance: 1) } == [0.75, 1.5, 3, 6, 12, 22.5].map { .seconds($0) })
        var waits: Set<Duration> = []
        for _ in 0..<200 {
            var backoff = Backoff()
            waits.insert(backoff.next())
        }
        #expect(waits.allSatisfy { (.seconds(0.75)...(.seconds(1))).contains($0) })
        #expect(waits.count > 100)
    }
}
