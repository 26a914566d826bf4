// A JSON value that keeps what Foundation would lose: the order of keys, and numbers as they were spelled.
//
// Two ways of writing, because A1111 has two: its answers are compact UTF-8, the `info` inside them is what Python's
// json.dumps writes by default, with blanks and in ASCII.

/// A JSON text as a value.
enum JSON: Sendable {
    case null
    case bool(Bool)
    /// As it was spelled: a 64-bit seed is not a Double.
    case number(String)
    case string(String)
    case array([JSON])
    /// A key that comes twice stays twice; the last one counts.
    case object([(key: String, value: JSON)])

    static func double(_ value: Double) -> JSON { .number("\(value)") }
    static func int(_ value: some BinaryInteger) -> JSON { .number("\(value)") }
    static func optional(_ text: String?) -> JSON { text.map(JSON.string) ?? .null }

    subscript(key: String) -> JSON? {
        get {
            guard case .object(let members) = self else { return nil }
            return members.last { $0.key == key }?.value
        }
        set {
            guard case .object(var members) = self else { return }
            if let index = members.lastIndex(where: { $0.key == key }) {
                members[index].value = newValue ?? .null
            } else if let newValue {
                members.append((key, newValue))
            }
            self = .object(members)
        }
    }

    var text: String? { if case .string(let text) = self { text } else { nil } }
    var elements: [JSON]? { if case .array(let elements) = self { elements } else { nil } }
    var keys: [String] { if case .object(let members) = self { members.map(\.key) } else { [] } }
    var isNull: Bool { if case .null = self { true } else { false } }
    var isTrue: Bool { if case .bool(true) = self { true } else { false } }
    var double: Double? { if case .number(let spelling) = self { Double(spelling) } else { nil } }
    /// `nil` also where the number does not fit into 64 bits.
    var int: Int? { if case .number(let spelling) = self { Int(spelling) } else { nil } }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    init(stringLiteral text: String) { self = .string(text) }
    init(integerLiteral number: Int) { self = .int(number) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    init(nilLiteral: ()) { self = .null }
    init(arrayLiteral elements: JSON...) { self = .array(elements) }
    init(dictionaryLiteral members: (String, JSON)...) { self = .object(members.map { ($0, $1) }) }
}

extension JSON {
    enum Style {
        /// `{"a":1}`, UTF-8: the answers of FastAPI.
        case compact
        /// `{"a": 1}`, ASCII: Python's json.dumps.
        case python
    }

    func written(_ style: Style = .compact) -> [UInt8] {
        var bytes: [UInt8] = []
        write(style, into: &bytes)
        return bytes
    }

    private func write(_ style: Style, into bytes: inout [UInt8]) {
        let comma = Array((style == .compact ? "," : ", ").utf8)
        let colon = Array((style == .compact ? ":" : ": ").utf8)
        switch self {
        case .null: bytes += "null".utf8
        case .bool(let value): bytes += (value ? "true" : "false").utf8
        case .number(let spelling): bytes += spelling.utf8
        case .string(let text): Self.write(text, style, into: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes += comma }
                element.write(style, into: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes += comma }
                Self.write(member.key, style, into: &bytes)
                bytes += colon
                member.value.write(style, into: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func write(_ text: String, _ style: Style, into bytes: inout [UInt8]) {
        func escape(_ unit: UInt16) {
            let digits = String(unit, radix: 16)
            bytes += ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8
        }
        bytes.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": bytes += [UInt8(ascii: "\\"), UInt8(scalar.value)]
            case "\n": bytes += "\\n".utf8
            case "\r": bytes += "\\r".utf8
            case "\t": bytes += "\\t".utf8
            default:
                if scalar.value < 0x20 || (style == .python && scalar.value > 0x7e) {
                    for unit in UTF16.encode(scalar) ?? .init() { escape(unit) }
                } else {
                    bytes += UTF8.encode(scalar) ?? .init()
                }
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
