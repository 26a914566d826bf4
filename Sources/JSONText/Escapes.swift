// What stands behind a backslash in a string, byte by byte (RFC 8259 section 7).

/// Reads the escapes of one text, one after the other.
struct Escapes: Sendable {
    enum Step {
        /// More of the same escape is due.
        case goesOn
        /// It is over and stands for this, in UTF-8; for nothing yet where it is the first half of a pair.
        case means([UInt8])
        /// What is wrong with it.
        case malformed(String)
    }

    /// Behind `\u`: the digits so far.
    private var digits: (value: UInt32, count: Int)?
    /// The first half of a pair whose second half may follow.
    private var highSurrogate: UInt32?

    /// Takes the next byte behind a backslash.
    mutating func take(_ byte: UInt8) -> Step {
        if let digits { return takeDigit(byte, behind: digits) }
        let meaning: UInt8
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): meaning = byte
        case UInt8(ascii: "b"): meaning = 0x08
        case UInt8(ascii: "f"): meaning = 0x0c
        case UInt8(ascii: "n"): meaning = 0x0a
        case UInt8(ascii: "r"): meaning = 0x0d
        case UInt8(ascii: "t"): meaning = 0x09
        case UInt8(ascii: "u"):
            digits = (0, 0)
            return .goesOn
        default: return .malformed("a backslash stands before a character that it cannot escape")
        }
        return .means(endPair() + [meaning])
    }

    /// Tells that what follows is no second half. A first half alone is allowed by the grammar and has no meaning (RFC 8259
    /// section 8.2): what stands for it, empty where there is none.
    mutating func endPair() -> [UInt8] {
        guard highSurrogate != nil else { return [] }
        highSurrogate = nil
        return Self.text(of: nil)
    }

    private mutating func takeDigit(_ byte: UInt8, behind digits: (value: UInt32, count: Int)) -> Step {
        guard let digit = Character(UnicodeScalar(byte)).hexDigitValue else {
            return .malformed("four hexadecimal digits are due behind \\u")
        }
        let value = digits.value << 4 | UInt32(digit)
        guard digits.count == 3 else {
            self.digits = (value, digits.count + 1)
            return .goesOn
        }
        self.digits = nil
        if let high = highSurrogate, (0xdc00...0xdfff).contains(value) {
            highSurrogate = nil
            return .means(Self.text(of: UnicodeScalar(0x10000 + (high - 0xd800) << 10 + (value - 0xdc00))))
        }
        let half = endPair()
        if (0xd800...0xdbff).contains(value) {
            highSurrogate = value
            return .means(half)
        }
        return .means(half + Self.text(of: UnicodeScalar(value)))
    }

    private static func text(of scalar: UnicodeScalar?) -> [UInt8] {
        Array(String(Character(scalar ?? "\u{fffd}")).utf8)
    }
}
