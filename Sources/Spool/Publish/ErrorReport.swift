// error.json: why a job could not be done, for the person who finds it.

import Foundation
import JSONText

/// The content of error.json.
package struct ErrorReport: Sendable {
    /// Of the job.
    package let ticket: Ticket
    /// A word or two that a script can decide by, such as `permanent` or `not a job`.
    package let `class`: String
    /// What happened and what to do, in plain words.
    package let message: String
    /// Of the place in the job file where it stops being one, from 1.
    package var line: Int?
    /// See `line`; in characters.
    package var column: Int?
    /// Where the request went.
    package var endpoint: String?
    /// Without credentials.
    package var server: String?
    /// The status of the server's answer.
    package var status: Int?
    /// The server's answer: JSON as it came, or text.
    package var answer: JSONValue?
    /// What was tried.
    package var attempts = Attempts()

    /// A report that says no more than that.
    package init(ticket: Ticket, class: String, message: String, line: Int? = nil, column: Int? = nil) {
        self.ticket = ticket
        self.class = `class`
        self.message = message
        self.line = line
        self.column = column
    }

    /// The text of the file.
    package var document: Data {
        var members: [(String, JSONValue)] = [
            ("ticket", .string(ticket.description)), ("class", .string(`class`)), ("message", .string(message)),
        ]
        if let dropped = attempts.dropped { members.append(("dropped", .string(dropped))) }
        if let line, let column {
            members += [("line", .integer(Int64(line))), ("column", .integer(Int64(column)))]
        }
        if let endpoint { members.append(("endpoint", .string(endpoint))) }
        if let server { members.append(("server", .string(server))) }
        if let status { members.append(("status", .integer(Int64(status)))) }
        if let answer { members.append(("answer", answer)) }
        members += [
            ("attempts", attempts.document), ("accepted", .string(ticket.arrival.iso8601)),
            ("failed", .string(Timestamp.now.iso8601)),
        ]
        return JSONValue.object(members).document
    }
}
