// JSON that is written for people and programs: members in the order that reads best, and texts of others as they
// were written, so that no number in them is rounded again. Foundation's encoders can do neither.

import Foundation

/// A JSON value to be written.
package enum JSONValue: Sendable {
    case string(String)
    case integer(Int64)
    case boolean(Bool)
    case null
    case array([JSONValue])
    /// Members in the order in which they will stand.
    case object([(String, JSONValue)])
    /// A text that is JSON already.
    case raw(Data)

    /// A string, or null where there is none.
    package static func optional(_ text: String?) -> JSONValue { text.map(JSONValue.string) ?? .null }
    /// A whole number, or null where there is none.
    package static func optional(_ number: Int64?) -> JSONValue { number.map(JSONValue.integer) ?? .null }

    /// The text, indented by two spaces a level, with a newline at its end.
    package var document: Data {
        var text: [UInt8] = []
        write(to: &text, indent: 0)
        text.append(UInt8(ascii: "\n"))
        return Data(text)
    }

    /// The text without a blank, as programs send it to each other.
    package var compact: Data {
        var text: [UInt8] = []
        write(to: &text, indent: nil)
        return Data(text)
    }

    /// Without an `indent` everything stands in one line.
    private func write(to text: inout [UInt8], indent: Int?) {
        switch self {
        case .string(let value): JSONString.write(value, to: &text)
        case .integer(let value): text.append(contentsOf: String(value).utf8)
        case .boolean(let value): text.append(contentsOf: String(value).utf8)
        case .null: text.append(contentsOf: "null".utf8)
        case .raw(let value): text.append(contentsOf: value)
        case .array(let elements):
            Self.write(elements, between: ("[", "]"), to: &text, indent: indent) { element, text in
                element.write(to: &text, indent: indent.map { $0 + 2 })
            }
        case .object(let members):
            Self.write(members, between: ("{", "}"), to: &text, indent: indent) { member, text in
                JSONString.write(member.0, to: &text)
                text.append(contentsOf: (indent == nil ? ":" : ": ").utf8)
                member.1.write(to: &text, indent: indent.map { $0 + 2 })
            }
        }
    }

    private static func write<Part>(
        _ parts: [Part], between brackets: (String, String), to text: inout [UInt8], indent: Int?,
        each: (Part, inout [UInt8]) -> Void
    ) {
        func newLine(_ indent: Int?) -> String { indent.map { "\n" + String(repeating: " ", count: $0) } ?? "" }
        text.append(contentsOf: brackets.0.utf8)
        for (index, part) in parts.enumerated() {
            text.append(contentsOf: ((index == 0 ? "" : ",") + newLine(indent.map { $0 + 2 })).utf8)
            each(part, &text)
        }
        if !parts.isEmpty { text.append(contentsOf: newLine(indent).utf8) }
        text.append(contentsOf: brackets.1.utf8)
    }
}

/// A string as JSON spells it.
package enum JSONString {
    /// In quotes, with the escapes that RFC 8259 section 7 asks for and no others.
    package static func encoded(_ value: String) -> Data {
        var text: [UInt8] = []
        write(value, to: &text)
        return Data(text)
    }

    static func write(_ value: String, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(contentsOf: [UInt8(ascii: "\\"), byte])
            case UInt8(ascii: "\n"): text.append(contentsOf: "\\n".utf8)
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                text.append(contentsOf: ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8)
            default: text.append(byte)
            }
        }
        text.append(UInt8(ascii: "\""))
    }
}
