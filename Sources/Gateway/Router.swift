// Behind the door: what each request comes to, in the form of an answer.
//
// A mistake of the client is told in A1111's own shapes; a disk that does not take a job is 503, and the job is nowhere.

import A1111
import Foundation
import HTTP
import JSONText
import Linux
import Page
import Spool

/// Where those who were let in are served.
struct Router: Sendable {
    let options: HTTPGateway.Options
    let gatekeeper: Gatekeeper
    let folders: Folders
    let tracker: JobTracker
    let view: JobView
    let submissions: JobSubmission
    let proxy: ReverseProxy

    private var scheduler: AgentScheduler {
        AgentScheduler(
            folders: folders, tracker: tracker, view: AgentSchedulerView(view: view, cap: options.cap),
            submissions: submissions,
            proxy: proxy)
    }

    nonisolated(nonsending) func answer(_ incoming: ServerRequest) async throws -> Response {
        if let refusal = gatekeeper.refusal(of: incoming.method, incoming.headers) {
            var response = Response.plain(refusal.status, refusal.why)
            if refusal.status == 401 { response.headers.append("WWW-Authenticate", "Basic realm=\"sdspool\"") }
            return response
        }
        var response: Response
        do {
            response = try await serve(incoming)
        } catch let unfit as JobSubmission.Unfit {
            response = unfit.response
        } catch let error as SystemError {
            // A full disk, most likely: the next one may find room.
            response = .error(503, "disk", "\(error)")
        }
        if let origin = incoming.headers["origin"], gatekeeper.isAllowed(origin) {
            response.headers.append("Access-Control-Allow-Origin", origin)
            response.headers.append("Access-Control-Expose-Headers", "Location, \(HTTPGateway.ticketHeader)")
            response.headers.append("Vary", "Origin")
        }
        return response
    }

    nonisolated(nonsending) private func serve(_ incoming: ServerRequest) async throws -> Response {
        if gatekeeper.isPreflight(incoming.method, incoming.headers) {
            let asked = incoming.headers["access-control-request-method"] ?? ""
            var headers: Headers = ["Access-Control-Allow-Methods": asked, "Access-Control-Max-Age": "600"]
            if let fields = incoming.headers["access-control-request-headers"] {
                headers.append("Access-Control-Allow-Headers", fields)
            }
            return Response(status: 204, headers: headers)
        }
        switch Route(incoming.method, incoming.path) {
        case .render(let service): return try await render(incoming, service)
        case .job(let name):
            if incoming.method == "DELETE" { return try await HTTPGateway.jobOptions.run { try cancel(name) } }
            let wishes = ResponsePreferences(incoming.headers, incoming.query)
            if let patience = wishes.wait { try await wait(for: name, patience, until: incoming.disconnect()) }
            return try await HTTPGateway.reads.run { try state(of: name) }
        case .picture(let name, let number): return try await HTTPGateway.reads.run { try picture(number, of: name) }
        case .queue:
            let wanted = Query(incoming.query)
            let (offset, limit) = (wanted.number("offset") ?? 0, wanted.number("limit") ?? 100)
            return .json(200, try await HTTPGateway.reads.run { try view.queue(offset: offset, limit: limit) })
        case .events: return EventStream(folders: folders, tracker: tracker, threads: proxy.threads).response
        case .file(let path): return try await HTTPGateway.reads.run { try file(path) }
        case .result(let folder): return try await HTTPGateway.reads.run { try listing(of: folder) }
        case .scheduler(let parts): return try await scheduler.answer(incoming, parts)
        case .nowhere: return .error(404, "not found", "there is no \(incoming.path) here")
        case .wrongMethod(let allowed):
            var response = Response.error(405, "wrong method", "\(incoming.path) knows \(allowed)")
            response.headers.append("Allow", allowed)
            return response
        case .proxy: return try await proxy.answer(incoming)
        }
    }

    // MARK: Renders

