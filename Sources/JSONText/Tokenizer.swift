// JSON as it comes: a push-down automaton that is fed pieces of a text and tells what it meets and where.
//
// Foundation parses a text that is whole in memory into values. A spool needs what that loses: where each value lies
// (so that all others are sent as they were written), whether a text only ended too early (a file still arriving),
// and the contents of a string before its end has come (a picture of a reply that is larger than memory should be).

/// Takes what ``JSONTokenizer`` meets. Offsets count the bytes from the beginning of the whole text.
package protocol JSONVisitor: ~Copyable {
    /// `{` or `[` at `offset`.
    mutating func began(object: Bool, at offset: Int) throws
    /// `}` or `]`, with `end` behind it.
    mutating func ended(object: Bool, at end: Int) throws
    /// A member's key, unescaped, with the place of its quotes and what is between.
    mutating func key(_ text: [UInt8], at place: Range<Int>) throws
    /// The opening quote of a string value at `offset`.
    mutating func stringBegan(at offset: Int) throws
    /// A piece of a string value, unescaped.
    mutating func string(_ piece: Span<UInt8>) throws
    /// The closing quote of a string value, with `end` behind it.
    mutating func stringEnded(at end: Int) throws
    /// A number, `true`, `false` or `null`.
    mutating func scalar(at place: Range<Int>) throws
}

