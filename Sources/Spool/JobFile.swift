// What lies in a job file: the request, as it was written, and what it says to the queue.

import Foundation
import JSONText

/// A job file that has been read whole.
public struct JobFile: Sendable {
    /// The request with the `sdspool` key in it.
    public let object: ObjectText
    /// What the `sdspool` key says.
    public let orders: Orders

    /// The key that speaks to the queue and is taken out before the request is sent.
    public static let ordersKey = "sdspool"
    /// Of a job file, in bytes, where nobody asked for another. Pictures ride in job files as base64.
    public static let usualCap = 64 << 20

    /// Reads a job file. Throws ``JobFileError``.
    public init(_ bytes: Data) throws(JobFileError) {
        let text: Data
        do {
            text = try JSONEncodingForm.utf8(bytes)
        } catch {
            // Places are counted behind the byte order mark, which no editor shows.
            throw JobFileError(error, in: bytes.starts(with: [0xef, 0xbb, 0xbf]) ? bytes.dropFirst(3) : bytes)
        }
        do {
            object = try ObjectText(text)
        } catch let error as JSONSyntaxError {
            throw JobFileError(error, in: text)
        } catch {
            throw JobFileError(message: "\(error)")
        }
        orders = if let value = object.value(of: Self.ordersKey) { try Orders(value) } else { Orders() }
    }
}

/// Why a file is no job, for the person who dropped it.
public struct JobFileError: Error, Hashable, Sendable {
    /// True where more bytes could make it one: it may still be arriving.
    public let mayStillArrive: Bool
    /// See ``ErrorReport/class``.
    public let `class`: String
    /// In plain words, with line and column where it is a matter of one place.
    public let message: String
    /// From 1.
    public let line: Int?
    /// From 1, in characters.
    public let column: Int?

    init(message: String, mayStillArrive: Bool = false, class: String = "not a job") {
        self.message = message
        self.class = `class`
        self.mayStillArrive = mayStillArrive
        line = nil
        column = nil
    }

    init(_ error: JSONSyntaxError, in bytes: Data) {
        // A file that was made at its full size and is still being filled is NULs up to its end.
        self.class = "not a job"
        let rest = bytes.dropFirst(error.offset)
        let isHole = rest.first == 0
        // The hole may begin within a character.
        mayStillArrive = error.kind == .incomplete || rest.prefix(4).contains(0)
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
public struct Orders: Hashable, Sendable {
    /// A path on the server, such as `/sdapi/v1/img2img`; chosen by the body's keys where it is not named.
    public var endpoint: String?
    /// The HTTP method for `endpoint`.
    public var method: String?
    /// 0, which comes first, to 9.
    public var priority = Ticket.usualPriority
    /// The URL of the server that is to render it, one of those that the daemon serves.
    public var server: String?
    /// A query, too, keeps its turn behind the renders that came before it.
    public var wait = false

    init() {}

    /// Reads the value of the `sdspool` key. Throws ``JobFileError`` for what it does not know: a misspelled order
    /// that was passed over in silence would be an order that was not followed.
    init(_ text: Data) throws(JobFileError) {
        guard let object = try? ObjectText(text) else {
            throw JobFileError(message: "\"sdspool\" must be an object such as {\"priority\": 3}")
        }
        for member in object.members {
            let value = object.value(of: member.key) ?? Data()
            switch member.key {
            case "endpoint": endpoint = try Self.decode(value, "endpoint", "a path such as \"/sdapi/v1/txt2img\"")
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
                    message: "\"sdspool\" knows endpoint, method, priority, server and wait, but not \"\(member.key)\"")
            }
        }
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
