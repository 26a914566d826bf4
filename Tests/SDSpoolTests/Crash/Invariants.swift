// What has to be true of a spool at every moment, whatever has happened to its daemon, its disk and its power.

import Foundation
import Testing

/// Something that must never be.
struct BadState: Error, CustomStringConvertible {
    let description: String
}

extension TestSpool {
    /// Each job is in exactly one state of the table, and whatever is in done/ or failed/ is complete.
    ///
    /// - Parameter picture: the one that each of these jobs draws.
    func checkAtAnyMoment(_ jobs: [CrashScenario.Job], picture: Data?) throws {
        for job in jobs {
            let places = try states(of: job)
            // What is deleted from one folder may have been moved by then.
            let isRight = job.end == .nowhere || job.isPart ? places.count <= 1 : places.count == 1
            guard isRight else { throw BadState(description: "\(job.name) is in \(places)") }
        }
        for folder in ["done", "failed"] {
            for name in list(folder) { try checkResult("\(folder)/\(name)", picture: picture) }
        }
        let around = try FileManager.default.contentsOfDirectory(atPath: surroundings.path)
        guard Set(around).subtracting(["spool", "trouble", "unrelated", "lost+found"]).isEmpty else {
            throw BadState(description: "beside the spool there is \(around)")
        }
    }

    /// All is where it belongs, and nothing else is left.
    func checkAtTheEnd(_ jobs: [CrashScenario.Job], picture: Data?) throws {
        try checkAtAnyMoment(jobs, picture: picture)
        for job in jobs where job.end != .nowhere {
            let place = "\(job.end.rawValue)/\(job.name)/\(job.name).json"
            let places = try states(of: job)
            guard places == [place] else { throw BadState(description: "\(job.name) is in \(places)") }
        }
        let left = try tree().filter { entry in
            let parts = entry.split(separator: "/")
            let isResult = parts.count > 1 && ["done", "failed"].contains(parts[0])
            return parts.contains { $0.hasPrefix(".") } && ![".lock", ".outbox"].contains(entry)
                || parts.count > 1 && !isResult
        }
        guard left.isEmpty else { throw BadState(description: "left over: \(left)") }
    }

    /// All that lies in the spool but what a daemon shows of it when the disk lets it: the status, the numbers and the pages.
    func tree() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: url.path).filter { !Self.isShown($0) }.sorted()
    }

    /// Whether the daemon writes it for those who look. A draft of it is none.
    static func isShown(_ entry: String) -> Bool {
        ["status.json", "metrics.prom", "index.html", "pages"].contains(entry)
            || entry.hasPrefix("pages/") && !entry.hasPrefix("pages/.")
    }

    /// The ticket of a job that has ended; `nil` where that is nowhere.
    func ticket(of job: CrashScenario.Job) throws -> String? {
        switch job.end {
        case .done: try document("done/\(job.name)/result.json")["ticket"] as? String
        case .failed: try document("failed/\(job.name)/error.json")["ticket"] as? String
        case .nowhere: nil
        }
    }

    /// The files that hold the job, each once however many names it has.
    func states(of job: CrashScenario.Job) throws -> [String] {
        var inodes: Set<Int> = []
        return try tree().filter { entry in
            // A folder that moves while it is looked at is looked at again by whoever asks in the end.
            let place = path(entry).path
            guard let content = FileManager.default.contents(atPath: place), content == Data(job.text.utf8),
                let attributes = try? FileManager.default.attributesOfItem(atPath: place)
            else { return false }
            return inodes.insert(attributes[.systemFileNumber] as? Int ?? 0).inserted
        }
    }

    private func checkResult(_ folder: String, picture: Data?) throws {
        let names = list(folder)
        let ending = folder.hasPrefix("done") ? "result.json" : "error.json"
        guard names.contains(ending), names.contains(where: { $0.hasSuffix(".json") && $0 != ending }) else {
            throw BadState(description: "\(folder) holds only \(names)")
        }
        let result = try document("\(folder)/\(ending)")
        for image in result["images"] as? [[String: Any]] ?? [] {
            let file = image["file"] as? String ?? ""
            let content = FileManager.default.contents(atPath: path("\(folder)/\(file)").path)
            guard content?.count == image["bytes"] as? Int, picture == nil || content == picture else {
                throw BadState(description: "\(folder)/\(file) is not the picture that was sent")
            }
        }
    }
}
