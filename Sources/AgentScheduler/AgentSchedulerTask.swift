// A job in the shape that Agent Scheduler gives its tasks: the same keys in the same order, null where it has null.

import A1111
import A1111API
import Foundation
import Gateway
import JSONText
import Linux
import Spool

/// A task, as it is shown.
struct AgentSchedulerTask: Sendable {
    /// In the words of Agent Scheduler.
    enum State: String, Sendable {
        case pending, running, done, failed, interrupted
    }
    let id: String
    let state: State
    let created: Timestamp
    let updated: Timestamp
    /// How many go before it; `nil` where it does not wait.
    var location: Int?
    /// What has come of it: the paths of the pictures as JSON, or the reason.
    var result: String?
    /// The text of its job file; `nil` where that is no job by itself, or is gone.
    var job: JobFile?
    /// What the server says that it was asked, with all that the job file left to it; `nil` as long as it has not answered.
    var parameters: ObjectText?

    /// In which form a moment is told: Agent Scheduler has one in its lists and another one for a single task.
    enum Clock: Sendable {
        /// Milliseconds since 1970.
        case milliseconds
        /// `2026-11-26T09:41:31+00:00`.
        case iso

        fileprivate func value(_ stamp: Timestamp) -> JSONValue {
            switch self {
            case .milliseconds: .integer(stamp.microseconds / 1000)
            case .iso: .string(stamp.iso8601.prefix { $0 != "." } + "+00:00")
            }
        }
    }

    func shown(by clock: Clock) -> JSONValue {
        // Secrets may stand in the URL: only who is told is shown, and not where.
        let callback: String? = job?.jobOptions.callback?.description
        let place: Int64? = location.map { Int64($0) }
        let members: [(String, JSONValue)] = [
            ("id", .string(id)), ("api_task_id", .null), ("api_task_callback", .optional(callback)), ("name", .null),
            ("type", .string(type)), ("status", .string(state.rawValue)), ("params", params),
            ("priority", .integer(created.microseconds / 1000)), ("position", .optional(place)),
            ("result", .optional(result)), ("bookmarked", .boolean(false)), ("created_at", clock.value(created)),
            ("updated_at", clock.value(updated)),
        ]
        return .object(members)
    }

    /// What renders it; for what does not render, the path that is asked.
    private var type: String {
        guard let job else { return "batch" }
        let keys = Set(job.object.members.map(\.key)).subtracting([JobFile.optionsKey])
        let endpoint = try? Endpoint(named: job.jobOptions.endpoint, method: job.jobOptions.method, bodyKeys: keys)
        return endpoint.map { $0.service?.rawValue ?? $0.path } ?? "txt2img"
    }

    /// What was asked, without what is large: pictures, and what extensions take.
    private var params: JSONValue {
        guard let object = parameters ?? job?.object else { return .object([("checkpoint", .null)]) }
        let large = object.members.filter { $0.value.count > Self.longest }.map(\.key)
        let settings = job?.object.value(of: "override_settings").flatMap { try? ObjectText($0) }
        let checkpoint = settings?.value(of: "sd_model_checkpoint") ?? Data("null".utf8)
        return .raw(object.text(removing: Self.unshown.union(large), setting: [("checkpoint", checkpoint)]))
    }

    private static let longest = 64 << 10
    private static let unshown: Set<String> = [
        JobFile.optionsKey, "alwayson_scripts", "script_args", "init_images", "init_img", "sketch",
        "init_img_with_mask",
        "inpaint_color_sketch", "inpaint_color_sketch_orig", "init_img_inpaint", "init_mask_inpaint",
    ]
}
