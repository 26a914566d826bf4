// One job over HTTP: what it is up to, its end, and its pictures. Nothing here renders.

import Foundation
import HTTP
import Linux
import Spool

/// Serves `/spool/v1/jobs/NAME`.
struct JobHandler: Sendable {
    let context: HandlerContext
    private var spool: Spool { context.spool }
    private var tracker: JobTracker { context.tracker }
    private var view: JobView { context.view }

    /// Returns when the job has ended, when the patience has, or when the client has left: whichever is first.
    func wait(for name: String, _ patience: Double, until disconnect: DisconnectWatcher) async throws {
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

    func state(of name: String) throws -> Response {
        guard let location = try view.location(of: name), let document = try view.document(of: location) else {
            return .error(404, "not found", "there is no job \(name), or it is gone")
        }
        return .json(200, document, location.ticket.map { [HTTPGateway.ticketHeader: "\($0)"] } ?? [:])
    }

    private static func job(_ text: String) -> JobName? {
        FileName(bytes: text.utf8).flatMap(Ticket.init(entry:))?.name ?? JobName(called: text)
    }

    func cancel(_ name: String) throws -> Response {
        switch try view.location(of: name) {
        case .queued(let ticket), .active(let ticket):
            guard let cancelled = try Cancellation(spool).cancel(ticket) else { break }
            // The daemon finds it gone when its turn has come, which may be long.
            if cancelled == .waiting { tracker.record(.cancelled(ticket)) }
            return .json(200, .object([("name", .string(ticket.name.text)), ("state", .string("cancelled"))]))
        case .done, .failed: return .error(409, "ended", "\(name) has ended; its result is left where it is")
        case .dropped, .held: return .error(409, "not queued", "\(name) is not in the queue")
        case nil: break
        }
        return .error(404, "not found", "there is no job \(name), or it is gone")
    }

    func picture(_ number: Int, of name: String) throws -> Response {
        guard let location = try view.location(of: name), let entry = location.result,
            let job = try Results(spool).ended(entry)
        else { return .error(404, "not found", "\(name) has no pictures yet") }
        let pictures = try PictureLink.all(of: job)
        guard number <= pictures.count else {
            return .error(404, "not found", "\(name) has \(pictures.count) picture\(pictures.count == 1 ? "" : "s")")
        }
        let picture = pictures[number - 1]
        guard try job.folder.status(of: picture.file)?.kind == .file else {
            return .error(404, "not found", "picture \(number) of \(name) is gone")
        }
        return .file(try FileBody(job.folder.file(picture.file)), as: picture.type)
    }
}

extension JobLocation {
    /// The folder of its result.
    package var result: FileName? {
        switch self {
        case .done(let name), .failed(let name): name
        case .dropped, .queued, .active, .held: nil
        }
    }
}
