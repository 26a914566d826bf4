// The grammar of a number, byte by byte (RFC 8259 section 6). Its value is nobody's business here: a number is passed on as
// it was written.

/// The part of a number that its last byte belongs to.
enum NumberPart: Sendable {
    case minus, zero, integer, point, fraction, exponent, exponentSign, exponentDigits

    enum Step {
        case goesOn(NumberPart)
        /// The byte belongs to what comes behind the number.
        case isOver
        /// What is wrong with it.
        case malformed(String)
    }

    /// `nil` where no number begins so.
    init?(first byte: UInt8) {
        switch byte {
        case UInt8(ascii: "-"): self = .minus
        case UInt8(ascii: "0"): self = .zero
        case UInt8(ascii: "1")...UInt8(ascii: "9"): self = .integer
        default: return nil
        }
    }

    /// Whether a number may end here.
    var mayBeLast: Bool {
        switch self {
        case .zero, .integer, .fraction, .exponentDigits: true
        case .minus, .point, .exponent, .exponentSign: false
        }
    }

    /// What the next byte makes of it.
    func then(_ byte: UInt8) -> Step {
        let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        return switch (self, byte) {
        case (.minus, UInt8(ascii: "0")): .goesOn(.zero)
        case (.minus, _) where isDigit, (.integer, _) where isDigit: .goesOn(.integer)
        case (.zero, _) where isDigit: .malformed("a number begins with 0 and goes on")
        case (.zero, UInt8(ascii: ".")), (.integer, UInt8(ascii: ".")): .goesOn(.point)
        case (.point, _) where isDigit, (.fraction, _) where isDigit: .goesOn(.fraction)
        case (.zero, UInt8(ascii: "e")), (.zero, UInt8(ascii: "E")), (.integer, UInt8(ascii: "e")),
            (.integer, UInt8(ascii: "E")), (.fraction, UInt8(ascii: "e")), (.fraction, UInt8(ascii: "E")):
            .goesOn(.exponent)
        case (.exponent, UInt8(ascii: "+")), (.exponent, UInt8(ascii: "-")): .goesOn(.exponentSign)
        case (.exponent, _) where isDigit, (.exponentSign, _) where isDigit, (.exponentDigits, _) where isDigit:
            .goesOn(.exponentDigits)
        default: mayBeLast ? .isOver : .malformed("a digit is missing in a number")
        }
    }
}