    nonisolated(nonsending) private func render(
        _ incoming: ServerRequest, _ service: Endpoint.Service
    ) async throws -> Response {
        let wishes = ResponsePreferences(incoming.headers, incoming.query)
        // Before there is a job: without descriptors there is none.
        let disconnect = wishes.isAsync ? nil : try incoming.disconnect()
        let dropped = try await submissions.take(incoming, as: service)
        do {
            return try await answer(dropped, wishes, service, until: disconnect)
        } catch let error as SystemError {
            // No 503, behind which clients send it once more.
            var response = Response.error(
                500, "disk", "\(dropped.name) was taken, and what comes of it cannot be read now: \(error)")
            response.headers.append("Location", JobView.address(of: dropped.name.text))
            return response
        }
    }

    nonisolated(nonsending) private func answer(
        _ dropped: JobSubmission.Submitted, _ wishes: ResponsePreferences, _ service: Endpoint.Service,
        until disconnect: DisconnectWatcher?
    ) async throws -> Response {
        guard let disconnect else {
            // A client that reads its place in the queue from the answer may wait for that.
            await dropped.taken(tracker)
            return try await promise(dropped.name, wishes)
        }
        guard let end = try await end(of: dropped, until: disconnect) else {
            return .error(410, "cancelled", "\(dropped.name) was taken out of the queue")
        }
        // One that holds many jobs has ended when it has become them; none of those is rendered yet.
        guard end.job.outcome.parts.isEmpty else { return try await promise(dropped.name, wishes) }
        return try await HTTPGateway.reads.run {
            try A1111Response(service: service, ticket: end.ticket).answer(end.job)
        }
    }

    /// 202: it is taken, and this is where it is told of (RFC 9110 section 15.3.3, RFC 7240 section 4.1).
    nonisolated(nonsending) private func promise(_ name: JobName, _ wishes: ResponsePreferences) async throws
        -> Response
    {
        let (location, document) = try await HTTPGateway.reads.run { [view] in
            let location = try view.location(of: name.text)
            return (location, try location.flatMap(view.document) ?? .object([("name", .string(name.text))]))
        }
        var headers: Headers = ["Location": JobView.address(of: name.text)]
        if wishes.prefersAsync { headers.append("Preference-Applied", "respond-async") }
        if let ticket = location?.ticket { headers.append(HTTPGateway.ticketHeader, "\(ticket)") }
        return .json(202, document, headers)
    }

    private struct End {
        let job: ResultFolder
        let ticket: Ticket?
    }

