// What lies in a job file: the request, as it was written, and what it says to the queue.

import Foundation
import JSONText
import Linux

/// A job file that has been read whole.
package struct JobFile: Sendable {
    /// The request with the `sdspool` key in it.
    package let object: ObjectText
    /// What the `sdspool` key says.
    package let jobOptions: JobOptions

    /// The key that speaks to the queue and is taken out before the request is sent.
    package static let optionsKey = "sdspool"
    /// Of a job file, in bytes, where nobody asked for another. Pictures ride in job files as base64.
    package static let usualCap = 64 << 20

    /// Reads a job file. Throws ``JobFileError``.
    package init(_ bytes: Data) throws(JobFileError) { try self.init(text: Self.utf8(bytes)) }

    /// Reads a job file that is UTF-8 without a byte order mark.
    init(text: Data) throws(JobFileError) {
        do {
            try self.init(ObjectText(text))
        } catch let error as JSONSyntaxError {
            throw JobFileError(error, in: text)
        } catch let error as JobFileError {
            throw error
        } catch {
            throw JobFileError(message: "\(error)")
        }
    }

    /// Reads a job that is an object of a larger text.
    init(_ object: ObjectText) throws(JobFileError) {
        self.object = object
        jobOptions = if let value = object.value(of: Self.optionsKey) { try JobOptions(value) } else { JobOptions() }
    }

    /// The text of a job file, however it is encoded.
    static func utf8(_ bytes: Data) throws(JobFileError) -> Data {
        do throws(JSONSyntaxError) {
            return try JSONEncodingForm.utf8(bytes)
        } catch {
            // Places are counted behind the byte order mark, which no editor shows.
            throw JobFileError(error, in: bytes.starts(with: [0xef, 0xbb, 0xbf]) ? bytes.dropFirst(3) : bytes)
        }
    }
}

/// Why a file is no job, for the person who dropped it.
package struct JobFileError: Error, Hashable, Sendable {
    /// True where more bytes could make it one: it may still be arriving.
    package let mayStillArrive: Bool
    /// See ``ErrorReport/class``.
    package let `class`: String
    /// In plain words, with line and column where it is a matter of one place.
    package let message: String
    /// From 1.
    package let line: Int?
    /// From 1, in characters.
    package let column: Int?
    /// Where in the text that was read, in bytes, for who knows the whole text.
    private let offset: Int?

    init(message: String, mayStillArrive: Bool = false, class: String = "not a job", at offset: Int? = nil) {
        self.message = message
        self.class = `class`
        self.mayStillArrive = mayStillArrive
        self.offset = offset
        line = nil
        column = nil
    }

    /// For a file that somebody has kept to himself. He may still let others read it.
    init(unreadable error: SystemError) {
        self.init(
            message:
                "it cannot be read: \(error.reason). Let the daemon's user read it (chmod a+r, or umask 027 and a group that "
                + "both are in), then drop it again", mayStillArrive: true)
    }

    /// The same error with line and column: of its own place in `text`, or of the `part` that begins at `start`. As it
    /// is where it has a line already, or where no place is known.
    func placed(in text: Data, at start: Int? = nil, of part: String? = nil) -> JobFileError {
        guard line == nil, let offset = offset.map({ $0 - text.startIndex }) ?? start else { return self }
        let place = JSONSyntaxError(kind: .malformed, problem: "", offset: offset).place(in: text)
        let words = "line \(place.line), column \(place.column): \(part.map { "\($0): " } ?? "")\(message)"
        return JobFileError(words, place, self)
    }

    private init(_ message: String, _ place: (line: Int, column: Int), _ other: JobFileError) {
        self.message = message
        mayStillArrive = other.mayStillArrive
        self.class = other.class
        (line, column) = place
        offset = nil
    }

    init(_ error: JSONSyntaxError, in bytes: Data) {
        // A file that was made at its full size and is still being filled is NULs up to its end.
        self.class = "not a job"
        let rest = bytes.dropFirst(error.offset)
        let isHole = rest.first == 0
        // The hole may begin within a character.
        mayStillArrive = error.kind == .incomplete || rest.prefix(4).contains(0)
        offset = nil
        if bytes.isEmpty {
            message = "the file is empty"
            line = nil
            column = nil
        } else {
            let place = error.place(in: bytes)
            message = "not JSON: line \(place.line), column \(place.column): \(isHole ? "a NUL byte" : error.problem)"
            line = place.line
            column = place.column
        }
    }
}

