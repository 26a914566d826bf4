// The crash suite: a daemon is struck at its file calls, one after the other, and whatever happens no job is lost, none is
// done twice, and nothing half-done is shown.
//
// Its quick part runs with all other tests; SDSPOOL_CRASH=long adds the errors at every call of every scenario. What it
// strikes with is FaultSeam in the Linux module.

import Foundation
import Sketch
import Synchronization
import Testing

@Suite struct CrashTests {
    private static let isLong = ProcessInfo.processInfo.environment["SDSPOOL_CRASH"] == "long"

    @Test(
        "killed at any file call, a daemon loses nothing and does nothing twice",
        arguments: isLong ? CrashScenario.all : [CrashScenario.all[0]])
    func killed(scenario: CrashScenario) async throws {
        try await Run(scenario).strike { "\($0):kill" }
    }

    @Test(
        "an error at any file call costs no job, and the daemon goes on by itself",
        .enabled(if: isLong, "SDSPOOL_CRASH=long runs it"),
        arguments: CrashScenario.all, ["ENOSPC", "EDQUOT", "EIO", "EROFS", "EMFILE", "done-EIO"])
    func failing(scenario: CrashScenario, error: String) async throws {
        try await Run(scenario).strike { "\($0):\(error)" }
    }

    @Test(
        "an error that stays is waited out",
        .enabled(if: isLong, "SDSPOOL_CRASH=long runs it"),
        arguments: CrashScenario.all, ["ENOSPC", "EDQUOT", "EIO", "EROFS", "EMFILE"])
    func troubled(scenario: CrashScenario, error: String) async throws {
        try await Run(scenario).strike { "\($0)+:\(error)@" }
    }
}

/// One scenario, run again and again with another strike.
private struct Run {
    let scenario: CrashScenario
    let sketch: Sketch

    init(_ scenario: CrashScenario) throws {
        self.scenario = scenario
        sketch = try Sketch.quick()
    }

