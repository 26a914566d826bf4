// Errors that strace(1) gives to the syncs of a shipped executable while many jobs are under way.

import Foundation
import StandIn
import Testing

extension CrashRun {
    /// Eight jobs at once. Each picture whose sync was told to have failed has to be rendered again.
    func loseForReal(_ injections: [String]) async throws {
        let spool = try TestSpool()
        await spool.takeSlot()
        let jobs = scenario.jobs("\(UUID())")
        let arguments = spool.arguments(server: standIn.url) + ["--no-progress", "--in-flight", "4"]
        let daemon = try Program(arguments, executable: executable, environment: ["SDSPOOL_PAGE": "none"])
        try await daemon.says("ready:")
        let log = spool.surroundings.appendingPathComponent("strace").path
        defer { try? FileManager.default.removeItem(atPath: log) }
        let tracer = try Program(
            ["-f", "-y", "-o", log, "-e", "trace=fsync,syncfs,sync_file_range"]
                + injections.flatMap { ["-e", "inject=\($0)"] } + ["-p", "\(daemon.pid)"],
            executable: URL(fileURLWithPath: "/usr/bin/strace"))
        try await tracer.says("attached")
        for job in jobs { try spool.drop(job.name, job.text) }
        let end = ContinuousClock.now + deadline
        func isDone() -> Bool { spool.list("done").count == jobs.count && spool.list("active").isEmpty }
        func isPictureLost() -> Bool {
            lost(in: (try? String(contentsOfFile: log, encoding: .utf8)) ?? "").contains { $0.hasSuffix(".png") }
        }
        func isTroubled() -> Bool { daemon.lines.count { $0.contains("trying again") } >= 3 }
        while !isDone(), !isPictureLost(), !isTroubled() {
            guard ContinuousClock.now < end else { throw BadState(description: "nothing happened") }
            try await Task.sleep(for: .milliseconds(20))
        }
        // Without end there would be no end of the errors: they are counted for each thread.
        tracer.kill(SIGTERM)
        _ = try await tracer.exitCode()
        try await spool.holds(jobs.count, in: "done")
        guard try await daemon.stop() == 0 else { throw BadState(description: "it ended with an error") }
        let losses = lost(in: try String(contentsOfFile: log, encoding: .utf8))
        try FileManager.default.removeItem(atPath: log)
        let one = jobs[0].name
        try spool.checkAtTheEnd(
            jobs, picture: FileManager.default.contents(atPath: spool.path("done/\(one)/\(one)-1.png").path))
        let bodies = standIn.requests.map { Data($0.body) }
        for job in jobs {
            guard let mark = job.mark else { continue }
            let renders = bodies.count { $0.range(of: mark) != nil }
            let losses = losses.count { $0.hasSuffix("/\(job.name)-1.png") }
            guard (1 + losses...2 + losses).contains(renders) else {
                throw BadState(description: "\(job.name) was lost \(losses) times and rendered \(renders) times")
            }
        }
        print("\(injections): \(losses.count) errors, of which \(losses.count { $0.hasSuffix(".png") }) lost a picture")
    }

    /// The files whose syncs were told to have failed.
    private func lost(in log: String) -> [String] {
        // A call that others come between is told in two lines, the first of which has the path.
        var last: [Substring: Substring] = [:]
        return log.split(separator: "\n").compactMap { line in
            let thread = line.prefix { $0 != " " }
            if let path = line.firstMatch(of: /<(\/[^>]*)>/)?.output.1 { last[thread] = path }
            return line.hasSuffix("(INJECTED)") ? last[thread].map(String.init) : nil
        }
    }
}
