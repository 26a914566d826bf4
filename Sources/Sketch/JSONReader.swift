// Bytes → JSON, complaining as Python's json module does, because A1111 passes its words and positions on.
//
// Iteration would be kinder to the stack than recursion; a limit of depth is simpler and enough here.

/// What is wrong with a JSON text, and at which byte.
struct JSONError: Error, Equatable {
    let words: String
    let position: Int
}

/// Reads one JSON text (RFC 8259) from front to back.
struct JSONReader {
    private let bytes: [UInt8]
    private var position = 0
    private static let depthLimit = 200

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The value of `bytes`, which have to be UTF-8.
    static func read(_ bytes: [UInt8]) throws(JSONError) -> JSON {
        var reader = JSONReader(bytes)
        reader.skipBlanks()
        let value = try reader.value(depth: 0)
        reader.skipBlanks()
        guard reader.position == bytes.count else { throw reader.error("Extra data") }
        return value
    }

    private func error(_ words: String, at position: Int? = nil) -> JSONError {
        JSONError(words: words, position: position ?? self.position)
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipBlanks() {
        while let byte = next, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { position += 1 }
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard let byte = next, byte == UInt8(ascii: scalar) else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSON {
        guard depth < Self.depthLimit else { throw error("Too deep") }
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        default: break
        }
        for (word, value) in [("null", JSON.null), ("true", true), ("false", false)]
        where bytes[position...].starts(with: word.utf8) {
            position += word.utf8.count
            return value
        }
        return .number(try number())
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSON {
        position += 1
        var members: [(key: String, value: JSON)] = []
        skipBlanks()
        if take("}") { return .object([]) }
        while true {
            guard next == UInt8(ascii: "\"") else {
                throw error("Expecting property name enclosed in double quotes")
            }
            let key = try string()
            skipBlanks()
            guard take(":") else { throw error("Expecting ':' delimiter") }
            skipBlanks()
            members.append((key, try value(depth: depth + 1)))
            skipBlanks()
            if take("}") { return .object(members) }
            guard take(",") else { throw error("Expecting ',' delimiter") }
            skipBlanks()
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSON {
        position += 1
        var elements: [JSON] = []
        skipBlanks()
        if take("]") { return .array([]) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipBlanks()
            if take("]") { return .array(elements) }
            guard take(",") else { throw error("Expecting ',' delimiter") }
            skipBlanks()
        }
    }

    private mutating func number() throws(JSONError) -> String {
        let start = position
        func isDigit(_ byte: UInt8?) -> Bool { byte.map { (0x30...0x39).contains($0) } ?? false }
        _ = take("-")
        guard isDigit(next) else { throw error("Expecting value", at: start) }
        if !take("0") { while isDigit(next) { position += 1 } }
        if next == UInt8(ascii: "."), position + 1 < bytes.count, isDigit(bytes[position + 1]) {
            position += 1
            while isDigit(next) { position += 1 }
        }
        let mantissa = position
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            // Without digits it was no exponent: the letter is left for whoever reads on, and complains.
            if isDigit(next) { while isDigit(next) { position += 1 } } else { position = mantissa }
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func string() throws(JSONError) -> String {
        let start = position
        position += 1
        var text = ""
        var run = position
        while true {
            position = endOfPlainCharacters
            guard let byte = next else { throw error("Unterminated string starting at", at: start) }
            switch byte {
            case UInt8(ascii: "\""):
                text += String(decoding: bytes[run..<position], as: UTF8.self)
                position += 1
                return text
            case UInt8(ascii: "\\"):
                text += String(decoding: bytes[run..<position], as: UTF8.self)
                text.unicodeScalars.append(try escape())
                run = position
            default:
                throw error("Invalid control character at")
            }
        }
    }

    private var endOfPlainCharacters: Int {
        // Where nothing is optimised, a checked loop takes seconds for a picture's base64; the pointer lives for it.
        bytes.withUnsafeBufferPointer { bytes in
            var index = position
            while index < bytes.count, bytes[index] >= 0x20, bytes[index] != 0x22, bytes[index] != 0x5c {
                index += 1
            }
            return index
        }
    }

    private mutating func escape() throws(JSONError) -> Unicode.Scalar {
        let start = position
        position += 2
        guard position <= bytes.count else { throw error("Unterminated string starting at", at: start) }
        switch bytes[position - 1] {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: throw error("Invalid \\escape", at: start)
        }
        let unit = try hexadecimal(at: start)
        guard (0xd800..<0xdc00).contains(unit), bytes[position...].starts(with: "\\u".utf8) else {
            return Unicode.Scalar(unit) ?? "\u{fffd}"
        }
        let second = position
        position += 2
        let low = try hexadecimal(at: second)
        guard (0xdc00..<0xe000).contains(low) else {
            position = second
            return "\u{fffd}"
        }
        return Unicode.Scalar(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)) ?? "\u{fffd}"
    }

    private mutating func hexadecimal(at start: Int) throws(JSONError) -> UInt32 {
        let digits = bytes[position...].prefix(4)
        // UInt32's own reading would take a sign.
        let areDigits = digits.allSatisfy { UnicodeScalar($0).properties.isASCIIHexDigit }
        guard digits.count == 4, areDigits,
            let unit = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else {
            throw error("Invalid \\uXXXX escape", at: start + 1)
        }
        position += 4
        return unit
    }
}
