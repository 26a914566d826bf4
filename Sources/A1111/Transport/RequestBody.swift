// The body of a request: the job file as it was written, but for what must change.

import Foundation
import HTTP
import JSONText
import Linux

/// A body in pieces: slices of the job's text, and files of pictures, which are read when they are sent.
package struct RequestBody: Sendable {
    /// By this key's value the server tells one render from another; a job may have its own.
    package static let taskKey = "force_task_id"

    /// In order; each is held or read once.
    let pieces: [BodyPiece]

    init(pieces: [BodyPiece]) { self.pieces = pieces }

    /// In bytes.
    var length: Int { pieces.reduce(0) { $0 + $1.length } }

    /// A text as it is.
    package init(_ text: Data) { pieces = [BodyPiece(text)] }

    /// The text that is sent: without the key that speaks to the queue, with what was drawn, with the name that the
    /// render is given at the server, with pictures in the places of their names, and else to the byte.
    package init(
        of object: ObjectText, without key: String, drawn: [String: Int64], task: String? = nil,
        pictures: [Range<Int>: PictureFile] = [:]
    ) {
        var values = drawn.sorted { $0.key < $1.key }.map { ($0.key, Data(String($0.value).utf8)) }
        if let task { values.append((Self.taskKey, JSONString.encoded(task))) }
        pieces = object.pieces(removing: [key], setting: values, gaps: Array(pictures.keys)).map { piece in
            switch piece {
            case .text(let text): BodyPiece(text)
            case .gap(let place): pictures[place]?.piece ?? BodyPiece(Data("null".utf8))
            }
        }
    }

    /// All of it in memory, for those who cannot send pieces.
    var whole: Data {
        get throws {
            var whole = Data(capacity: length)
            for piece in pieces {
                for start in stride(from: 0, to: piece.length, by: 1 << 20) {
                    whole += try piece.read(start..<min(start + 1 << 20, piece.length))
                }
            }
            return whole
        }
    }
}

extension BodyPiece {
    /// Bytes that are there.
    init(_ bytes: Data) {
        self.init(length: bytes.count) { place in
            Array(bytes[bytes.startIndex + place.lowerBound..<bytes.startIndex + place.upperBound])
        }
    }
}
