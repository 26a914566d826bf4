// Agent Scheduler's routes on this queue, for programs that were written for it: its shapes and its words, where they are
// true. Where this queue does otherwise, it says so in `message`, with `success` false and, as all of its answers, 200.

import A1111
import A1111API
import Foundation
import Gateway
import HTTP
import JSONText
import Linux
import Spool

/// Serves those who take this for an Agent Scheduler.
package struct AgentScheduler: Sendable {
    let spool: Spool
    let tracker: JobTracker
    let view: AgentSchedulerView
    let submissions: JobSubmission
    let proxy: ReverseProxy

    /// For a gateway that serves them.
    package static let routes = MountedRoutes(below: "/agent-scheduler/v1/") { request, parts, context in
        try await AgentScheduler(context).answer(request, parts)
    }

    init(_ context: HandlerContext) {
        spool = context.spool
        tracker = context.tracker
        view = AgentSchedulerView(view: context.view, cap: context.options.cap)
        submissions = context.submissions
        proxy = context.proxy
    }

    /// Throws ``JobSubmission/Unfit``, what reading the body throws, and ``SystemError``.
    nonisolated(nonsending) func answer(_ incoming: ServerRequest, _ parts: [String]) async throws -> Response {
        let call = AgentSchedulerCall(incoming.method, parts, incoming.query)
        if case .queue(let service) = call { return try await queue(incoming, service) }
        // What else is sent along says nothing here; unread it would end the connection.
        _ = try await incoming.rest()
        return try await answer(call)
    }

    nonisolated(nonsending) private func answer(_ call: AgentSchedulerCall) async throws -> Response {
        switch call {
        case .queue: return .detail(404, "Not Found")
        case .tasks(let limit, let offset):
            return try await HTTPGateway.reads.run { try tasks(limit: limit, offset: offset) }
        case .history(let status, let limit, let offset):
            return try await HTTPGateway.reads.run { try history(status, limit: limit, offset: offset) }
        case .task(let id): return try await HTTPGateway.reads.run { try task(id) }
        case .location(let id): return try await HTTPGateway.reads.run { try location(of: id) }
        case .results(let id, let isZip): return try await HTTPGateway.reads.run { try results(of: id, isZip: isZip) }
        case .delete(let id): return try await HTTPGateway.queueChanges.run { try delete(id) }
        case .requeue(let id): return try await requeue(id)
        case .requeueFailed: return try await HTTPGateway.queueChanges.run { try requeueFailed() }
        case .move(let id, let destination):
            return try await HTTPGateway.queueChanges.run { try move(id, to: destination) }
        case .run(let id): return try await HTTPGateway.queueChanges.run { try run(id) }
        case .pause: return try await HTTPGateway.queueChanges.run { try pause() }
        case .resume: return try await HTTPGateway.queueChanges.run { try resume() }
        case .clear: return try await HTTPGateway.queueChanges.run { try clear() }
        case .clearHistory:
            return .said(false, "History is not cleared: results are pictures, and nothing here deletes them.")
        case .samplers: return await list("/sdapi/v1/samplers", of: "name")
        case .checkpoints: return await list("/sdapi/v1/sd-models", of: "title")
        case .refused(let why): return .said(false, why)
        case .unfit(let key):
            return .invalid(["query", key], "value is not a valid integer", "type_error.integer")
        case .wrongMethod(let allowed):
            var response = Response.detail(405, "Method Not Allowed")
            response.headers.append("Allow", allowed)
            return response
        case .nowhere: return .detail(404, "Not Found")
        }
    }

    // MARK: Tasks that come

    nonisolated(nonsending) private func queue(
        _ incoming: ServerRequest, _ service: Endpoint.Service
    ) async throws -> Response {
        let submission: AgentSchedulerSubmission
        do {
            submission = try AgentSchedulerSubmission(ObjectText(Data(try await incoming.rest())), for: service)
        } catch let error as JSONSyntaxError {
            return .unfit("JSON decode error: \(error.problem)", at: error.offset)
        } catch let mistake as AgentSchedulerSubmission.Mistake {
            return .invalid(["body", mistake.key], mistake.message, mistake.kind)
        }
        let dropped = try await submissions.take(submission.job, called: submission.words)
        // Whoever asks for it in a moment finds it in its place.
        await dropped.taken(tracker)
        return .json(200, .object([("task_id", .string(dropped.name.text))]))
    }

    nonisolated(nonsending) private func requeue(_ id: String) async throws -> Response {
        let read = try await HTTPGateway.reads.run { [spool, view] in
            try view.view.location(of: id).map { try JobFiles(spool).text(at: $0, upTo: view.cap) }
        }
        guard let read else { return .noTask }
        guard let text = read, let job = try? JobFile(text) else {
            return .said(false, "Its job file is gone, or holds many jobs: drop that into inbox/ once more.")
        }
        let dropped = try await submissions.take(
            text, called: AgentSchedulerSubmission.words(of: job.object) ?? "again")
        await dropped.taken(tracker)
        return .said(true, "Task requeued")
    }

    /// They go back under their own names, as Agent Scheduler's do; those that somebody has stopped stay where they are.
    private func requeueFailed() throws -> Response {
        let failed = try view.past([.failed])
        guard !failed.isEmpty else { return .said(false, "No failed tasks") }
        var count = 0
        for past in failed.reversed() { if try HeldJobs(spool).retry(past.place.folder) { count += 1 } }
        return .said(count > 0, "Requeued \(count) failed tasks")
    }

    // MARK: Tasks that are there

    /// One task after the other, as they are sent: a list of all costs no more memory than a list of one.
    private func tasks(limit: Int, offset: Int) throws -> Response {
        let line = try view.line()
        let current = try view.current(of: line)
        let isPaused = try PauseFile(spool).isLaidDown()
        let head = JSONValue.object([
            ("current_task_id", .optional(current)), ("total_pending_tasks", .integer(Int64(line.count))),
            ("paused", .boolean(isPaused)),
        ])
        let chosen = Array(line.enumerated().dropFirst(offset).prefix(limit))
        return list(chosen, as: "pending_tasks", behind: head) { [view] chosen in
            try view.task(at: chosen.element, number: chosen.offset)
        }
    }

    private func history(_ status: String?, limit: Int, offset: Int) throws -> Response {
        let ends: Set<AgentSchedulerTask.State> = [.done, .failed, .interrupted]
        let asked = status.flatMap { ["", "all"].contains($0) ? nil : $0 }
        let past = try view.past(asked.map { word in ends.filter { $0.rawValue == word } } ?? ends)
        let head = JSONValue.object([("total", .integer(Int64(past.count)))])
        return list(Array(past.dropFirst(offset).prefix(limit)), as: "tasks", behind: head, view.task)
    }

    private func list<Element: Sendable>(
        _ elements: [Element], as key: String, behind head: JSONValue,
        _ task: @escaping @Sendable (Element) throws -> AgentSchedulerTask?
    ) -> Response {
        Response(
            status: 200, headers: ["Content-Type": "application/json"],
            body: .stream(.chunked) { writer in
                try await writer.write(head.compact.dropLast())
                try await writer.write(",\"\(key)\":[".utf8)
                var isFirst = true
                for element in elements {
                    let shown = try await HTTPGateway.reads.run { try task(element)?.shown(by: .milliseconds).compact }
                    guard let shown else { continue }
                    try await writer.write((isFirst ? "" : ",").utf8)
                    try await writer.write(shown)
                    isFirst = false
                }
                try await writer.write("]}".utf8)
            })
    }

    private func task(_ id: String) throws -> Response {
        guard let (task, _) = try view.task(id) else { return .noTask }
        return .json(200, .object([("success", .boolean(true)), ("data", task.shown(by: .iso))]))
    }

    private func location(of id: String) throws -> Response {
        guard let (task, place) = try view.task(id) else { return .noTask }
        // A task that runs is a pending one here, and nothing is before it.
        let location = task.state == .running ? place.ticket.map(tracker.before) : task.location
        let state = task.state == .running ? .pending : task.state
        let number: Int64? = location.map { Int64($0) }
        let data = JSONValue.object([("status", .string(state.rawValue)), ("position", .optional(number))])
        return .json(200, .object([("success", .boolean(true)), ("data", data)]))
    }

    private func results(of id: String, isZip: Bool) throws -> Response {
        guard let (task, location) = try view.task(id) else { return .noTask }
        guard task.state == .done, let name = location.result else {
            // One that runs is a pending one here, too.
            return .said(false, "Task is \(task.state == .running ? "pending" : task.state.rawValue)")
        }
        guard !isZip else { return .said(false, "There is no zip here: ask without it, or look into done/\(id).") }
        guard let job = try Results(spool).ended(name) else { return .said(false, "Task result is not available") }
        if let first = job.outcome.parts.first, let last = job.outcome.parts.last {
            return .said(false, "Task has become many, \(first.name) to \(last.name): ask for their results.")
        }
        do {
            return try pictures(of: job).response(["Content-Type": "application/json"])
        } catch let error as SystemError where error.isMissing {
            return .said(false, "Task result is not available: somebody has taken pictures away.")
        }
    }

    private func pictures(of job: ResultFolder) throws -> ComposedBody {
        var answer = ComposedBody()
        answer.add("{\"success\":true,\"data\":[")
        for (index, picture) in try PictureLink.all(of: job).filter(\.isPicture).enumerated() {
            answer.add(index == 0 ? "{\"image\":" : ",{\"image\":")
            try answer.add(picture, in: job.folder, prefix: "data:\(picture.type);base64,")
            answer.add(",\"infotext\":")
            // Always a text: a mask has none of its own, and programs that were written for it know no null there.
            answer.add(JSONValue.string(picture.infotext ?? "").compact)
            answer.add("}")
        }
        answer.add("]}")
        return answer
    }

    // MARK: Tasks that move

    private func move(_ id: String, to destination: AgentSchedulerCall.Destination) throws -> Response {
        guard let ticket = try waiting(id) else { return try refusal(of: id) }
        switch destination {
        case .top: return try turn(ticket, to: .first, "Task moved to top")
        case .bottom: return try turn(ticket, to: .last, "Task moved to bottom")
        case .over(let other):
            if let next = try waiting(other) { return try turn(ticket, to: .before(next), "Task moved") }
            // Before one that is with a server already nobody goes; behind it the first place is the nearest.
            if case .active = try view.view.location(of: other) { return try turn(ticket, to: .first, "Task moved") }
            return try refusal(of: other)
        }
    }

    /// Nothing overtakes what a server is at work at, nor PAUSE: it is the next one.
    private func run(_ id: String) throws -> Response {
        guard let ticket = try waiting(id) else { return try refusal(of: id) }
        return try turn(ticket, to: .first, "Task is scheduled to run next")
    }

    private func turn(_ ticket: Ticket, to turn: MoveTarget, _ message: String) throws -> Response {
        let isMoved = try Reorder(spool).reorder(ticket, to: turn) { tracker.record(.moved($0.old, to: $0.new)) }
        return isMoved ? .said(true, message) : .said(false, "Task does not wait any more, or cannot go there.")
    }

    private func waiting(_ id: String) throws -> Ticket? {
        guard case .queued(let ticket) = try view.view.location(of: id) else { return nil }
        return ticket
    }

    private func refusal(of id: String) throws -> Response {
        guard let (task, location) = try view.task(id) else { return .noTask }
        if case .active = location {
            return .said(false, task.state == .running ? "Task is running" : "Task is at the server already, and next.")
        }
        return task.state == .pending
            ? .said(false, "Task is not in the queue.") : .said(false, "Task is \(task.state.rawValue)")
    }

    // MARK: Tasks that go

    private func delete(_ id: String) throws -> Response {
        switch try view.view.location(of: id) {
        case .queued(let ticket), .active(let ticket):
            guard let cancelled = try Cancellation(spool).cancel(ticket) else { return .noTask }
            if cancelled == .waiting { tracker.record(.cancelled(ticket)) }
            return .said(true, cancelled == .waiting ? "Task deleted" : "Task interrupted")
        case .done, .failed: return .said(false, "Task has ended: its result is left where it is.")
        case .dropped, .held: return .said(false, "Task is not in the queue.")
        case nil: return .noTask
        }
    }

    private func clear() throws -> Response {
        for ticket in try Listing(spool).waiting() where try Cancellation(spool).cancelWaiting(ticket) {
            tracker.record(.cancelled(ticket))
        }
        return .said(true, "Queue cleared.")
    }

    private func pause() throws -> Response {
        if try !PauseFile(spool).isLaidDown() {
            try PauseFile(spool).layDown(because: "paused by a program at the door")
        }
        return .said(true, "Queue paused.")
    }

    private func resume() throws -> Response {
        _ = try PauseFile(spool).takeAway()
        return .said(true, "Queue resumed.")
    }

    // MARK: What the server has

    private func list(_ path: String, of key: String) async -> Response {
        guard let server = proxy.servers.first else { return .detail(502, "there is no server to ask") }
        if let obstacle = await server.obstacle() { return .notNow(obstacle) }
        do {
            let names = try await server.client.names(at: path, key: key)
            return .json(200, .array(names.map { .string($0) }))
        } catch {
            return .detail(502, (error as? Failure)?.message ?? "\(server.client.server) gave no answer")
        }
    }
}

extension Response {
    fileprivate static let noTask = said(false, "Task not found")

    /// As Agent Scheduler says how it went.
    static func said(_ isSuccess: Bool, _ message: String) -> Response {
        .json(200, .object([("success", .boolean(isSuccess)), ("message", .string(message))]))
    }

    /// As FastAPI refuses a request.
    static func detail(_ status: Int, _ detail: String) -> Response {
        .json(status, .object([("detail", .string(detail))]))
    }

    /// As FastAPI refuses a value.
    static func invalid(_ place: [String], _ message: String, _ kind: String) -> Response {
        let complaint = JSONValue.object([
            ("loc", .array(place.map(JSONValue.string))), ("msg", .string(message)), ("type", .string(kind)),
        ])
        return .json(422, .object([("detail", .array([complaint]))]))
    }
}
