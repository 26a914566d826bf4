// metrics.prom: what the daemon has done, in numbers, for Prometheus. node_exporter's textfile collector reads it from the spool
// (--collector.textfile.directory); the form is Prometheus' text format, version 0.0.4.

import Foundation
import Spool

/// Numbers since the start of the daemon.
struct Metrics: Sendable {
    private static let results = ["done", "failed", "refused", "expanded", "cancelled"]
    private var jobs: [String: Int] = [:]
    private var pictures = 0
    private var retries = 0
    private var renders = Histogram(bounds: [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800])
    private var gaps = Histogram(bounds: [0.0005, 0.002, 0.01, 0.05, 0.2, 1, 5])

    /// Takes in what has happened.
    mutating func record(_ event: Event) {
        switch event {
        case .done(_, _, let pictures, let seconds, _):
            jobs["done", default: 0] += 1
            self.pictures += pictures
            renders.record(seconds)
        case .failed: jobs["failed", default: 0] += 1
        case .refused: jobs["refused", default: 0] += 1
        case .expanded: jobs["expanded", default: 0] += 1
        case .cancelled: jobs["cancelled", default: 0] += 1
        case .retrying: retries += 1
        default: break
        }
    }

    /// A server that could have rendered had nothing of ours for so long, between two renders of a queue that was not empty.
    mutating func record(gap: Duration) { gaps.record(gap / .seconds(1)) }

    /// The text of the file.
    func document(_ status: Status, waiting: (count: Int, oldest: Timestamp?), at now: Timestamp) -> Data {
        var text = Exposition()
        text.add("sdspool_jobs_total", .counter, "Jobs that have ended, by how.") { name in
            Self.results.map { "\(name){result=\"\($0)\"} \(jobs[$0, default: 0])" }
        }
        text.add("sdspool_pictures_total", .counter, "Pictures of jobs that are done.") { ["\($0) \(pictures)"] }
        text.add("sdspool_retries_total", .counter, "Attempts that failed and are made again.") { ["\($0) \(retries)"] }
        text.add("sdspool_queue_jobs", .gauge, "Jobs that wait.") { ["\($0) \(waiting.count)"] }
        let age = waiting.oldest.map { max(0, now.microseconds - $0.microseconds) } ?? 0
        text.add("sdspool_queue_oldest_age_seconds", .gauge, "Age of the oldest job that waits, when this was written.")
        {
            ["\($0) \(Double(age) / 1e6)"]
        }
        text.add("sdspool_rendering_jobs", .gauge, "Jobs that are with a server.") {
            ["\($0) \(status.renderingCount)"]
        }
        text.add("sdspool_state", .gauge, "1 for what the queue does.") { name in
            Status.State.allCases.map { "\(name){state=\"\($0.rawValue)\"} \($0 == status.state ? 1 : 0)" }
        }
        text.add("sdspool_server_up", .gauge, "Whether a server answers.") { name in
            status.servers.map { "\(name){server=\"\(Exposition.label($0))\"} \(status.isUp($0) ? 1 : 0)" }
        }
        text.add(
            "sdspool_render_seconds", .histogram, "From the request to the result, of jobs that are done.",
            renders.lines)
        text.add(
            "sdspool_gap_seconds", .histogram, "From a server's answer to its next request, while jobs wait.",
            gaps.lines)
        text.add("sdspool_updated_timestamp_seconds", .gauge, "When this was written.") {
            ["\($0) \(Double(now.microseconds) / 1e6)"]
        }
        return Data(text.text.utf8)
    }
}

/// Prometheus' text, family after family.
private struct Exposition {
    enum Kind: String { case counter, gauge, histogram }

    var text = ""

    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ lines: (String) -> [String]) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        for line in lines(name) { text += line + "\n" }
    }

    /// A label's value may hold anything but these three as they are.
    static func label(_ value: String) -> String {
        value.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
            .replacingOccurrences(of: "\n", with: "\\n")
    }
}

/// How often something took how long.
private struct Histogram: Sendable {
    /// In seconds, ascending.
    let bounds: [Double]
    private var counts: [Int]
    private var count = 0
    private var sum = 0.0

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = bounds.map { _ in 0 }
    }

    mutating func record(_ seconds: Double) {
        count += 1
        sum += seconds
        if let bucket = bounds.firstIndex(where: { seconds <= $0 }) { counts[bucket] += 1 }
    }

    /// Each bucket counts those before it, too.
    func lines(_ name: String) -> [String] {
        var below = 0
        var lines = bounds.indices.map { index in
            below += counts[index]
            return "\(name)_bucket{le=\"\(bounds[index])\"} \(below)"
        }
        lines += ["\(name)_bucket{le=\"+Inf\"} \(count)", "\(name)_sum \(sum)", "\(name)_count \(count)"]
        return lines
    }
}
