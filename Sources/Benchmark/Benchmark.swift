// swift run -c release Benchmark: what is promised in numbers, measured side by side with a plain client in one run.

import Foundation
import Glibc

@main
enum Benchmark {
    private static let help = """
        usage: Benchmark [--in DIR] [--json FILE] [PART]…

        Measures sdspool side by side with a plain sequential client, in folders that it makes in DIR (default: the
        temporary folder) and takes away. PARTs: gap, latency, throughput, memory, backlog (default: all).
        """

    static func main() async throws {
        var words = Array(CommandLine.arguments.dropFirst())
        if words.first == "--plain-client", words.count == 3 {
            return try await PlainClient.run(folder: words[1], server: words[2])
        }
        if words.contains("--help") { return print(help) }
        func value(_ option: String) -> String? {
            guard let index = words.firstIndex(of: option), index + 1 < words.count else { return nil }
            defer { words.removeSubrange(index...index + 1) }
            return words[index + 1]
        }
        let place = URL(fileURLWithPath: value("--in") ?? NSTemporaryDirectory())
            .appendingPathComponent("sdspool-benchmark-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: place) }
        let json = value("--json")
        let parts: [(name: String, measure: (inout Report, URL) async throws -> Void)] = [
            ("gap", gaps), ("latency", latency), ("throughput", throughput), ("memory", memory), ("backlog", backlog),
        ]
        if let odd = words.first(where: { word in !parts.contains { $0.name == word } }) {
            print("Benchmark: what is \"\(odd)\"?\n\(help)")
            exit(EX_USAGE)
        }
        try build()
        print(Report.machine)
        var report = Report()
        for part in parts where words.isEmpty || words.contains(part.name) { try await part.measure(&report, place) }
        if let json { try report.json().write(to: URL(fileURLWithPath: json)) }
    }

    /// `swift run` builds this program alone; the daemon is measured as it is shipped.
    private static func build() throws {
        let build = Process()
        build.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        build.arguments = ["swift", "build", "-c", "release", "--product", "sdspool"]
        build.standardOutput = FileHandle.nullDevice
        try build.run()
        build.waitUntilExit()
        guard build.terminationStatus == 0 else { exit(EX_SOFTWARE) }
    }

    // MARK: The parts

    /// From the end of one render to the start of the next, at the server.
    private static func gaps(_ report: inout Report, _ place: URL) async throws {
        let sizes: [(side: Int, count: Int, render: Int, encodes: [Int])] = [
            (64, 1, 5, [0]), (64, 1, 20, [0]), (512, 1, 250, [0, 150]), (1024, 4, 700, [0, 150]),
        ]
        for size in sizes {
            for encode in size.encodes {
                var gaps: [Subject: [Double]] = [:]
                for contestant in Subject.allCases {
                    let jobs = size.render < 100 ? 200 : 24
                    let metronome = try TimingServer(
                        .init(
                            render: .milliseconds(size.render), encode: .milliseconds(encode),
                            answer: Answers.body(side: size.side, count: size.count)))
                    let run = try Run(jobs: jobs, beside: place)
                    try run.start(contestant, server: metronome.url)
                    await metronome.came(jobs)
                    gaps[contestant] = metronome.gaps
                    run.end()
                    await metronome.stop()
                }
                let way = encode > 0 ? ", encoded outside the lock" : ""
                let what = "gap, \(size.side)² × \(size.count), \(size.render) ms\(way)"
                for (name, share) in [("p50", 0.5), ("p95", 0.95)] {
                    report.add(
                        "\(what), \(name)", "ms", sdspool: gaps[.sdspool]?.percentile(share),
                        plain: gaps[.plain]?.percentile(share))
                }
            }
        }
    }

    /// From the close of a file to the arrival of its request, while nothing else is to be done.
    private static func latency(_ report: inout Report, _ place: URL) async throws {
        var times: [Subject: [Double]] = [:]
        for contestant in Subject.allCases {
            let metronome = try TimingServer(.init(answer: Answers.body(side: 64, count: 1)))
            let run = try Run(beside: place)
            try run.start(contestant, server: metronome.url)
            for number in 0..<50 {
                try await Task.sleep(for: .milliseconds(120))
                try run.drop(number)
                let closed = ContinuousClock.now
                await metronome.came(number + 1)
                times[contestant, default: []].append((metronome.beats[number].came - closed) / .milliseconds(1))
            }
            run.end()
            await metronome.stop()
        }
        for (name, share) in [("p50", 0.5), ("p95", 0.95)] {
            report.add(
                "pick-up: from close to request, \(name)", "ms", sdspool: times[.sdspool]?.percentile(share),
                plain: times[.plain]?.percentile(share))
        }
    }

    /// Jobs whose renders take no time: what is left is what the client costs.
    private static func throughput(_ report: inout Report, _ place: URL) async throws {
        for side in [64, 512] {
            let jobs = 1000
            var rates: [Subject: Double] = [:]
            var costs: [Subject: Double] = [:]
            for contestant in Subject.allCases {
                let metronome = try TimingServer(.init(answer: Answers.body(side: side, count: 1)))
                let run = try Run(jobs: jobs, beside: place)
                try run.start(contestant, server: metronome.url)
                while run.done < jobs { try await Task.sleep(for: .milliseconds(25)) }
                guard let first = metronome.beats.first?.came else { continue }
                rates[contestant] = Double(jobs) / ((ContinuousClock.now - first) / .seconds(1))
                costs[contestant] = run.cpu / Double(jobs)
                run.end()
                await metronome.stop()
            }
            report.add(
                "\(side)² × 1, renders take no time", "jobs/s", sdspool: rates[.sdspool], plain: rates[.plain])
            report.add("\(side)² × 1, CPU time a job", "ms", sdspool: costs[.sdspool], plain: costs[.plain])
        }
    }

    /// Peak memory against the size of the answer.
    private static func memory(_ report: inout Report, _ place: URL) async throws {
        for (side, count) in [(512, 1), (1024, 4), (1536, 4), (1536, 16), (2048, 32)] {
            var peaks: [Subject: Double] = [:]
            let answer = Answers.body(side: side, count: count)
            for contestant in Subject.allCases {
                let metronome = try TimingServer(.init(answer: answer))
                let run = try Run(jobs: 3, beside: place)
                try run.start(contestant, server: metronome.url)
                while run.done < 3 { try await Task.sleep(for: .milliseconds(10)) }
                peaks[contestant] = run.peak
                run.end()
                await metronome.stop()
            }
            report.add(
                "peak memory, \(side)² × \(count): \(answer.count >> 20) MB", "MB", sdspool: peaks[.sdspool],
                plain: peaks[.plain])
        }
    }

    /// Files that lie there at the start.
    private static func backlog(_ report: inout Report, _ place: URL) async throws {
        for jobs in [1000, 10_000, 100_000] {
            let metronome = try TimingServer(.init(render: .seconds(3600)))
            let run = try Run(jobs: jobs, beside: place)
            let start = ContinuousClock.now
            try run.start(.sdspool, server: metronome.url)
            let ready = ContinuousClock.now - start
            await metronome.came(1)
            let first = ContinuousClock.now - start
            while run.count(in: "inbox") > 0 { try await Task.sleep(for: .milliseconds(20)) }
            let all = ContinuousClock.now - start
            report.add("start with \(jobs) files: ready", "s", sdspool: ready / .seconds(1))
            report.add("start with \(jobs) files: first request", "s", sdspool: first / .seconds(1))
            report.add("start with \(jobs) files: all accepted", "s", sdspool: all / .seconds(1))
            report.add("start with \(jobs) files: peak memory", "MB", sdspool: run.peak)
            run.end()
            await metronome.stop()
        }
    }
}
