// A render that a client asks for as it would ask A1111: the job is dropped, waited for, and answered in A1111's shape.

import A1111API
import Foundation
import HTTP
import Linux
import Spool

/// Serves `/sdapi/v1/txt2img` and the other services of the queue.
struct RenderHandler: Sendable {
    let context: HandlerContext
    private var spool: Spool { context.spool }
    private var tracker: JobTracker { context.tracker }
    private var view: JobView { context.view }
    private var submissions: JobSubmission { context.submissions }

    nonisolated(nonsending) func answer(_ incoming: ServerRequest, _ service: Endpoint.Service) async throws -> Response
    {
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
            let isThere = try await HTTPGateway.reads.run { [spool, name = dropped.name] in
                try JobLocator(spool).positions(of: name).contains { !$0.isEnd }
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
        try await HTTPGateway.reads.run { [spool] in try Results(spool).ended(name.with(suffix: "")) }
    }
}
