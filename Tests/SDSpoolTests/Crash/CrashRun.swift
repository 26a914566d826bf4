// One scenario of the crash suite, run again and again with another strike, and looked at before and after recovery.

import Foundation
import StandIn
import Testing

/// What strikes, at a call of a daemon's life that is told by its number.
enum Strike: Sendable, CustomStringConvertible {
    /// By FaultSeam: `kill`, or the name of an error.
    case seam(Int, String)
    /// The same, and then what the words say.
    case pair(Int, String, then: String)
    /// The same, and all calls behind it, until the cause is taken away.
    case lastingSeam(Int, String)
    /// By strace(1), from outside, at the N-th call of that name that a thread makes from now on, until it is taken away.
    case strace(Int, String)
    /// The loss of power of the filesystem that is mounted there; late, behind the sync of an unrelated file.
    case cut(Int, mount: String, isLate: Bool)

    var description: String {
        switch self {
        case .seam(let call, let what): "\(what) at call \(call)"
        case .pair(let call, let what, let then): "\(what) at call \(call), then \(then)"
        case .lastingSeam(let call, let what): "\(what) from call \(call) on"
        case .strace(let number, let what): "\(what) at its number \(number)"
        case .cut(let call, let mount, let isLate): "\(isLate ? "late " : "")power cut of \(mount) at call \(call)"
        }
    }

    /// Whether the daemon dies of it.
    var isDeadly: Bool {
        switch self {
        case .seam(_, let what): what == "kill"
        case .pair, .lastingSeam: false
        case .strace(_, let what): what.contains("signal=KILL")
        case .cut: true
        }
    }

    /// Whether it goes on until its cause is taken away.
    var isLasting: Bool {
        switch self {
        case .lastingSeam: true
        case .strace: !isDeadly
        case .seam, .pair, .cut: false
        }
    }

    var isCut: Bool { if case .cut = self { true } else { false } }

    /// Whether jobs may be rendered again because an answer could not be kept, and others go first meanwhile.
    var troublesDisk: Bool { !isDeadly }
}

/// At most so many of the calls, evenly from the first to the last.
func spread(_ calls: Range<Int>, over most: Int) -> [Int] {
    guard calls.count > most, most > 1 else { return Array(calls) }
    return (0..<most).map { calls.lowerBound + $0 * (calls.count - 1) / (most - 1) }
}

/// One scenario and the server of all its runs.
struct CrashRun: Sendable {
    let scenario: CrashScenario
    let standIn: StandIn
    /// The executable that is struck from outside; the seam is in this test run's own.
    var executable: URL?

    init(_ scenario: CrashScenario, executable: URL? = nil) throws {
        self.scenario = scenario
        self.executable = executable
        standIn = try StandIn.quick()
    }