/// Reads one JSON text (RFC 8259), strictly, in pieces of any size.
package struct JSONTokenizer: Sendable {
    /// Deeper nesting is an error: it is where Foundation's parser gives up, too.
    package static let maximumDepth = 512
    /// A longer key is an error; keys are held whole in memory.
    package static let maximumKey = 64 << 10

    private enum State: Equatable {
        case value, firstElement, firstKey, key, colon, separator
        case string, escape
        case number(NumberPart)
        case literal
        case end
    }

    private var state = State.value
    /// The open containers, true for an object.
    private var open: [Bool] = []
    /// Bytes taken so far.
    package private(set) var offset = 0

    private var tokenStart = 0
    private var readingKey = false
    private var keyText: [UInt8] = []
    private var literal: (bytes: [UInt8], matched: Int) = ([], 0)
    private var escapes = Escapes()

    /// A tokenizer at the beginning of a text.
    package init() {}

    /// Takes the next bytes. Throws ``JSONSyntaxError`` and what the visitor throws; after that it is of no more use.
    package mutating func feed(_ bytes: Span<UInt8>, to visitor: inout some JSONVisitor & ~Copyable) throws {
        let base = offset
        var index = 0
        while index < bytes.count {
            offset = base + index
            if state == .string {
                let run = Self.plainRun(in: bytes, from: index)
                if run > index {
                    try endPair(&visitor)
                    try take(bytes.extracting(index..<run), to: &visitor)
                    index = run
                    continue
                }
            }
            // A byte that ends a number belongs to what comes next and is looked at again.
            if try step(bytes[index], &visitor) { index += 1 }
        }
        offset = base + bytes.count
    }

    /// Tells that no more bytes come. Throws where the text is not whole.
    package mutating func finish(to visitor: inout some JSONVisitor & ~Copyable) throws {
        if case .number(let part) = state, part.mayBeLast, open.isEmpty { try endScalar(&visitor) }
        guard state == .end else {
            throw JSONSyntaxError(kind: .incomplete, problem: "the text ends too early", offset: offset)
        }
    }

    /// The end of the bytes from `index` on that are neither quote nor backslash nor control character.
    private static func plainRun(in bytes: Span<UInt8>, from index: Int) -> Int {
        var end = index
        let raw = bytes.bytes
        while end + 16 <= bytes.count {
            // Any eight bytes make a number; the bounds are checked above.
            let first = raw.unsafeLoadUnaligned(fromByteOffset: end, as: UInt64.self)
            // As before.
            let second = raw.unsafeLoadUnaligned(fromByteOffset: end + 8, as: UInt64.self)
            if special(first) | special(second) != 0 { break }
            end += 16
        }
        while end < bytes.count {
            let byte = bytes[end]
            if byte == 0x22 || byte == 0x5c || byte < 0x20 { break }
            end += 1
        }
        return end
    }

    /// Not zero where one of eight bytes is a quote, a backslash or a control character: a picture is megabytes of others. A
    /// byte less than n is found by subtracting n from all at once (S. E. Anderson, Bit Twiddling Hacks, "hasless"); a byte
    /// that is n is one that is less than 1 behind an exclusive or with n.
    @inline(__always) private static func special(_ eight: UInt64) -> UInt64 {
        let quote = eight ^ 0x2222_2222_2222_2222
        let backslash = eight ^ 0x5c5c_5c5c_5c5c_5c5c
        let found =
            (eight &- 0x2020_2020_2020_2020) & ~eight | (quote &- 0x0101_0101_0101_0101) & ~quote
            | (backslash &- 0x0101_0101_0101_0101) & ~backslash
        return found & 0x8080_8080_8080_8080
    }

    // MARK: One byte

    private mutating func step(_ byte: UInt8, _ visitor: inout some JSONVisitor & ~Copyable) throws -> Bool {
        switch state {
        case .string: try stepString(byte, &visitor)
        case .escape: try stepEscape(byte, &visitor)
        case .literal: try stepLiteral(byte, &visitor)
        case .number(let part): return try stepNumber(part, byte, &visitor)
        default:
            switch byte {
            case 0x20, 0x09, 0x0a, 0x0d: break
            default: try stepStructure(byte, &visitor)
            }
        }
        return true
    }

    private mutating func stepStructure(_ byte: UInt8, _ visitor: inout some JSONVisitor & ~Copyable) throws {
        switch (state, byte) {
        case (.firstElement, UInt8(ascii: "]")): try endContainer(object: false, &visitor)
        case (.firstKey, UInt8(ascii: "}")): try endContainer(object: true, &visitor)
        case (.value, _), (.firstElement, _): try beginValue(byte, &visitor)
        case (.firstKey, UInt8(ascii: "\"")), (.key, UInt8(ascii: "\"")):
            readingKey = true
            keyText.removeAll(keepingCapacity: true)
            tokenStart = offset
            state = .string
        case (.firstKey, _): throw malformed("a key in double quotes or } is missing")
        case (.key, _): throw malformed("a key in double quotes is missing behind the comma")
        case (.colon, UInt8(ascii: ":")): state = .value
        case (.colon, _): throw malformed("a colon is missing behind the key")
        case (.separator, UInt8(ascii: ",")): state = open.last == true ? .key : .value
        case (.separator, UInt8(ascii: "}")) where open.last == true: try endContainer(object: true, &visitor)
        case (.separator, UInt8(ascii: "]")) where open.last == false: try endContainer(object: false, &visitor)
        case (.separator, _): throw malformed("a comma or \(open.last == true ? "}" : "]") is missing")
        default: throw malformed("there is more text behind the end of the value")
        }
    }

    private mutating func beginValue(_ byte: UInt8, _ visitor: inout some JSONVisitor & ~Copyable) throws {
        tokenStart = offset
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard open.count < Self.maximumDepth else {
                throw malformed("it is nested more than \(Self.maximumDepth) levels deep")
            }
            let object = byte == UInt8(ascii: "{")
            open.append(object)
            state = object ? .firstKey : .firstElement
            try visitor.began(object: object, at: offset)
        case UInt8(ascii: "\""):
            readingKey = false
            state = .string
            try visitor.stringBegan(at: offset)
        case UInt8(ascii: "t"): expect("true")
        case UInt8(ascii: "f"): expect("false")
        case UInt8(ascii: "n"): expect("null")
        default:
            guard let first = NumberPart(first: byte) else { throw malformed("a value is missing") }
            state = .number(first)
        }
    }

    private mutating func endContainer(object: Bool, _ visitor: inout some JSONVisitor & ~Copyable) throws {
        open.removeLast()
        endValue()
        try visitor.ended(object: object, at: offset + 1)
    }

    private mutating func endValue() {
        state = open.isEmpty ? .end : .separator
    }

    // MARK: Strings

    private mutating func take(_ piece: Span<UInt8>, to visitor: inout some JSONVisitor & ~Copyable) throws {
        guard readingKey else { return try visitor.string(piece) }
        guard keyText.count + piece.count <= Self.maximumKey else {
            throw malformed("a key is longer than \(Self.maximumKey) bytes")
        }
        for index in piece.indices { keyText.append(piece[index]) }
    }

    private mutating func stepString(_ byte: UInt8, _ visitor: inout some JSONVisitor & ~Copyable) throws {
        switch byte {
        case UInt8(ascii: "\\"):
            state = .escape
        case UInt8(ascii: "\""):
            try endPair(&visitor)
            if readingKey {
                state = .colon
                try visitor.key(keyText, at: tokenStart..<offset + 1)
            } else {
                endValue()
                try visitor.stringEnded(at: offset + 1)
            }
        default: throw malformed("a control character stands in a string where an escape like \\n is due")
        }
    }

    private mutating func stepEscape(_ byte: UInt8, _ visitor: inout some JSONVisitor & ~Copyable) throws {
        switch escapes.take(byte) {
        case .goesOn: break
        case .means(let text):
            state = .string
            if !text.isEmpty { try take(text.span, to: &visitor) }
        case .malformed(let problem): throw malformed(problem)
        }
    }

    private mutating func endPair(_ visitor: inout some JSONVisitor & ~Copyable) throws {
        let text = escapes.endPair()
        if !text.isEmpty { try take(text.span, to: &visitor) }
    }

    // MARK: Numbers and literals

    /// False where the byte belongs to what comes behind the number.
    private mutating func stepNumber(
        _ part: NumberPart, _ byte: UInt8, _ visitor: inout some JSONVisitor & ~Copyable
    ) throws -> Bool {
        switch part.then(byte) {
        case .goesOn(let next):
            state = .number(next)
            return true
        case .isOver:
            try endScalar(&visitor)
            return false
        case .malformed(let problem): throw malformed(problem)
        }
    }

    private mutating func endScalar(_ visitor: inout some JSONVisitor & ~Copyable) throws {
        endValue()
        try visitor.scalar(at: tokenStart..<offset)
    }

    private mutating func expect(_ word: String) {
        literal = (Array(word.utf8), 1)
        state = .literal
    }

    private mutating func stepLiteral(_ byte: UInt8, _ visitor: inout some JSONVisitor & ~Copyable) throws {
        guard byte == literal.bytes[literal.matched] else { throw malformed("a value is missing") }
        literal.matched += 1
        guard literal.matched == literal.bytes.count else { return }
        endValue()
        try visitor.scalar(at: tokenStart..<offset + 1)
    }

    private func malformed(_ problem: String) -> JSONSyntaxError {
        JSONSyntaxError(kind: .malformed, problem: problem, offset: offset)
    }
}
