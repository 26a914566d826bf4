// Why a text is not JSON, and where.

/// The first place at which a text stops being JSON (RFC 8259).
package struct JSONSyntaxError: Error, Hashable, Sendable {
    /// A text that only ended too early may be whole later; one that is malformed never will.
    package enum Kind: Hashable, Sendable {
        case incomplete, malformed
    }

    /// Whether more bytes could mend it.
    package let kind: Kind
    /// What is wrong, in plain words, such as `a comma or } is missing`.
    package let problem: String
    /// Bytes before the place.
    package let offset: Int

    /// An error that this module's own tokenizer does not find, such as one of the encoding.
    package init(kind: Kind, problem: String, offset: Int) {
        self.kind = kind
        self.problem = problem
        self.offset = offset
    }

    /// Line and column of the place in `text`, both counted from 1, columns in characters as an editor shows them.
    package func place(in text: some Sequence<UInt8>) -> (line: Int, column: Int) {
        var line = 1
        var column = 1
        for byte in text.prefix(offset) {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xc0 != 0x80 {
                // A byte 10xxxxxx continues a character of UTF-8 that has been counted.
                column += 1
            }
        }
        return (line, column)
    }
}
