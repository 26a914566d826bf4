// What the daemon tells, on stderr: for a person, for journald, or as JSON lines.

import Daemon
import Foundation
import Linux
import Spool

/// Writes events to stderr.
struct Log: Sendable {
    enum Form: Sendable {
        /// A time and a sentence; coloured where somebody looks on.
        case terminal(coloured: Bool)
        /// A priority that journald reads, and takes off (sd-daemon(3)); it knows the time itself.
        case journal
        /// An object a line.
        case json
    }

    let form: Form

    /// The form that fits what stderr is, unless `wanted` says `json` or `text`.
    init(wanted: String?) throws {
        let environment = ProcessInfo.processInfo.environment
        switch wanted {
        case "json": form = .json
        case nil where environment["JOURNAL_STREAM"] != nil: form = .journal
        case nil, "text":
            let noColour = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
            form = .terminal(coloured: isatty(STDERR_FILENO) == 1 && !noColour && environment["TERM"] != "dumb")
        case let other?: throw Exit(.usage, "sdspool run: --log takes text or json, not \"\(other)\"")
        }
    }

    func tell(_ event: Event) {
        var facts = ["event": event.kind]
        facts["ticket"] = event.ticket?.description
        write(event.message, event.level, facts)
    }

    func write(_ message: String, _ level: Event.Level, _ facts: [String: String] = [:]) {
        talk(line(message, level, facts, at: .now))
    }

    /// The line that says that nobody read so many lines in time.
    func missing(_ count: Int) -> String {
        line(
            "\(count) line\(count == 1 ? "" : "s") of this log \(count == 1 ? "is" : "are") missing here: nobody took them",
            .warning, ["event": "linesMissing", "count": "\(count)"], at: .now)
    }

    /// - Parameter facts: what a program wants to know without reading the sentence.
    func line(_ message: String, _ level: Event.Level, _ facts: [String: String] = [:], at now: Timestamp) -> String {
        switch form {
        // Words of a server or of a job may be in it: none of them begins a line of its own.
        case .journal: "<\(level.rawValue)>\(Self.oneLine(message))\n"
        case .json:
            // Every string can be encoded.
            (try? JSONEncoder().encode(
                facts.merging(["time": now.iso8601, "level": "\(level)", "message": message]) { $1 }))
                .map { String(decoding: $0, as: UTF8.self) + "\n" } ?? ""
        case .terminal(let coloured):
            coloured
                ? "\u{1b}[2m\(now.iso8601)\u{1b}[0m \(Self.colour(level))\(Self.oneLine(message))\u{1b}[0m\n"
                : "\(now.iso8601) \(Self.oneLine(message))\n"
        }
    }

    private static func oneLine(_ message: String) -> String {
        escapedForPeople(Array(message.utf8), doublingBackslashes: false)
    }

    private static func colour(_ level: Event.Level) -> String {
        switch level {
        case .error: "\u{1b}[31m"
        case .warning: "\u{1b}[33m"
        case .notice: "\u{1b}[1m"
        case .info: ""
        }
    }
}