    /// Waits until the job has ended; `nil` where it is gone. A client that leaves ends the waiting, and nothing else.
    private func end(of dropped: JobSubmission.Submitted, until disconnect: DisconnectWatcher) async throws -> End? {
        try await withThrowingTaskGroup(of: End?.self) { group in
            group.addTask { try await end(of: dropped) }
            group.addTask {
                await disconnect.wait()
                throw CancellationError()
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    private func end(of dropped: JobSubmission.Submitted) async throws -> End? {
        var ticket = tracker.ticket(of: dropped.name)
        if !dropped.isNew, ticket == nil, let job = try await ended(dropped.name) { return End(job: job, ticket: nil) }
        for await event in dropped.events {
            ticket = event.ticket ?? ticket
            guard event.isEnd else { continue }
            if let job = try await ended(dropped.name) { return End(job: job, ticket: ticket) }
            // One that somebody has moved is gone from its old place only, and one that is held goes on when it is released.
            let isThere = try await HTTPGateway.reads.run { [folders, name = dropped.name] in
                try folders.positions(of: name).contains { !$0.isEnd }
            }
            guard !isThere else { continue }
            if case .cancelled = event { return nil }
            // Whoever hears of an end may be quicker.
            throw JobSubmission.Unfit(
                response: .error(410, "collected", "\(dropped.name) has ended, and its result was taken away already"))
        }
        throw CancellationError()
    }

    private func ended(_ name: JobName) async throws -> ResultFolder? {
        try await HTTPGateway.reads.run { [folders] in try folders.ended(name.with(suffix: "")) }
    }

    // MARK: Jobs

    /// Returns when the job has ended, when the patience has, or when the client has left: whichever is first.
    private func wait(for name: String, _ patience: Double, until disconnect: DisconnectWatcher) async throws {
        guard let job = Self.job(name) else { return }
        let events = tracker.listen(to: job)
        guard try await HTTPGateway.reads.run({ [view] in try view.location(of: name)?.isEnd == false }) else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await one in events where one.isEnd { return } }
            group.addTask { try? await TaskQueueExecutor.rest(for: .seconds(patience)) }
            group.addTask { await disconnect.wait() }
            await group.next()
            group.cancelAll()
        }
    }

    private func state(of name: String) throws -> Response {
        guard let location = try view.location(of: name), let document = try view.document(of: location) else {
            return .error(404, "not found", "there is no job \(name), or it is gone")
        }
        return .json(200, document, location.ticket.map { [HTTPGateway.ticketHeader: "\($0)"] } ?? [:])
    }

    private static func job(_ text: String) -> JobName? {
        FileName(bytes: text.utf8).flatMap(Ticket.init(entry:))?.name ?? JobName(called: text)
    }

    private func cancel(_ name: String) throws -> Response {
        switch try view.location(of: name) {
        case .queued(let ticket), .active(let ticket):
            guard let cancelled = try folders.cancel(ticket) else { break }
            // The daemon finds it gone when its turn has come, which may be long.
            if cancelled == .waiting { tracker.record(.cancelled(ticket)) }
            return .json(200, .object([("name", .string(ticket.name.text)), ("state", .string("cancelled"))]))
        case .done, .failed: return .error(409, "ended", "\(name) has ended; its result is left where it is")
        case .dropped, .held: return .error(409, "not queued", "\(name) is not in the queue")
        case nil: break
        }
        return .error(404, "not found", "there is no job \(name), or it is gone")
    }

    private func picture(_ number: Int, of name: String) throws -> Response {
        guard let location = try view.location(of: name), let entry = location.result,
            let job = try folders.ended(entry)
        else { return .error(404, "not found", "\(name) has no pictures yet") }
        let pictures = try PictureLink.all(of: job)
        guard number <= pictures.count else {
            return .error(404, "not found", "\(name) has \(pictures.count) picture\(pictures.count == 1 ? "" : "s")")
        }
        let picture = pictures[number - 1]
        guard try job.folder.status(of: picture.file)?.kind == .file else {
            return .error(404, "not found", "picture \(number) of \(name) is gone")
        }
        return send(try FileBody(job.folder.file(picture.file)), as: picture.type)
    }

    // MARK: Files

    private func file(_ path: [FileName]) throws -> Response {
        guard let file = try folders.file(at: path), let name = path.last else {
            return .plain(404, "there is no such file")
        }
        let isPage = path.count == 1 && name == "index.html" || path.count == 2 && path[0] == "pages"
        return send(
            try FileBody(file),
            as: isPage ? "text/html; charset=utf-8" : PictureLink.type(of: name) ?? "text/plain; charset=utf-8")
    }

    /// The files that ``file(_:)`` would send: neither hidden ones, nor links, nor pipes.
    private func listing(of folder: FileName) throws -> Response {
        guard let job = try folders.ended(folder), job.ending == .done else {
            return .plain(404, "there is no such folder")
        }
        let files = try job.folder.entries().filter {
            try $0.bytes.first != UInt8(ascii: ".") && job.folder.status(of: $0)?.kind == .file
        }
        return send(.bytes(Array(Listing(of: folder, files).document)), as: "text/html; charset=utf-8")
    }

    private func send(_ source: FileBody, as type: String) -> Response {
        send(.stream(.length(source.size)) { writer in try await source.write(to: writer) }, as: type)
    }

    private func send(_ body: Response.Body, as type: String) -> Response {
        Response(
            status: 200,
            headers: [
                "Content-Type": type, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache",
                "Cross-Origin-Resource-Policy": "same-origin",
                // Nobody else's page may have it in a frame: what it shows it tells to the page around it. In the page itself
                // a policy cannot say so.
                "Content-Security-Policy": "frame-ancestors 'self'",
            ], body: body)
    }
}

extension JobLocation {
    /// The folder of its result.
    var result: FileName? {
        switch self {
        case .done(let name), .failed(let name): name
        case .dropped, .queued, .active, .held: nil
        }
    }
}
