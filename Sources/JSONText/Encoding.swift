// What Windows tools write in front of JSON and around it: byte order marks and UTF-16.

import Foundation

/// Brings a text that says how it is encoded to plain UTF-8.
package enum JSONEncodingForm {
    /// The same text in UTF-8 without a byte order mark; as it is where it has none.
    ///
    /// Throws ``JSONSyntaxError``: incomplete where UTF-16 ends in half a unit, malformed where the bytes are neither
    /// UTF-8 nor, by their mark, UTF-16. A1111 answers 400 to a body that is not UTF-8.
    package static func utf8(_ bytes: Data) throws(JSONSyntaxError) -> Data {
        if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) {
            // The first unit of a pair, D800 to DBFF, which waits for its second.
            let high = bytes.first == 0xff ? bytes.last : bytes.dropLast().last
            guard bytes.count.isMultiple(of: 2), let high, !(0xd8...0xdb).contains(high) else {
                throw JSONSyntaxError(kind: .incomplete, problem: "the UTF-16 text ends in half a character", offset: 0)
            }
            guard let text = String(data: bytes, encoding: .utf16) else {
                throw JSONSyntaxError(kind: .malformed, problem: "it begins as UTF-16 and is none", offset: 0)
            }
            return Data(text.utf8)
        }
        let text = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Data(bytes.dropFirst(3)) : bytes
        do throws(UTF8.ValidationError) {
            // In place: a text may be as large as a job file.
            _ = try UTF8Span(validating: text.span)
        } catch {
            let offset = error.byteOffsets.lowerBound
            throw JSONSyntaxError(
                kind: text.count - offset < 4 ? .incomplete : .malformed,
                problem: "it is not UTF-8 (saved in another encoding?)", offset: offset)
        }
        return text
    }
}
