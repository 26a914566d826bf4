// What was measured: a table for people, JSON for programs.

import Foundation

/// The results, in the order in which they were measured.
struct Report {
    struct Row: Encodable {
        let measure: String
        let unit: String
        var sdspool: Double?
        var plain: Double?
    }
    private(set) var rows: [Row] = []

    /// Adds a row, and shows it at once: a benchmark that says nothing for minutes is taken for one that hangs.
    mutating func add(_ measure: String, _ unit: String, sdspool: Double?, plain: Double? = nil) {
        if rows.isEmpty { Self.say(Self.line("", "", "sdspool", "plain client", "better")) }
        rows.append(Row(measure: measure, unit: unit, sdspool: sdspool, plain: plain))
        var better = ""
        if let sdspool, let plain, sdspool > 0, plain > 0 {
            // Of jobs in a second more is better, of all else less.
            better = Self.number(unit == "jobs/s" ? sdspool / plain : plain / sdspool) + " ×"
        }
        Self.say(Self.line(measure, unit, sdspool.map(Self.number) ?? "", plain.map(Self.number) ?? "", better))
    }

    /// At once, also into a pipe.
    private static func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

    private static func line(_ measure: String, _ unit: String, _ own: String, _ plain: String, _ better: String)
        -> String
    {
        func left(_ text: String) -> String { String(repeating: " ", count: max(0, 13 - text.count)) + text }
        return measure.padding(toLength: 58, withPad: " ", startingAt: 0)
            + unit.padding(toLength: 7, withPad: " ", startingAt: 0) + left(own) + left(plain) + left(better)
    }

    /// Three digits say all that a benchmark knows.
    private static func number(_ value: Double) -> String {
        value >= 100
            ? String(format: "%.0f", value)
            : value >= 10 ? String(format: "%.1f", value) : String(format: "%.2f", value)
    }

    /// All rows, with the machine that they were measured on.
    func json() throws -> Data {
        struct Document: Encodable {
            let machine: String
            let measured: String
            let rows: [Row]
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return try encoder.encode(
            Document(machine: Self.machine, measured: Date().formatted(.iso8601), rows: rows))
    }

    /// The processor and how many of it (proc_cpuinfo(5)), and the kernel.
    static var machine: String {
        let info = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let model = info.split(separator: "\n").first { $0.hasPrefix("model name") }?.split(separator: ":").last
        let kernel = (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)) ?? ""
        return
            "\(ProcessInfo.processInfo.activeProcessorCount) × \(model.map { $0.trimmingCharacters(in: .whitespaces) } ?? "?"), "
            + "Linux \(kernel.trimmingCharacters(in: .newlines))"
    }
}

extension [Double] {
    /// The value that so many of them (0 to 1) do not exceed.
    func percentile(_ share: Double) -> Double? {
        isEmpty ? nil : sorted()[Swift.min(count - 1, Int(Double(count) * share))]
    }
}