    /// Strikes at each file call that an undisturbed run makes, several at a time.
    func strike(_ fault: @escaping @Sendable (Int) -> String) async throws {
        let (calls, picture) = try await undisturbed()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for call in 1...calls {
                if call > 10 { try await group.next() }
                group.addTask { try await strike(fault(call), id: "\(UUID())", picture: picture) }
            }
            try await group.waitForAll()
        }
        print("\(scenario), \(fault(1)): struck at \(calls) calls")
        await sketch.stop()
    }

    /// How many calls there are, and the picture that is drawn.
    private func undisturbed() async throws -> (Int, Data?) {
        let spool = try TestSpool()
        let jobs = scenario.jobs("undisturbed \(UUID())")
        try scenario.prepare(spool, jobs)
        let daemon = try await start(spool, fault: "0:trace")
        try scenario.act(spool, jobs)
        try await finished(jobs, in: spool, daemon)
        #expect(try await daemon.stop() == 0)
        try spool.checkAtTheEnd(jobs, picture: nil)
        let calls = daemon.lines.filter { $0.hasPrefix("call ") }.count
        return (calls, FileManager.default.contents(atPath: spool.path("done/b/b-1.png").path))
    }

    private func strike(_ fault: String, id: String, picture: Data?) async throws {
        let spool = try TestSpool()
        await spool.takeSlot()
        let jobs = scenario.jobs(id)
        do {
            let trouble = spool.surroundings.appendingPathComponent("trouble")
            if fault.hasSuffix("@") { try Data().write(to: trouble) }
            try scenario.prepare(spool, jobs)
            let daemon = try Program(
                spool.arguments(server: sketch.url),
                environment: ["SDSPOOL_FAULT": fault.hasSuffix("@") ? fault + trouble.path : fault])
            let isReady = (try? await daemon.says("ready:")) != nil
            if isReady { try scenario.act(spool, jobs) }
            if fault.hasSuffix("@") {
                _ = try? await daemon.says("trying again")
                try spool.checkAtAnyMoment(jobs, picture: picture)
                try FileManager.default.removeItem(at: trouble)
            }
            var deaths = 0
            if !fault.hasSuffix("kill"), isReady {
                try await finished(jobs, in: spool, daemon)
                guard try await daemon.stop() == 0 else { throw BadState(description: "it did not end well") }
            } else {
                // Also one that was not struck is ended at once, in the middle of whatever it does.
                try await finishedOrDead(jobs, in: spool, daemon)
                daemon.kill(SIGKILL)
                _ = try await daemon.exitCode()
                deaths = 1
                if !isReady { try scenario.act(spool, jobs) }
                try spool.checkAtAnyMoment(jobs, picture: picture)
                let second = try await start(spool)
                try await finished(jobs, in: spool, second)
                guard try await second.stop() == 0 else { throw BadState(description: "it did not end well") }
            }
            try spool.checkAtTheEnd(jobs, picture: picture)
            try checkRenders(jobs, deaths: deaths, isTriedAgain: scenario.description.contains("again"), fault)
            let before = try spool.tree()
            guard try await start(spool).stop() == 0, try spool.tree() == before else {
                throw BadState(description: "a second start changed something")
            }
        } catch {
            let all = (try? spool.tree()) ?? []
            Issue.record("\(scenario), \(fault): \(error); the spool: \(all)")
        }
    }

    private func start(_ spool: TestSpool, fault: String? = nil) async throws -> Program {
        let daemon = try Program(
            spool.arguments(server: sketch.url), environment: fault.map { ["SDSPOOL_FAULT": $0] } ?? [:])
        try await daemon.says("ready:")
        return daemon
    }

    /// Waits until each job is where it ends.
    private func finished(_ jobs: [CrashScenario.Job], in spool: TestSpool, _ daemon: Program) async throws {
        let end = ContinuousClock.now + .seconds(20)
        while !isFinished(jobs, in: spool) {
            guard ContinuousClock.now < end, daemon.isRunning else {
                throw BadState(description: "never finished; the daemon said: \(daemon.lines.joined(separator: " | "))")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private func finishedOrDead(_ jobs: [CrashScenario.Job], in spool: TestSpool, _ daemon: Program) async throws {
        let end = ContinuousClock.now + .seconds(20)
        while daemon.isRunning, !isFinished(jobs, in: spool) {
            guard ContinuousClock.now < end else {
                throw BadState(description: "never finished; the daemon said: \(daemon.lines.joined(separator: " | "))")
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    private func isFinished(_ jobs: [CrashScenario.Job], in spool: TestSpool) -> Bool {
        jobs.allSatisfy { job in
            job.end == .nowhere || spool.list(job.end.rawValue).contains(job.name)
        } && spool.list("active").isEmpty
    }

    /// At most one for each death, and in order.
    private func checkRenders(
        _ jobs: [CrashScenario.Job], deaths: Int, isTriedAgain: Bool, _ fault: String
    ) throws {
        let bodies = sketch.requests.map { String(decoding: $0.body, as: UTF8.self) }
        var firsts: [Int] = []
        for job in jobs {
            let mark = job.text.firstMatch(of: /"point": "[^"]*"/)?.output ?? ""
            let renders = bodies.indices.filter { !mark.isEmpty && bodies[$0].contains(mark) }
            // A disk that fails in the middle of an answer loses what could not be written: it is rendered again.
            let limit = 1 + deaths + (isTriedAgain ? 1 : 0) + (fault.contains("E") ? 2 : 0)
            guard renders.count <= limit else {
                throw BadState(description: "\(job.name) was rendered \(renders.count) times")
            }
            if let first = renders.first { firsts.append(first) }
        }
        guard firsts == firsts.sorted() || fault.contains("E") else {
            throw BadState(description: "the order was lost: \(firsts)")
        }
    }
}
