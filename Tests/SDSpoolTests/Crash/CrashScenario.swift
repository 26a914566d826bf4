// The lives of jobs at whose file calls the crash suite strikes.

import Foundation
import Glibc
import StandIn
import Testing

/// What is done with a spool and a daemon, and what has to come of it.
struct CrashScenario: Sendable, CustomStringConvertible {
    /// A job and where it ends.
    struct Job: Sendable {
        let name: String
        let text: String
        var end = End.done
        /// Of a batch: it is nowhere before the batch is expanded.
        var isPart = false
        /// What no other job has in it; `nil` for what is never rendered.
        var mark: Data?

        enum End: String, Sendable {
            case done, failed
            /// Somebody has deleted it.
            case nowhere = ""
        }
    }
    let description: String
    /// Renders that a job needs besides its first.
    var retries = 0
    /// What the daemon is told besides.
    var environment: [String: String] = [:]
    /// Of the command line, besides.
    var options: [String] = []
    /// Whether it writes the page, whose calls are none of a job's.
    var hasPage = false
    /// Whether the jobs lie there before the daemon starts. Then `act` only drops again what was lost before it was accepted.
    var isPrepared = false
    /// Whether the daemon's start is a part of it.
    var isAboutTheStart = false
    let jobs: @Sendable (_ id: String) -> [Job]
    /// What lies in the spool before the daemon starts.
    var prepare: @Sendable (TestSpool, [Job]) throws -> Void = { _, _ in }
    /// What somebody does when it is ready.
    var act: @Sendable (TestSpool, [Job], Program) async throws -> Void = { spool, jobs, _ in
        for job in jobs where !job.isPart { try spool.dropForGood(job.name, job.text) }
    }

    /// A job that is told apart from those of other points by a key that no server knows, and draws the same picture.
    static func job(
        _ name: String, _ id: String, _ more: String = "", seed: Int? = 7, end: Job.End = .done, isPart: Bool = false
    ) -> Job {
        let mark = #""point": "\#(id) \#(name)""#
        let text = smallJob("\(seed.map { #""seed": \#($0), "# } ?? "")\(mark)" + (more.isEmpty ? "" : ", \(more)"))
        return Job(name: name, text: text, end: end, isPart: isPart, mark: Data(mark.utf8))
    }

    static let all = [
        CrashScenario(description: "two jobs are done") { id in [job("a", id), job("b", id)] },
        CrashScenario(description: "two jobs share their waits for the disk", environment: ["SDSPOOL_MANY": "1"]) {
            id in
            [job("a", id), job("b", id)]
        },
        CrashScenario(description: "the page is written", hasPage: true) { id in
            [job("a", id), job("b", id, #""cfg_scale": "big""#, end: .failed)]
        },
        CrashScenario(description: "a job fails") { id in [job("a", id, #""cfg_scale": "big""#, end: .failed)] },
        CrashScenario(description: "what is no job is refused") { id in
            [Job(name: "a", text: "hello \(id)", end: .failed)]
        },
        // Refused at once, by its address: nothing is left over, and nobody need listen.
        CrashScenario(description: "the end of a job is told") { id in
            let callback = #""sdspool": {"callback": "http://192.0.2.1"}"#
            return [job("a", id, callback), job("b", id, #""cfg_scale": "big", \#(callback)"#, end: .failed)]
        },
        // One at a time: a place at the server that is not given back is missed at once.
        CrashScenario(description: "a job is tried again", retries: 1, options: ["--in-flight", "1"]) { id in
            [job("a", id, #""sketch": {"fault": "500", "times": 1, "id": "\#(id)"}"#, seed: nil)]
        },
        CrashScenario(
            description: "a waiting job is cancelled",
            jobs: { id in [job("a", id, end: .nowhere), job("b", id)] },
            prepare: { spool, jobs in
                try spool.put(jobs[0].text, at: "queue/5-20260101T000000.000001Z.a.json")
                try spool.put(jobs[1].text, at: "queue/5-20260101T000000.000002Z.b.json")
                try spool.put("", at: "PAUSE")
            },
            act: { spool, _, _ in
                try FileManager.default.removeItem(at: spool.path("queue/5-20260101T000000.000001Z.a.json"))
                try FileManager.default.removeItem(at: spool.path("PAUSE"))
            }),
        CrashScenario(
            description: "a start repairs what the last one left", isAboutTheStart: true,
            jobs: { id in
                [job("a", id), job("b", id), job("c", id, end: .failed), job("d", id)]
            },
            prepare: { spool, jobs in
                let attempts =
                    #"{"drawn": {}, "list": [{"number": 1, "server": "x", "started": "2026-01-01T00:00:00Z"}]}"#
                let folders = (1...3).map { "active/5-20260101T000000.00000\($0)Z.\(jobs[$0 - 1].name)" }
                for (job, folder) in zip(jobs, folders) {
                    try spool.put(job.text, at: "\(folder)/\(job.name).json")
                    try spool.put(attempts, at: "\(folder)/attempts.json")
                }
                try spool.put("half", at: "\(folders[0])/.picture-1")
                try spool.put(#"{"images": []}"#, at: "\(folders[1])/result.json")
                try spool.put(#"{"class": "temporary"}"#, at: "\(folders[2])/error.json")
                try spool.put(jobs[3].text, at: "queue/5-20260101T000000.000004Z.d.json")
                try FileManager.default.createDirectory(
                    at: spool.path("active/5-20260101T000000.000005Z.e"), withIntermediateDirectories: true)
            },
            act: { _, _, _ in }),
        CrashScenario(description: "a batch is expanded") { id in
            let parts = ["a-001", "a-002"].map { job($0, id, isPart: true) }
            return [Job(name: "a", text: "[\(parts[0].text), \(parts[1].text)]")] + parts
        },
        CrashScenario(
            description: "a render is cancelled",
            jobs: { id in
                [job("a", id, #""sketch": {"fault": "delay", "seconds": 0.3}"#, end: .nowhere), job("b", id)]
            },
            act: { spool, jobs, daemon in
                for job in jobs { try spool.dropForGood(job.name, job.text) }
                while daemon.isRunning {
                    let active = spool.list("active").filter { $0.hasSuffix(".a") }
                    let isGone = active.contains { unlink(spool.path("active/\($0)/a.json").path) == 0 }
                    // It may have been rendered before anybody could look.
                    if isGone || spool.list("done").contains("a") { return }
                    try await Task.sleep(for: .milliseconds(2))
                }
            }),
    ]
}

extension TestSpool {
    /// Drops a job as somebody does who wants it to outlive a loss of power.
    func dropForGood(_ name: String, _ text: String) throws {
        let draft = path("inbox/.\(name).tmp")
        try Data(text.utf8).write(to: draft)
        try sync(draft)
        try FileManager.default.moveItem(at: draft, to: path("inbox/\(name).json"))
        try sync(path("inbox"))
    }

    /// Takes away what was about to be dropped.
    func removeDrafts() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: path("inbox").path) where name.hasPrefix(".") {
            try FileManager.default.removeItem(at: path("inbox/\(name)"))
        }
    }

    private func sync(_ place: URL) throws {
        let number = open(place.path, O_RDONLY | O_CLOEXEC)
        defer { close(number) }
        guard fsync(number) == 0 else { throw Missed(description: "fsync of \(place.path): errno \(errno)") }
    }

    /// Writes a file, and the folders to it.
    func put(_ text: String, at place: String) throws {
        try FileManager.default.createDirectory(
            at: path(place).deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: path(place))
    }
}
