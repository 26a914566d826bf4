// result.json: what came of a job, for people and programs.

import A1111
import A1111API
import Foundation
import JSONText
import Spool

/// A job that was answered, and how.
struct JobResult {
    let ticket: Ticket
    let endpoint: Endpoint
    let server: ServerAddress
    let attempts: Attempts
    /// When the request of the last attempt left.
    let started: Timestamp
    let finished: Timestamp
    let reply: Reply
    /// What came otherwise than it was asked for.
    var warnings: [String] = []

    /// The text of result.json.
    ///
    /// A service's result has the server's status. For anything else the daemon was a middleman, and says so: 418,
    /// "I'm a teapot" (RFC 2324 section 2.3.2), not the one to ask, with what the server said in `upstream`.
    var document: Data {
        var members: [(String, JSONValue)] = [
            ("ticket", .string(ticket.description)), ("name", .string(ticket.name.text)),
        ]
        if let dropped = attempts.dropped { members.append(("dropped", .string(dropped))) }
        members += [
            ("endpoint", .string(endpoint.path)), ("method", .string(endpoint.method)),
        ]
        if endpoint.service != nil {
            members.append(("status", .integer(Int64(reply.status))))
        } else {
            members += [("status", .integer(418)), ("reason", .string("I'm a teapot"))]
        }
        members += [
            ("server", .string(server.description)), ("attempts", attempts.document),
            ("accepted", .string(ticket.arrival.iso8601)), ("started", .string(started.iso8601)),
            ("finished", .string(finished.iso8601)), ("images", .array(reply.pictures.map(\.document))),
        ]
        if !warnings.isEmpty { members.append(("warnings", .array(warnings.map(JSONValue.string)))) }
        if endpoint.service != nil {
            for key in ["parameters", "html_info"] {
                if let value = reply.member(key) { members.append((key, .raw(value))) }
            }
            if let info = reply.info { members.append(("info", .raw(info))) }
        } else {
            members.append(("upstream", upstream))
        }
        return JSONValue.object(members).document
    }

    private var upstream: JSONValue {
        let isJSON = (try? JSONSerialization.jsonObject(with: reply.text, options: .fragmentsAllowed)) != nil
        return .object([
            ("status", .integer(Int64(reply.status))),
            ("headers", .object(reply.headers.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })),
            ("body", isJSON ? .raw(reply.text) : .string(String(decoding: reply.text, as: UTF8.self))),
        ])
    }
}

extension Picture {
    var document: JSONValue {
        var members: [(String, JSONValue)] = [
            ("file", .string(file)), ("kind", .string(kind.rawValue)), ("format", .optional(format?.rawValue)),
            ("width", .optional(width.map(Int64.init))), ("height", .optional(height.map(Int64.init))),
            ("bytes", .integer(Int64(size))),
        ]
        if let seed { members.append(("seed", .integer(seed))) }
        if let subseed { members.append(("subseed", .integer(subseed))) }
        if let infotext { members.append(("infotext", .string(infotext))) }
        return .object(members)
    }
}