/// What a job says to the queue, in its `sdspool` key.
package struct JobOptions: Hashable, Sendable {
    /// A path on the server, such as `/sdapi/v1/img2img`; chosen by the body's keys where it is not named.
    package var endpoint: String?
    /// The HTTP method for `endpoint`.
    package var method: String?
    /// 0, which comes first, to 9.
    package var priority = Ticket.usualPriority
    /// The URL of the server that is to render it, one of those that the daemon serves.
    package var server: String?
    /// A query, too, keeps its turn behind the renders that came before it.
    package var wait = false
    /// Who is told how it ends.
    package var callback: Callback?
    /// It stands for many jobs.
    package var matrix: Matrix?

    init() {}

    /// Reads the value of the `sdspool` key. Throws ``JobFileError`` for what it does not know: a misspelled order
    /// that was passed over in silence would be an order that was not followed.
    init(_ text: Data) throws(JobFileError) {
        guard let object = try? ObjectText(text) else {
            throw JobFileError(message: "\"sdspool\" must be an object such as {\"priority\": 3}")
        }
        // Of a key that comes twice the last one counts, as everywhere.
        let last = Dictionary(object.members.enumerated().map { ($1.key, $0) }, uniquingKeysWith: max)
        for (index, member) in object.members.enumerated() where last[member.key] == index {
            let value = object[member.value]
            switch member.key {
            case "callback": callback = try Self.callback(value)
            case "endpoint": endpoint = try Self.decode(value, "endpoint", "a path such as \"/sdapi/v1/txt2img\"")
            case "matrix": matrix = try Matrix(value)
            case "method": method = try Self.decode(value, "method", "a method such as \"GET\"")
            case "server": server = try Self.decode(value, "server", "a URL such as \"http://gpu2:7860\"")
            case "wait": wait = try Self.decode(value, "wait", "true or false")
            case "priority":
                let expected = "a whole number from 0 (first) to 9"
                let number: Int = try Self.decode(value, "priority", expected)
                guard (0...9).contains(number) else { throw Self.wrong("priority", expected) }
                priority = UInt8(number)
            default:
                throw JobFileError(
                    message: "\"sdspool\" knows callback, endpoint, matrix, method, priority, server and wait, but not "
                        + "\"\(member.key)\"")
            }
        }
    }

    /// A URL, or an object that also says in which form it is told. It is not shown: there may be a password in it.
    private static func callback(_ value: Data) throws(JobFileError) -> Callback? {
        struct Written: Decodable {
            let url: String
            let form: Callback.Form?
        }
        if let object = try? ObjectText(value) {
            guard Set(object.members.map(\.key)).isSubset(of: ["url", "form"]),
                let written = try? JSONDecoder().decode(Written.self, from: value),
                let callback = Callback(written.url, form: written.form ?? .json)
            else {
                throw wrong(
                    "callback",
                    "an object such as {\"url\": \"http://127.0.0.1:8000/finished\", \"form\": \"multipart\"}; "
                        + "the form may be json, too")
            }
            return callback
        }
        let expected = "a URL such as \"http://127.0.0.1:8000/finished\""
        let text: String? = try decode(value, "callback", expected)
        guard let text else { return nil }
        guard let callback = Callback(text) else { throw wrong("callback", expected) }
        return callback
    }

    private static func decode<Value: Decodable>(
        _ text: Data, _ key: String, _ expected: String
    ) throws(JobFileError) -> Value {
        guard let value = try? JSONDecoder().decode(Value.self, from: text) else { throw wrong(key, expected) }
        return value
    }

    private static func wrong(_ key: String, _ expected: String) -> JobFileError {
        JobFileError(message: "\"sdspool\".\"\(key)\" must be \(expected)")
    }
}
