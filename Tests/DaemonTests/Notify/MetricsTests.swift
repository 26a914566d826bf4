// The numbers for Prometheus, the heartbeat, and what is kept of done/.

import Foundation
import Linux
import Spool
import Testing

@testable import Daemon

@Suite struct MetricsTests {
    private static func ticket(_ name: StaticString) throws -> Ticket {
        try #require(Ticket(entry: FileName(stringLiteral: name)))
    }

    @Test("each line is as Prometheus reads it, buckets add up, and names of servers cannot break out")
    func text() throws {
        let cat = try Self.ticket("5-20261123T151042.000000Z.cat.json")
        var (metrics, status) = (Metrics(), Status())
        let events: [Event] = [
            .ready(spool: "/s", servers: ["http://a", "http://\"b\\\n"], waiting: 0),
            .serverAway("http://a", reason: "refused"), .started(cat, server: "http://\"b\\\n"),
            .retrying(cat, "x", after: .zero),
            .done(cat, path: "/x", pictures: 2, seconds: 0.7, warnings: []),
            .done(cat, path: "/x", pictures: 1, seconds: 45, warnings: []), .failed(cat, "x", path: "/y"),
            .cancelled(cat),
        ]
        for event in events {
            metrics.record(event)
            status.record(event)
        }
        metrics.record(gap: .zero)
        metrics.record(gap: .milliseconds(30))
        let now = Timestamp(microseconds: cat.arrival.microseconds + 2_500_000)
        let document = metrics.document(status, waiting: (3, cat.arrival), at: now)
        let lines = String(decoding: document, as: UTF8.self).split(separator: "\n").map(String.init)
        for line in [
            "sdspool_jobs_total{result=\"done\"} 2", "sdspool_jobs_total{result=\"failed\"} 1",
            "sdspool_jobs_total{result=\"refused\"} 0", "sdspool_jobs_total{result=\"cancelled\"} 1",
            "sdspool_pictures_total 3", "sdspool_retries_total 1", "sdspool_queue_jobs 3",
            "sdspool_queue_oldest_age_seconds 2.5", "sdspool_state{state=\"idle\"} 1",
            "sdspool_state{state=\"rendering\"} 0", "sdspool_server_up{server=\"http://a\"} 0",
            #"sdspool_server_up{server="http://\"b\\\n"} 1"#, "sdspool_render_seconds_bucket{le=\"0.5\"} 0",
            "sdspool_render_seconds_bucket{le=\"1.0\"} 1", "sdspool_render_seconds_bucket{le=\"60.0\"} 2",
            "sdspool_render_seconds_bucket{le=\"+Inf\"} 2", "sdspool_render_seconds_sum 45.7",
            "sdspool_render_seconds_count 2", "sdspool_gap_seconds_bucket{le=\"0.0005\"} 1",
            "sdspool_gap_seconds_count 2",
        ] { #expect(lines.contains(line), "\(line) is not in\n\(lines.joined(separator: "\n"))") }
        // Prometheus, "Exposition formats": a comment, or a name with labels and one number.
        let form = #/(# (HELP|TYPE) [a-z_]+ .+)|([a-z_]+(\{[a-z]+="([^"\\\n]|\\["\\n])*"\})? [-+0-9.e]+)/#
        for line in lines { #expect(line.wholeMatch(of: form) != nil, "\(line)") }
        #expect(document.last == UInt8(ascii: "\n"))
    }

    @Test("the one that has waited longest is told, whatever the priorities")
    func oldest() throws {
        let queue = JobQueue()
        #expect(queue.waiting.oldest == nil)
        #expect(!queue.hasWork)
        let old = try Self.ticket("7-20261123T151040.000000Z.old.json")
        queue.add([try Self.ticket("1-20261123T151042.000000Z.new.json"), old])
        queue.add([try Self.ticket("5-20261123T151041.000000Z.ask.json")], to: .queries)
        #expect(queue.waiting.count == 3)
        #expect(queue.waiting.oldest == old.arrival)
        #expect(queue.hasWork)
        _ = queue.pause(true)
        #expect(!queue.hasWork, "nobody is to be blamed for a pause")
    }

    @Test("status.json and metrics.prom are renewed when nothing happens")
    func heartbeat() async throws {
        let spool = try TemporarySpool()
        let (status, metrics) = ("\(spool.path)/status.json", "\(spool.path)/metrics.prom")
        let board = StatusWriter(spool.folders, JobQueue(), notifier: nil, heartbeat: .zero)
        board.beat()
        let end = ContinuousClock.now + .seconds(600)
        while !FileManager.default.fileExists(atPath: metrics), ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(FileManager.default.fileExists(atPath: status))
        #expect(FileManager.default.fileExists(atPath: metrics))
        withExtendedLifetime(board) {}
    }
}

/// A spool that is gone when the test is.
private final class TemporarySpool: Sendable {
    let path = FileManager.default.temporaryDirectory.path + "/sdspool-test-\(UUID())"
    let folders: Spool

    init() throws { folders = try Spool(path: path) }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
