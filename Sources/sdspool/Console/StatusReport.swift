// What the spool does, all in one look, for people and programs.

import Foundation
import JSONText
import Linux
import Spool

/// What a look at all folders shows.
struct StatusReport {
    let root: String
    let liveness: DaemonLiveness
    /// Since the daemon's last word, in seconds.
    let heartbeat: Int64?
    let note: StatusSnapshot?
    let paused: String?
    let rendering: [(ticket: Ticket, progress: ProgressSnapshot?)]
    let waiting: [Ticket]
    /// Job files in the inbox.
    let dropped: Int
    let held: Int
    let done: Int
    let failed: Int
    /// The last to fail, the latest first.
    let failures: [(name: FileName, message: String?)]

    /// How many of a long list are named.
    static let some = 5

    init(_ spool: Spool) throws(SystemError) {
        root = spool.root.path
        liveness = try StatusFiles(spool).liveness()
        heartbeat = try StatusFiles(spool).heartbeatAge()
        note = try StatusFiles(spool).snapshot()
        paused = try PauseFile(spool).reason()
        var rendering: [(Ticket, ProgressSnapshot?)] = []
        for ticket in try Listing(spool).activeTickets() {
            rendering.append((ticket, try StatusFiles(spool).progress(of: ticket)))
        }
        self.rendering = rendering
        waiting = try Listing(spool).waiting()
        let counts = try Listing(spool).counts()
        (dropped, held, done, failed) = (counts.dropped, counts.held, counts.done, counts.failed)
        var failures: [(FileName, String?)] = []
        for name in try Listing(spool).lastFailures(Self.some) {
            failures.append((name, try Results(spool).outcome(at: .failed(name))?.message))
        }
        self.failures = failures
    }

    /// What the queue does, in one word; what a dead daemon said last is not what it does.
    var state: String {
        switch liveness {
        case .alive: note?.state ?? "starting"
        case .none: "no daemon"
        case .silent: "silent"
        }
    }

    // MARK: For people

    var text: String {
        var lines = ["\(root): \(state)\(reason)"]
        switch liveness {
        case .alive(let who):
            lines.append(row("daemon", "\(who)\(heartbeat.map { "; last word \(Self.spoken($0)) ago" } ?? "")"))
        case .none: lines.append(row("daemon", "none; sdspool run serves the spool"))
        case .silent(let seconds):
            lines.append(row("daemon", "nothing heard for \(Self.spoken(seconds)); is it still there?"))
        }
        if case .alive = liveness {
            for server in note?.servers ?? [] {
                let count = server.rendering?.count ?? 0
                let state = server.up ? (count == 0 ? "up" : "up, has \(count) job\(count == 1 ? "" : "s")") : "away"
                lines.append(
                    row(
                        "server",
                        "\(Self.clean(server.url)) \(state)\(server.reason.map { ": \(Self.clean($0))" } ?? "")"))
            }
        }
        for (ticket, progress) in rendering {
            let isReady = note?.state == "waiting" && note?.has(ticket) == false
            lines.append(row(isReady ? "ready" : "rendering", "\(ticket.name)  \(progress?.words ?? "")"))
        }
        if !waiting.isEmpty {
            let names = waiting.prefix(Self.some).map(\.name.description).joined(separator: ", ")
            let more = waiting.count > Self.some ? " and \(waiting.count - Self.some) more" : ""
            lines.append(row("waiting", "\(waiting.count): \(names)\(more)"))
        }
        if dropped > 0 { lines.append(row("inbox", "\(dropped) not taken yet; sdspool why FILE tells more")) }
        if held > 0 { lines.append(row("held", "\(held)")) }
        lines.append(row("done", "\(done)"))
        lines.append(row("failed", "\(failed)"))
        for (name, message) in failures {
            lines.append(row("", "\(name): \(Self.clean(message ?? "nothing says why"))"))
        }
        return lines.joined(separator: "\n")
    }

    private var reason: String {
        if let paused { return paused.isEmpty ? " (paused)" : " (paused: \(Self.clean(paused)))" }
        guard case .alive = liveness, let reason = note?.reason else { return "" }
        return ", \(Self.clean(reason))"
    }

    private func row(_ head: String, _ words: String) -> String {
        "  \(head)\(String(repeating: " ", count: max(1, 11 - head.count)))\(words)"
    }

    /// Words that others have written, in one line.
    static func clean(_ text: String) -> String {
        escapedForPeople(Array(text.prefix(300).utf8), doublingBackslashes: false)
    }

    static func spoken(_ seconds: Int64) -> String {
        switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(seconds / 86400) days"
        }
    }

    // MARK: For programs

    /// - Parameter status: status.json, as it is.
    func document(status: Data?) -> Data {
        let isAlive = if case .alive = liveness { true } else { false }
        // As it was written, without the newline at its end.
        let told = status.flatMap {
            (try? ObjectText($0)) != nil && $0.last == UInt8(ascii: "\n") ? $0.dropLast() : nil
        }
        var members: [(String, JSONValue)] = [
            ("spool", .string(root)), ("state", .string(state)), ("alive", .boolean(isAlive)),
            ("heartbeat_age", .optional(heartbeat)), ("paused", .optional(paused)),
            ("status", told.map { .raw($0) } ?? .null),
        ]
        members.append(
            (
                "rendering",
                .array(
                    rendering.map { ticket, progress in
                        .object([
                            ("ticket", .string(ticket.description)), ("name", .string(ticket.name.text)),
                            ("progress", number(progress?.progress)), ("eta", number(progress?.eta)),
                        ])
                    })
            ))
        members += [
            ("waiting", .integer(Int64(waiting.count))),
            ("next", .array(waiting.prefix(Self.some).map { .string($0.description) })),
            ("inbox", .integer(Int64(dropped))), ("held", .integer(Int64(held))), ("done", .integer(Int64(done))),
            ("failed", .integer(Int64(failed))),
            (
                "failures",
                .array(
                    failures.map { name, message in
                        .object([("folder", .string(name.description)), ("message", .optional(message))])
                    })
            ),
        ]
        return JSONValue.object(members).document
    }

    private func number(_ value: Double?) -> JSONValue {
        value.flatMap { $0.isFinite ? .raw(Data("\($0)".utf8)) : nil } ?? .null
    }
}
