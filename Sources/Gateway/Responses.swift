// The forms in which the gateway answers.

import Foundation
import HTTP
import JSONText

extension Response {
    /// JSON, as programs send it to each other.
    package static func json(_ status: Int = 200, _ value: JSONValue, _ headers: Headers = [:]) -> Response {
        var headers = headers
        headers.append("Content-Type", "application/json")
        return Response(status: status, headers: headers, body: .bytes(Array(value.compact)))
    }

    /// One line for people.
    package static func plain(_ status: Int, _ text: String) -> Response {
        Response(
            status: status, headers: ["Content-Type": "text/plain; charset=utf-8"],
            body: .bytes(Array("\(text)\n".utf8)))
    }

    /// As A1111 says that a body is not what it should be (FastAPI's shape).
    package static func unfit(_ message: String, at offset: Int) -> Response {
        .json(
            422,
            .object([
                (
                    "detail",
                    .array([
                        .object([
                            ("loc", .array([.string("body"), .integer(Int64(offset))])), ("msg", .string(message)),
                            ("type", .string("value_error.jsondecode")),
                        ])
                    ])
                )
            ]))
    }

    /// As A1111 says that something went wrong.
    package static func error(_ status: Int, _ kind: String, _ message: String) -> Response {
        .json(
            status,
            .object([
                ("error", .string(kind)), ("detail", .string(message)), ("body", .string("")),
                ("errors", .string(message)),
            ]))
    }

    /// 503: later (RFC 9110 section 15.6.4).
    package static func notNow(_ obstacle: (words: String, seconds: Int)) -> Response {
        var response = error(503, "server away", obstacle.words)
        response.headers.append("Retry-After", "\(obstacle.seconds)")
        return response
    }
}