    /// Strikes at the file calls that an undisturbed run makes, several at a time, and says how many these were. Those
    /// of a start that finds nothing to do are left to the scenario that has something to repair.
    ///
    /// - Parameter most: where there are more calls, so many of them, spread over all.
    func strikeEverywhere(atMost most: Int = .max, _ strike: @escaping @Sendable (Int) -> Strike) async throws {
        let (all, picture, _) = try await undisturbed()
        let calls = spread(all, over: most)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, call) in calls.enumerated() {
                if number >= 8 { try await group.next() }
                group.addTask { await self.run(strike(call), in: try TestSpool(), picture: picture) }
            }
            try await group.waitForAll()
        }
        print("\(scenario): \(calls.count) points, from \(strike(calls[0])) to \(strike(calls[calls.count - 1]))")
    }

    /// The calls to strike at, the picture that is drawn, and what was told of each call.
    func undisturbed() async throws -> (calls: Range<Int>, picture: Data?, trace: [String]) {
        let spool = try TestSpool()
        await spool.takeSlot()
        let jobs = scenario.jobs("undisturbed \(UUID())")
        try scenario.prepare(spool, jobs)
        let daemon = try await start(spool, .seam(0, "trace"))
        let before = daemon.lines.prefix { !$0.contains(" ready:") }.count { $0.hasPrefix("call ") }
        if !scenario.isPrepared { try await scenario.act(spool, jobs, daemon) }
        try await finished(jobs, in: spool, daemon)
        #expect(try await daemon.stop() == 0)
        try spool.checkAtTheEnd(jobs, picture: nil)
        try checkClosing(daemon)
        let calls = daemon.lines.count { $0.hasPrefix("call ") }
        let picture = FileManager.default.contents(atPath: spool.path("done/b/b-1.png").path)
        let first = scenario.isAboutTheStart ? 1 : scenario.isPrepared ? daemon.firstRead : before + 1
        return (first..<calls + 1, picture, daemon.lines)
    }

    /// One strike: nothing of what follows it may be a bad state.
    ///
    /// - Parameter remount: brings back a filesystem whose power was cut.
    func run(_ strike: Strike, in spool: TestSpool, picture: Data?, remount: () async throws -> Void = {}) async {
        // With a witness of its own: the daemons of the other strikes have nothing to do with it.
        await Witness.attends("\(scenario), \(strike)") {
            await attempt(strike, in: spool, picture: picture, remount: remount)
        }
    }

    private func attempt(_ strike: Strike, in spool: TestSpool, picture: Data?, remount: () async throws -> Void) async
    {
        let jobs = scenario.jobs("\(UUID())")
        do {
            await spool.takeSlot()
            try scenario.prepare(spool, jobs)
            let trouble = spool.surroundings.appendingPathComponent("trouble")
            if strike.isLasting { try Data().write(to: trouble) }
            var tracer: Program?
            let daemon = try launch(spool, strike)
            let mayWait = strike.isLasting
            let isReady =
                (try? await daemon.line("ready:") { line in
                    line.contains(" ready:") || mayWait && line.contains("trying again")
                }) != nil
            if case .strace(let number, let what) = strike {
                tracer = try await attach("inject=\(what):when=\(number)", to: daemon)
            }
            var acting: Task<Void, any Error>?
            if isReady, strike.isLasting {
                // What somebody does may wait for what the trouble holds up.
                acting = Task { try await scenario.act(spool, jobs, daemon) }
            } else if isReady, !scenario.isPrepared {
                do { try await scenario.act(spool, jobs, daemon) } catch  where strike.isCut {
                    // The power went while a file was being dropped; whose it is drops it again.
                }
            }
            if strike.isLasting {
                // What fails of the status is told by nobody and stops nothing.
                try await eventually("troubled or finished", daemon) {
                    daemon.lines.contains { $0.contains("trying again") } || isFinished(jobs, in: spool)
                        || !daemon.isRunning
                }
                // Trouble may come before the jobs do.
                try await eventually("dropped", daemon) {
                    jobs.allSatisfy { job in
                        // Not as a draft, which goes on to its name.
                        job.end == .nowhere || job.isPart
                            || (try? spool.states(of: job).allSatisfy { !$0.hasPrefix("inbox/.") }) == true
                                && (try? spool.states(of: job).isEmpty) == false
                    }
                }
                // All stands still then; behind a single error it does not, and cannot be looked at.
                if case .lastingSeam = strike { try await checkStandstill(jobs, in: spool, picture: picture) }
                try FileManager.default.removeItem(at: trouble)
                tracer?.kill(SIGTERM)
                _ = try await tracer?.exitCode()
                try await acting?.value
            }
            var hasEnded = strike.isDeadly || !isReady
            if !hasEnded {
                try await eventually("finished or ended", daemon) {
                    !daemon.isRunning || isFinished(jobs, in: spool)
                }
                let code = try await daemon.stop()
                // A disk that may have lost names is not to be trusted with more.
                hasEnded = code == 74
                if hasEnded { try await daemon.says("sdspool: fsync", "is lost, start") }
                guard code == 0 || hasEnded else { throw BadState(description: "it ended with \(code)") }
            }
            if hasEnded {
                try await recovered(
                    jobs, in: spool, from: daemon, losesDrops: strike.isCut || !strike.isDeadly, picture: picture,
                    remount: remount)
            }
            try spool.checkAtTheEnd(jobs, picture: picture)
            try checkRenders(jobs, strike, in: spool, hasEnded: hasEnded)
            try checkClosing(daemon)
            if case .pair = strike { try checkLosses(jobs, daemon, hasEnded: hasEnded) }
            guard strike.isDeadly else { return }
            let before = try spool.tree()
            try await stopped(start(spool))
            guard try spool.tree() == before else { throw BadState(description: "a second start changed something") }
        } catch {
            try? await remount()
            Issue.record("\(scenario), \(strike): \(error); the spool: \((try? spool.tree()) ?? []), \(spool.state)")
        }
    }

    private func recovered(
        _ jobs: [CrashScenario.Job], in spool: TestSpool, from daemon: Program, losesDrops: Bool, picture: Data?,
        remount: () async throws -> Void
    ) async throws {
        // Also one that was not struck is ended at once, in the middle of whatever it does.
        try await eventually("finished or died", daemon) { !daemon.isRunning || isFinished(jobs, in: spool) }
        daemon.kill(SIGKILL)
        _ = try await daemon.exitCode()
        try await remount()
        let said = daemon.lines
        if !said.contains(where: { $0.contains(" ready:") }) {
            try await scenario.act(spool, jobs, daemon)
        } else if losesDrops {
            // Not everything had been dropped for good. What was told to be accepted is there.
            try spool.removeDrafts()
            let missing = try jobs.filter { job in
                try job.end != .nowhere && spool.states(of: job).isEmpty
                    && !said.contains { $0.contains(" accepted ") && $0.hasSuffix(".\(job.name)") }
            }
            for job in missing { try? FileManager.default.removeItem(at: spool.path("inbox/\(job.name).json")) }
            if !missing.isEmpty { try await scenario.act(spool, missing, daemon) }
        }
        try spool.checkAtAnyMoment(jobs, picture: picture)
        for job in jobs where said.contains(where: { $0.contains("done \(job.name):") }) {
            guard spool.list("done").contains(job.name) else {
                throw BadState(description: "\(job.name) was told to be done, and is not")
            }
        }
        let second = try await start(spool)
        try await finished(jobs, in: spool, second)
        try await stopped(second)
    }

    /// A call that was counted before the trouble may still be under way in its thread, and a look then sees a job in two
    /// places or in none: what is bad stays so.
    private func checkStandstill(_ jobs: [CrashScenario.Job], in spool: TestSpool, picture: Data?) async throws {
        for _ in 0..<100 {
            if (try? spool.checkAtAnyMoment(jobs, picture: picture)) != nil { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        try spool.checkAtAnyMoment(jobs, picture: picture)
    }

    /// Whoever makes the page may have a job's file open for a moment when it is moved, which hurts nobody.
    private func checkClosing(_ daemon: Program) throws {
        if !scenario.hasPage { try daemon.hasClosedBeforeRemoving() }
    }

    // MARK: The daemon

    private func launch(_ spool: TestSpool, _ strike: Strike?) throws -> Program {
        let arguments = spool.arguments(server: standIn.url) + ["--no-progress"] + scenario.options
        let environment = scenario.environment.merging(scenario.hasPage ? [:] : ["SDSPOOL_PAGE": "none"]) { $1 }
        switch strike {
        case nil, .strace: return try Program(arguments, executable: executable, environment: environment)
        case .seam(let call, let what): return try struck("\(call):\(what)")
        case .pair(let call, let what, let then): return try struck("\(call):\(what),\(then)")
        case .lastingSeam(let call, let what):
            return try struck("\(call)+:\(what)@\(spool.surroundings.appendingPathComponent("trouble").path)")
        case .cut(let call, let mount, let isLate): return try struck("\(call):\(isLate ? "late-cut" : "cut")@\(mount)")
        }
        func struck(_ fault: String) throws -> Program {
            try Program(arguments, environment: environment.merging(["SDSPOOL_FAULT": fault]) { $1 })
        }
    }

    private func attach(_ inject: String, to daemon: Program) async throws -> Program {
        let tracer = try Program(
            ["-f", "-o", "/dev/null", "-e", inject, "-p", "\(daemon.pid)"],
            executable: URL(fileURLWithPath: "/usr/bin/strace"))
        try await tracer.says("attached")
        return tracer
    }

    private func start(_ spool: TestSpool, _ strike: Strike? = nil) async throws -> Program {
        let daemon = try launch(spool, strike)
        try await daemon.says("ready:")
        return daemon
    }

    private func stopped(_ daemon: Program) async throws {
        let code = try await daemon.stop()
        guard code == 0 else { throw BadState(description: "it ended with \(code)") }
    }

    /// Waits until each job is where it ends, and told.
    private func finished(_ jobs: [CrashScenario.Job], in spool: TestSpool, _ daemon: Program) async throws {
        try await eventually("finished", daemon) { isFinished(jobs, in: spool) }
    }

    private func isFinished(_ jobs: [CrashScenario.Job], in spool: TestSpool) -> Bool {
        spool.list("active").isEmpty && spool.list(".outbox").isEmpty
            && jobs.allSatisfy { $0.end == .nowhere || spool.list($0.end.rawValue).contains($0.name) }
    }

    /// The folder tells nobody of its states: it is looked at until it is so.
    private func eventually(_ what: String, _ daemon: Program, _ isSo: () -> Bool) async throws {
        let end = ContinuousClock.now + deadline
        while !isSo() {
            guard ContinuousClock.now < end else {
                let said = daemon.lines.joined(separator: " | ")
                throw BadState(description: "never \(what); the daemon said: \(said)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
