// Behind the gateway: what each request comes to, in the form of an answer.
//
// A mistake of the client is told in A1111's own shapes; a disk that does not take a job is 503, and the job is nowhere.

import A1111
import A1111API
import Foundation
import HTTP
import JSONText
import Linux
import Page
import Spool

/// Where those who were let in are served.
struct Router: Sendable {
    let gatekeeper: Gatekeeper
    let context: HandlerContext
    /// Routes of others: see ``MountedRoutes``.
    let mounted: [MountedRoutes]

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
        switch Route(incoming.method, incoming.path, mounted: mounted.map(\.prefix)) {
        case .render(let service): return try await RenderHandler(context: context).answer(incoming, service)
        case .job(let name):
            let jobs = JobHandler(context: context)
            if incoming.method == "DELETE" { return try await HTTPGateway.queueChanges.run { try jobs.cancel(name) } }
            let wishes = ResponsePreferences(incoming.headers, incoming.query)
            if let patience = wishes.wait { try await jobs.wait(for: name, patience, until: incoming.disconnect()) }
            return try await HTTPGateway.reads.run { try jobs.state(of: name) }
        case .picture(let name, let number):
            return try await HTTPGateway.reads.run { try JobHandler(context: context).picture(number, of: name) }
        case .queue:
            let wanted = Query(incoming.query)
            let (offset, limit) = (wanted.number("offset") ?? 0, wanted.number("limit") ?? 100)
            return .json(200, try await HTTPGateway.reads.run { try context.view.queue(offset: offset, limit: limit) })
        case .events: return EventStream(context).response
        case .file(let path):
            return try await HTTPGateway.reads.run { try FileHandler(spool: context.spool).file(path) }
        case .result(let folder):
            return try await HTTPGateway.reads.run { try FileHandler(spool: context.spool).listing(of: folder) }
        case .mounted(let index, let parts): return try await mounted[index].answer(incoming, parts, context)
        case .nowhere: return .error(404, "not found", "there is no \(incoming.path) here")
        case .wrongMethod(let allowed):
            var response = Response.error(405, "wrong method", "\(incoming.path) knows \(allowed)")
            response.headers.append("Allow", allowed)
            return response
        case .proxy: return try await context.proxy.answer(incoming)
        }
    }
}
