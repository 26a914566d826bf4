// What happens, told to whoever listens, as it happens (server-sent events: HTML Living Standard, section 9.2).

import Foundation
import HTTP
import JSONText
import Linux
import Spool

/// A stream of events.
struct EventStream: Sendable {
    private let spool: Spool
    private let tracker: JobTracker
    private let threads: TaskQueueExecutor

    init(_ context: HandlerContext) {
        (spool, tracker, threads) = (context.spool, context.tracker, context.proxy.threads)
    }

    private enum StreamItem: Sendable {
        case jobEvent(JobEvent)
        /// A second is over.
        case tick
    }

    var response: Response {
        Response(
            status: 200, headers: ["Content-Type": "text/event-stream", "Cache-Control": "no-store"],
            body: .stream(.chunked) { writer in try await tell(writer) })
    }

    private func tell(_ writer: BodyWriter) async throws {
        // A client that has this line misses nothing of a job that it drops from then on.
        let events = tracker.listen()
        try await writer.write(": sdspool\n\n".utf8)
        let (words, speaker) = AsyncStream.makeStream(of: StreamItem.self, bufferingPolicy: .bufferingNewest(1024))
        let listener = Task(executorPreference: threads) { for await one in events { speaker.yield(.jobEvent(one)) } }
        let clock = Task(executorPreference: threads) {
            while (try? await TaskQueueExecutor.rest(for: .seconds(1))) != nil { speaker.yield(.tick) }
        }
        defer {
            listener.cancel()
            clock.cancel()
        }
        var told: [Ticket: Data] = [:]
        var silence = 0
        for await word in words {
            switch word {
            case .jobEvent(let jobEvent):
                if jobEvent.isEnd, let ticket = jobEvent.ticket { told[ticket] = nil }
                guard let event = Self.event(jobEvent) else { continue }
                try await writer.write(event)
                silence = 0
            case .tick:
                silence += 1
                for ticket in tracker.rendering {
                    let progress = try? await HTTPGateway.reads.run { [spool] in
                        try StatusFiles(spool).progressText(of: ticket)
                    }
                    guard let progress, progress != told[ticket], (try? ObjectText(progress)) != nil else { continue }
                    told[ticket] = progress
                    // Between its values a line may end; an event's line may not.
                    let line = Data(progress.map { [0x0a, 0x0d].contains($0) ? 0x20 : $0 })
                    let data = JSONValue.object(Self.members(ticket.name, ticket) + [("progress", .raw(line))])
                    try await writer.write(Self.event("progress", data))
                    silence = 0
                }
                // Whether the client is still there is found out by talking to it.
                if silence >= 15 {
                    try await writer.write(":\n\n".utf8)
                    silence = 0
                }
            }
        }
    }

    private static func members(_ name: JobName, _ ticket: Ticket?) -> [(String, JSONValue)] {
        [("name", .string(name.text)), ("ticket", .optional(ticket?.description))]
    }

    private static func event(_ jobEvent: JobEvent) -> Data? {
        let members = members(jobEvent.name, jobEvent.ticket)
        return switch jobEvent {
        case .accepted: event("accepted", .object(members))
        case .started: event("started", .object(members))
        case .putBack: event("queued", .object(members))
        case .moved(let old, _):
            event("moved", .object(members + [("from", .string("\(old)"))]))
        case .cancelled: event("cancelled", .object(members))
        case .done: event("done", .object(members))
        case .failed(_, _, let message): event("failed", .object(members + [("message", .string(message))]))
        }
    }

    private static func event(_ kind: String, _ data: JSONValue) -> Data {
        Data("event: \(kind)\ndata: ".utf8) + data.compact + Data("\n\n".utf8)
    }
}
