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
struct Hall: Sendable {
    let options: Door.Options
    let gatekeeper: Gatekeeper
    let folders: Folders
    let ledger: Ledger
    let view: JobView
    let reception: Reception
    let middleman: Middleman

    private var scheduler: Scheduler {
        Scheduler(
            folders: folders, ledger: ledger, view: SchedulerView(view: view, cap: options.cap), reception: reception,
            middleman: middleman)
    }

    nonisolated(nonsending) func answer(_ incoming: Incoming) async throws -> Response {
        if let refusal = gatekeeper.refusal(of: incoming.method, incoming.headers) {
            var response = Response.plain(refusal.status, refusal.why)
            if refusal.status == 401 { response.headers.append("WWW-Authenticate", "Basic realm=\"sdspool\"") }
            return response
        }
        var response: Response
        do {
            response = try await serve(incoming)
        } catch let unfit as Reception.Unfit {
            response = unfit.response
        } catch let error as SystemError {
            // A full disk, most likely: the next one may find room.
            response = .error(503, "disk", "\(error)")
        }
        if let origin = incoming.headers["origin"], gatekeeper.isAllowed(origin) {
            response.headers.append("Access-Control-Allow-Origin", origin)
            response.headers.append("Access-Control-Expose-Headers", "Location, \(Door.ticketHeader)")
            response.headers.append("Vary", "Origin")
        }
        return response
    }

