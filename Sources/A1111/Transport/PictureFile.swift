// A picture in a file, on its way into a body: as it is, or base64 in quotes, made while it is sent, so that memory does not know how
// large it is.

import Foundation
import HTTP
import Linux

/// An open file that is sent.
package final class PictureFile: Sendable {
    private let file: File
    /// In bytes, when it was opened; so many are sent.
    private let size: Int

    /// Takes over an open file. Throws ``SystemError``.
    package init(_ file: consuming File) throws(SystemError) {
        size = Int(clamping: try file.status().size)
        self.file = file
    }

    /// The string in a JSON text, with its quotes (RFC 4648 section 4: three bytes make four characters).
    var piece: BodyPiece {
        let length = (size + 2) / 3 * 4
        return BodyPiece(length: length + 2) { [self] place in
            var text = Data()
            if place.lowerBound == 0 { text.append(UInt8(ascii: "\"")) }
            let (low, high) = (max(0, place.lowerBound - 1), min(length, place.upperBound - 1))
            if low < high {
                // Whole groups of four characters, of which a part may be wanted.
                let encoded = try content(low / 4 * 3..<min(size, (high + 3) / 4 * 3)).base64EncodedData()
                text += encoded.dropFirst(low % 4).prefix(high - low)
            }
            if place.upperBound == length + 2 { text.append(UInt8(ascii: "\"")) }
            return Array(text)
        }
    }

    /// As it is.
    var plain: BodyPiece { BodyPiece(length: size) { [self] place in try Array(content(place)) } }

    private func content(_ place: Range<Int>) throws -> Data {
        let bytes = try file.read(place)
        guard bytes.count == place.count else {
            // The length of the body is told already: what is missing cannot be made up for.
            throw Failure(.temporary, "\(file.path) became shorter while it was sent")
        }
        return bytes
    }
}
