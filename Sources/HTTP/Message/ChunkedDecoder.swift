// Chunks → body, strictly (RFC 9112 section 7.1), in whatever pieces they come.
//
// A chunk's size is hexadecimal digits followed by CRLF or an extension, its data is followed by exactly CRLF.
// Anything else is a `RequestError`: a body whose end is a matter of opinion is how requests are smuggled. Extensions and
// trailer fields are checked, bounded and dropped.

/// Takes a chunked body apart; bounded by the limit of the body and by that of a line.
struct ChunkedDecoder {
    private enum State {
        case size
        case data(left: Int)
        case dataEnd
        case trailer(bytes: Int)
        case complete
    }
    private var state = State.size
    private var line: [UInt8] = []
    /// What the body may still have.
    private var left: Int

    static let lineLimit = 1 << 10
    static let trailerLimit = 8 << 10

    /// A decoder that refuses (413) a body of more than `limit` bytes.
    init(limit: Int) {
        left = limit
    }

    /// The last chunk and the trailer's end have come.
    var isComplete: Bool { if case .complete = state { true } else { false } }

    /// Decodes from the front of `input` and appends to `body`; says how many bytes were used. Fewer than all only
    /// when the body is complete: the rest is the next request's.
    mutating func decode(_ input: ArraySlice<UInt8>, into body: inout [UInt8]) throws(RequestError) -> Int {
        var rest = input
        while !rest.isEmpty {
            switch state {
            case .complete:
                return input.count - rest.count
            case .data(let left):
                let piece = rest.prefix(left)
                body.append(contentsOf: piece)
                rest = rest.dropFirst(piece.count)
                state = piece.count == left ? .dataEnd : .data(left: left - piece.count)
            case .size, .dataEnd, .trailer:
                guard let line = try takeLine(&rest) else { break }
                state = try next(after: line)
            }
        }
        return input.count - rest.count
    }

    private mutating func next(after line: [UInt8]) throws(RequestError) -> State {
        switch state {
        case .dataEnd:
            guard line.isEmpty else { throw .bad("a chunk is longer than its size") }
            return .size
        case .trailer(let bytes):
            if line.isEmpty { return .complete }
            _ = try RequestHead.fields([line[...]])
            guard bytes + line.count <= Self.trailerLimit else {
                throw RequestError(status: 431, why: "a long trailer")
            }
            return .trailer(bytes: bytes + line.count)
        default:
            let size = try Self.size(line)
            guard size > 0 else { return .trailer(bytes: 0) }
            guard size <= left else { throw RequestError(status: 413, why: "the body is too long") }
            left -= size
            return .data(left: size)
        }
    }

    /// A line without its CRLF, or `nil` where its end has not come.
    private mutating func takeLine(_ rest: inout ArraySlice<UInt8>) throws(RequestError) -> [UInt8]? {
        let piece = rest.prefix { $0 != lf }
        // After a chunk's data nothing but CRLF can follow: no need to wait for a line's end to know better.
        if case .dataEnd = state, !(line + piece.prefix(2)).isEmpty, line + piece.prefix(2) != [cr] {
            throw .bad("a chunk is longer than its size")
        }
        guard line.count + piece.count <= Self.lineLimit else { throw .bad("a long line between chunks") }
        line += piece
        rest = rest.dropFirst(piece.count)
        guard rest.popFirst() != nil else { return nil }
        guard line.last == cr else { throw .bad("a line ends without CR") }
        let whole = Array(line.dropLast())
        guard whole.allSatisfy(isTextByte) else { throw .bad("a control character") }
        line = []
        return whole
    }

    private static func size(_ line: [UInt8]) throws(RequestError) -> Int {
        let digits = line.prefix { $0 != UInt8(ascii: ";") }
        guard (1...16).contains(digits.count), digits.allSatisfy({ isHexDigit($0) }) else {
            throw .bad("a chunk's size is not hexadecimal")
        }
        guard let size = Int(String(decoding: digits, as: UTF8.self), radix: 16) else {
            throw RequestError(status: 413, why: "the body is too long")
        }
        return size
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        isDigit(byte) || "abcdefABCDEF".utf8.contains(byte)
    }
}
