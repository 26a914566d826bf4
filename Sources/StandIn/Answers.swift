// The answers in the forms that A1111 and its web framework give them; an error's answer is thrown.

import Foundation
import HTTP
import JSONText

extension Response: Error {
    /// A body that is JSON, in UTF-8.
    static func json(_ text: Data, status: Int = 200) -> Response {
        Response(status: status, headers: ["Content-Type": "application/json"], body: .bytes(Array(text)))
    }

    static func json(_ value: JSONValue, status: Int = 200) -> Response { json(value.compact, status: status) }

    /// An error as A1111's own middleware words it.
    static func failure(_ status: Int, _ error: String, detail: String = "", _ errors: String = "") -> Response {
        let words = [("error", error), ("detail", detail), ("body", ""), ("errors", errors)]
        return json(.object(words.map { ($0, .string($1)) }), status: status)
    }

    /// An error that A1111's web framework answers.
    static func refusal(_ status: Int, _ detail: String) -> Response {
        json(.object([("detail", .string(detail))]), status: status)
    }

    /// A body that does not pass validation.
    static func invalid(_ complaints: [JSONValue]) -> Response {
        json(.object([("detail", .array(complaints))]), status: 422)
    }
}

extension JSONValue {
    static func text(_ json: String) -> JSONValue { .raw(Data(json.utf8)) }
    static func decimal(_ number: Double) -> JSONValue { text("\(number)") }
    static func strings(_ texts: [String]) -> JSONValue { .array(texts.map(JSONValue.string)) }
    static func integers(_ numbers: [Int]) -> JSONValue { .array(numbers.map { .integer(Int64($0)) }) }
    /// A file in base64, which needs no escapes.
    static func file(_ bytes: [UInt8]) -> JSONValue { text("\"\(Data(bytes).base64EncodedString())\"") }

    /// What is wrong at a place in the body.
    static func complaint(_ place: [String], _ words: String, _ type: String) -> JSONValue {
        .object([("loc", .strings(["body"] + place)), ("msg", .string(words)), ("type", .string(type))])
    }
}
