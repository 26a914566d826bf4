// Which of Agent Scheduler's routes is asked for: those of its /agent-scheduler/v1, the ones that it calls deprecated, too.

import A1111
import A1111API
import Foundation
import Gateway

/// What is asked of the Agent Scheduler.
enum AgentSchedulerCall: Equatable, Sendable {
    case queue(Endpoint.Service)
    case tasks(limit: Int, offset: Int)
    case history(status: String?, limit: Int, offset: Int)
    case task(String)
    case location(String)
    case results(String, isZip: Bool)
    case delete(String)
    case requeue(String)
    case requeueFailed
    case move(String, Destination)
    case run(String)
    case pause
    case resume
    case clear
    case clearHistory
    case samplers
    case checkpoints
    /// What this queue has nothing for, and why, in plain words.
    case refused(String)
    /// A part of the query that is no number.
    case unfit(key: String)
    case wrongMethod(allowed: String)
    case nowhere

    /// Where a task goes.
    enum Destination: Equatable, Sendable {
        case top
        case bottom
        /// Right before another one.
        case over(String)

        init(_ word: String) {
            self =
                switch word {
                case "top": .top
                case "bottom": .bottom
                default: .over(word)
                }
        }
    }

    /// - Parameter parts: of the path behind `/agent-scheduler/v1/`, unescaped.
    init(_ method: String, _ parts: [String], _ query: String?) {
        let method = method == "HEAD" ? "GET" : method
        let known = Self.known(parts, Query(query))
        if let (_, call) = known.first(where: { $0.method == method }) {
            self = call
        } else {
            self = known.isEmpty ? .nowhere : .wrongMethod(allowed: known.map(\.method).joined(separator: ", "))
        }
    }

    private static func known(_ parts: [String], _ query: Query) -> [(method: String, call: AgentSchedulerCall)] {
        let first = parts.first ?? ""
        switch (parts.count, first, parts.last ?? "") {
        case (1, "queue", _):
            return [("GET", paged(query) { .tasks(limit: $0, offset: $1) })]
        case (1, "history", _):
            return [("GET", paged(query) { .history(status: query["status"], limit: $0, offset: $1) })]
        case (1, "samplers", _): return [("GET", .samplers)]
        case (1, "sd-models", _): return [("GET", .checkpoints)]
        case (1, "export", _): return [("GET", .refused(Self.noExport))]
        case (1, "import", _): return [("POST", .refused(Self.noExport))]
        case (1, "pause", _), (2, "queue", "pause"): return [("POST", .pause)]
        case (1, "resume", _), (2, "queue", "resume"): return [("POST", .resume)]
        case (2, "queue", "txt2img"): return [("POST", .queue(.txt2img))]
        case (2, "queue", "img2img"): return [("POST", .queue(.img2img))]
        case (2, "queue", "clear"): return [("POST", .clear)]
        case (2, "history", "clear"): return [("POST", .clearHistory)]
        case (2, "task", "requeue-failed"): return [("POST", .requeueFailed)]
        case (2, "task", let id):
            return [("GET", .task(id)), ("PUT", .refused(Self.noUpdate)), ("DELETE", .delete(id))]
        case (2, "results", let id): return [("GET", results(id, query))]
        case (2, "delete", let id): return [("POST", .delete(id))]
        case (2, "requeue", let id): return [("POST", .requeue(id))]
        case (2, "run", let id): return [("POST", .run(id))]
        case (2, "bookmark", _), (2, "unbookmark", _): return [("POST", .refused(Self.noBookmark))]
        case (2, "rename", _): return [("POST", .refused(Self.noUpdate))]
        case (3, "move", let word): return [("POST", .move(parts[1], Destination(word)))]
        case (3, "task", "position"): return [("GET", .location(parts[1]))]
        case (3, "task", "results"): return [("GET", results(parts[1], query))]
        case (3, "task", "requeue"): return [("POST", .requeue(parts[1]))]
        case (3, "task", "run"): return [("POST", .run(parts[1]))]
        case (3, "task", "bookmark"), (3, "task", "unbookmark"): return [("POST", .refused(Self.noBookmark))]
        case (3, "task", "rename"): return [("POST", .refused(Self.noUpdate))]
        case (4, "task", let word) where parts[2] == "move": return [("POST", .move(parts[1], Destination(word)))]
        default: return []
        }
    }

    private static let noExport = "The queue is a folder: copy its files, or drop them into inbox/."
    private static let noUpdate = "A job file is never changed: delete the task and queue another."
    private static let noBookmark = "There are no bookmarks here: results stay until somebody takes them away."

    private static func results(_ id: String, _ query: Query) -> AgentSchedulerCall {
        .results(id, isZip: ["1", "true", "on", "yes"].contains(query["zip"]?.lowercased()))
    }

    private static func paged(_ query: Query, _ call: (Int, Int) -> AgentSchedulerCall) -> AgentSchedulerCall {
        var numbers: [Int] = []
        for (key, usual) in [("limit", 20), ("offset", 0)] {
            guard let text = query[key] else {
                numbers.append(usual)
                continue
            }
            guard let number = Int(text) else { return .unfit(key: key) }
            // As in the database of Agent Scheduler 0 and less are no limit.
            numbers.append(number > 0 ? number : key == "limit" ? .max : 0)
        }
        return call(numbers[0], numbers[1])
    }
}
