// Two errors in the life of jobs that arrive, are rendered and end together: what the first one has settled, the second
// one must not unsettle. A sync that fails loses what it was to bring to the disk.

import Foundation
import TestSupport
import StandIn
import Testing

extension CrashScenario {
    /// Their files lie in the inbox when the daemon starts, so that one call brings them to the disk; nobody has synced them.
    static let together = CrashScenario(
        description: "jobs arrive and end together", options: ["--in-flight", "4"], isPrepared: true,
        jobs: { id in ["a", "b", "c", "d", "e", "f"].map { job($0, id) } },
        prepare: { spool, jobs in
            for job in jobs { try spool.put(job.text, at: "inbox/\(job.name).json") }
        })

    static let eight = CrashScenario(description: "eight jobs at once") { id in
        (1...8).map { job("job\($0)", id) }
    }

    /// Each is looked at by itself.
    static let oneByOne = CrashScenario(
        description: "jobs arrive one by one and end together", environment: ["SDSPOOL_MANY": "1000"],
        options: ["--in-flight", "4"], isPrepared: true, jobs: { id in ["a", "b", "c"].map { job($0, id) } },
        prepare: { spool, jobs in
            for job in jobs { try spool.put(job.text, at: "inbox/\(job.name).json") }
        })
}

/// Which two errors, for each call of a life as the first one: the same in every run.
struct CrashPairs {
    let calls: Range<Int>
    /// The numbers of the syncs among them.
    let syncs: [Int]
    private var generator = SeededGenerator(state: 20_261_129)

    init(_ calls: Range<Int>, trace: [String]) {
        self.calls = calls
        let lines = trace.filter { $0.hasPrefix("call ") }
        syncs = calls.filter { lines[$0 - 1].contains(#/^call \d+ by \d+: (fsync|syncfs|sync_file_range) /#) }
    }

    /// Each call with the next sync, one of those after it, and now and then any call.
    mutating func all() -> [Strike] {
        calls.flatMap { call in
            let isSync = syncs.contains(call)
            return (isSync ? ["sync+1", "sync+\(2 + random(6))", "+\(1 + random(12))"] : ["sync+\(1 + random(3))"])
                .map { pair(call, $0) }
        }
    }

    /// A few of them, spread over the syncs.
    mutating func some(_ count: Int) -> [Strike] {
        (0..<count).map { number in
            pair(syncs[number * syncs.count / count], number % 2 == 0 ? "sync+1" : "sync+\(2 + random(4))")
        }
    }

    private mutating func pair(_ call: Int, _ place: String) -> Strike {
        // An EIO of a folder ends the daemon, which leaves the second one without a chance.
        let errors = ["ENOSPC", "EIO", "ENOSPC", "EDQUOT"]
        return .pair(
            call, errors[random(errors.count)], then: "\(place):\(errors[random(errors.count)])")
    }

    private mutating func random(_ count: Int) -> Int { Int(generator.next() % UInt64(count)) }
}

extension CrashRun {
    /// Strikes so many at a time.
    func strike(_ strikes: [Strike], picture: Data?) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, strike) in strikes.enumerated() {
                if number >= 8 { try await group.next() }
                group.addTask { await self.run(strike, in: try TestSpool(), picture: picture) }
            }
            try await group.waitForAll()
        }
        print("\(scenario): \(strikes.count) strikes")
    }
}