    nonisolated(nonsending) private func serve(_ incoming: Incoming) async throws -> Response {
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
            if incoming.method == "DELETE" { return try await Door.orders.run { try cancel(name) } }
            let wishes = Wishes(incoming.headers, incoming.query)
            if let patience = wishes.wait { try await wait(for: name, patience, until: incoming.departure()) }
            return try await Door.reads.run { try state(of: name) }
        case .picture(let name, let number): return try await Door.reads.run { try picture(number, of: name) }
        case .queue:
            let wanted = Query(incoming.query)
            let (offset, limit) = (wanted.number("offset") ?? 0, wanted.number("limit") ?? 100)
            return .json(200, try await Door.reads.run { try view.queue(offset: offset, limit: limit) })
        case .events: return Events(folders: folders, ledger: ledger, threads: middleman.threads).response
        case .file(let path): return try await Door.reads.run { try file(path) }
        case .result(let folder): return try await Door.reads.run { try listing(of: folder) }
        case .scheduler(let parts): return try await scheduler.answer(incoming, parts)
        case .nowhere: return .error(404, "not found", "there is no \(incoming.path) here")
        case .wrongMethod(let allowed):
            var response = Response.error(405, "wrong method", "\(incoming.path) knows \(allowed)")
            response.headers.append("Allow", allowed)
            return response
        case .middleman: return try await middleman.answer(incoming)
        }
    }

    // MARK: Renders

    nonisolated(nonsending) private func render(
        _ incoming: Incoming, _ service: Endpoint.Service
    ) async throws -> Response {
        let wishes = Wishes(incoming.headers, incoming.query)
        // Before there is a job: without descriptors there is none.
        let departure = wishes.isAsync ? nil : try incoming.departure()
        let dropped = try await reception.take(incoming, as: service)
        do {
            return try await answer(dropped, wishes, service, until: departure)
        } catch let error as SystemError {
            // No 503, behind which clients send it once more.
            var response = Response.error(
                500, "disk", "\(dropped.name) was taken, and what comes of it cannot be read now: \(error)")
            response.headers.append("Location", JobView.address(of: dropped.name.text))
            return response
        }
    }

    nonisolated(nonsending) private func answer(
        _ dropped: Reception.Dropped, _ wishes: Wishes, _ service: Endpoint.Service, until departure: Departure?
    ) async throws -> Response {
        guard let departure else {
            // A client that reads its place in the queue from the answer may wait for that.
            await dropped.taken(ledger)
            return try await promise(dropped.name, wishes)
        }
        guard let end = try await end(of: dropped, until: departure) else {
            return .error(410, "cancelled", "\(dropped.name) was taken out of the queue")
        }
        // One that holds many jobs has ended when it has become them; none of those is rendered yet.
        guard end.job.outcome.parts.isEmpty else { return try await promise(dropped.name, wishes) }
        return try await Door.reads.run { try DropIn(service: service, ticket: end.ticket).answer(end.job) }
    }

    /// 202: it is taken, and this is where it is told of (RFC 9110 section 15.3.3, RFC 7240 section 4.1).
    nonisolated(nonsending) private func promise(_ name: JobName, _ wishes: Wishes) async throws -> Response {
        let (position, document) = try await Door.reads.run { [view] in
            let position = try view.position(of: name.text)
            return (position, try position.flatMap(view.document) ?? .object([("name", .string(name.text))]))
        }
        var headers: Headers = ["Location": JobView.address(of: name.text)]
        if wishes.prefersAsync { headers.append("Preference-Applied", "respond-async") }
        if let ticket = position?.ticket { headers.append(Door.ticketHeader, "\(ticket)") }
        return .json(202, document, headers)
    }

    private struct End {
        let job: EndedJob
        let ticket: Ticket?
    }

    /// Waits until the job has ended; `nil` where it is gone. A client that leaves ends the waiting, and nothing else.
    private func end(of dropped: Reception.Dropped, until departure: Departure) async throws -> End? {
        try await withThrowingTaskGroup(of: End?.self) { group in
            group.addTask { try await end(of: dropped) }
            group.addTask {
                await departure.wait()
                throw CancellationError()
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    private func end(of dropped: Reception.Dropped) async throws -> End? {
        var ticket = ledger.ticket(of: dropped.name)
        if !dropped.isNew, ticket == nil, let job = try await ended(dropped.name) { return End(job: job, ticket: nil) }
        for await news in dropped.news {
            ticket = news.ticket ?? ticket
            guard news.isEnd else { continue }
            if let job = try await ended(dropped.name) { return End(job: job, ticket: ticket) }
            // One that somebody has moved is gone from its old place only, and one that is held goes on when it is released.
            let isThere = try await Door.reads.run { [folders, name = dropped.name] in
                try folders.positions(of: name).contains { !$0.isEnd }
            }
            guard !isThere else { continue }
            if case .cancelled = news { return nil }
            // Whoever hears of an end may be quicker.
            throw Reception.Unfit(
                response: .error(410, "collected", "\(dropped.name) has ended, and its result was taken away already"))
        }
        throw CancellationError()
    }

    private func ended(_ name: JobName) async throws -> EndedJob? {
        try await Door.reads.run { [folders] in try folders.ended(name.with(suffix: "")) }
    }

    // MARK: Jobs

    /// Returns when the job has ended, when the patience has, or when the client has left: whichever is first.
    private func wait(for name: String, _ patience: Double, until departure: Departure) async throws {
        guard let job = Self.job(name) else { return }
        let news = ledger.listen(to: job)
        guard try await Door.reads.run({ [view] in try view.position(of: name)?.isEnd == false }) else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await one in news where one.isEnd { return } }
            group.addTask { try? await Threads.rest(for: .seconds(patience)) }
            group.addTask { await departure.wait() }
            await group.next()
            group.cancelAll()
        }
    }

    private func state(of name: String) throws -> Response {
        guard let position = try view.position(of: name), let document = try view.document(of: position) else {
            return .error(404, "not found", "there is no job \(name), or it is gone")
        }
        return .json(200, document, position.ticket.map { [Door.ticketHeader: "\($0)"] } ?? [:])
    }

    private static func job(_ text: String) -> JobName? {
        FileName(bytes: text.utf8).flatMap(Ticket.init(entry:))?.name ?? JobName(called: text)
    }

    private func cancel(_ name: String) throws -> Response {
        switch try view.position(of: name) {
        case .queued(let ticket), .active(let ticket):
            guard let cancelled = try folders.cancel(ticket) else { break }
            // The daemon finds it gone when its turn has come, which may be long.
            if cancelled == .waiting { ledger.note(.cancelled(ticket)) }
            return .json(200, .object([("name", .string(ticket.name.text)), ("state", .string("cancelled"))]))
        case .done, .failed: return .error(409, "ended", "\(name) has ended; its result is left where it is")
        case .dropped, .held: return .error(409, "not queued", "\(name) is not in the queue")
        case nil: break
        }
        return .error(404, "not found", "there is no job \(name), or it is gone")
    }

    private func picture(_ number: Int, of name: String) throws -> Response {
        guard let position = try view.position(of: name), let entry = position.result,
            let job = try folders.ended(entry)
        else { return .error(404, "not found", "\(name) has no pictures yet") }
        let pictures = try ShownPicture.all(of: job)
        guard number <= pictures.count else {
            return .error(404, "not found", "\(name) has \(pictures.count) picture\(pictures.count == 1 ? "" : "s")")
        }
        let picture = pictures[number - 1]
        guard try job.folder.status(of: picture.file)?.kind == .file else {
            return .error(404, "not found", "picture \(number) of \(name) is gone")
        }
        return send(try Source(job.folder.file(picture.file)), as: picture.type)
    }

    // MARK: Files

    private func file(_ path: [FileName]) throws -> Response {
        guard let file = try folders.file(at: path), let name = path.last else {
            return .plain(404, "there is no such file")
        }
        let isPage = path.count == 1 && name == "index.html" || path.count == 2 && path[0] == "pages"
        return send(
            try Source(file),
            as: isPage ? "text/html; charset=utf-8" : ShownPicture.type(of: name) ?? "text/plain; charset=utf-8")
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

    private func send(_ source: Source, as type: String) -> Response {
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

extension Position {
    /// The folder of its result.
    var result: FileName? {
        switch self {
        case .done(let name), .failed(let name): name
        case .dropped, .queued, .active, .held: nil
        }
    }
}
