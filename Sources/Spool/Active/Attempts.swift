// What was tried: written before a request leaves, so that a crash is counted and a second attempt asks for the same
// picture.

import Foundation
import JSONText
import Linux

/// The record of a job's attempts, `attempts.json` in its folder.
package struct Attempts: Decodable, Hashable, Sendable {
    /// One request that was sent, or was about to be.
    package struct Attempt: Decodable, Hashable, Sendable {
        /// From 1.
        package let number: Int
        /// To which server, without credentials.
        package let server: String
        /// When it was about to be sent, in ISO 8601.
        package let started: String
        /// When it ended, in ISO 8601; missing where the daemon ended first.
        package var ended: String?
        /// The class of its failure; missing where it succeeded or never ended.
        package var failure: String?
        /// Why it failed, in plain words.
        package var message: String?
    }

    /// Values that the job left to chance, drawn once, by their keys in the request.
    package var drawn: [String: Int64] = [:]
    /// The name that the render was given at the server, so that it can be found there.
    package var task: String?
    /// In order.
    package var list: [Attempt] = []
    /// The name under which the file was dropped, as a log shows it, where it is not the job's.
    package var dropped: String?

    /// No attempt yet.
    package init() {}

    /// No attempt yet at a job that was dropped under another name than its own.
    init(dropped: FileName) { self.dropped = dropped.description }

    /// Adds an attempt that begins now.
    package mutating func begin(server: String, at now: Timestamp) {
        list.append(Attempt(number: list.count + 1, server: server, started: now.iso8601))
    }

    /// Says how the last attempt ended.
    package mutating func end(at now: Timestamp, failure: String? = nil, message: String? = nil) {
        guard let last = list.indices.last else { return }
        list[last].ended = now.iso8601
        list[last].failure = failure
        list[last].message = message
    }

    /// The text of attempts.json.
    var text: Data {
        let values = drawn.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.integer($0.value)) }
        var members: [(String, JSONValue)] = [("drawn", .object(values)), ("list", document)]
        if let task { members.append(("task", .string(task))) }
        if let dropped { members.append(("dropped", .string(dropped))) }
        return JSONValue.object(members).document
    }

    /// As they stand in result.json and error.json.
    package var document: JSONValue {
        .array(
            list.map { attempt in
                var members: [(String, JSONValue)] = [
                    ("number", .integer(Int64(attempt.number))), ("server", .string(attempt.server)),
                    ("started", .string(attempt.started)), ("ended", .optional(attempt.ended)),
                ]
                if let failure = attempt.failure { members.append(("failure", .string(failure))) }
                if let message = attempt.message { members.append(("message", .string(message))) }
                return .object(members)
            })
    }
}

extension ActiveJob {
    /// The attempts so far. A record that cannot be read counts as none: it is ours and written whole, so somebody
    /// has changed it, and the job matters more.
    package func attempts() throws(SystemError) -> Attempts {
        guard let content = try folder.content(of: JobFolder.attempts) else { return Attempts() }
        return (try? JSONDecoder().decode(Attempts.self, from: content)) ?? Attempts()
    }

    /// Ends an attempt that brought nothing. What it left goes first: on a full disk that makes room for the record. Of a
    /// job that has its result or its error, and of one that is not active any more, nothing is touched.
    package func abandon(_ attempts: Attempts) throws(SystemError) {
        guard try isActive else { return }
        let entries = Set(try folder.entries())
        guard !entries.contains(JobFolder.result), !entries.contains(JobFolder.error) else { return }
        try discardStage()
        try record(attempts)
    }

    /// Makes the record, and the claim before it, outlive a loss of power.
    package func record(_ attempts: Attempts) throws(SystemError) {
        do throws(SystemError) {
            // The first one has nothing to replace, and one wait less. What a crash leaves of it counts as none, which is
            // true: nothing was sent.
            try folder.putNew(attempts.text, as: JobFolder.attempts)
        } catch  where error.isExisting {
            try folder.putWhole(attempts.text, as: JobFolder.attempts)
        }
        try commitClaim()
    }
}
