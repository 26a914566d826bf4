// An answer that is put together of texts and of pictures in files, each of a length that is known before a byte of it is
// sent: the client is told the length of the whole, and memory holds a piece of one picture at a time, however many there
// are.

import Foundation
import Glibc
import HTTP
import JSONText
import Linux
import Spool

/// JSON in pieces.
package struct ComposedBody: Sendable {
    private enum Piece: Sendable {
        case text(Data)
        /// Opened when its turn comes: a client that is slow has one descriptor, and not a thousand.
        case picture(FileName, in: Directory, size: Int)

        var length: Int {
            switch self {
            case .text(let text): text.count
            case .picture(_, _, let size): FileBody.base64Length(size)
            }
        }
    }
    private var pieces: [Piece] = []

    package init() {}

    package mutating func add(_ text: String) { add(Data(text.utf8)) }

    package mutating func add(_ text: Data) { pieces.append(.text(text)) }

    /// As a string: base64, behind `prefix`; what is no picture is an extension's text, as it is. Throws ``SystemError``
    /// where its file is gone.
    package mutating func add(_ picture: PictureLink, in folder: Directory, prefix: String = "") throws(SystemError) {
        let source = try FileBody(folder.file(picture.file))
        // Files with holes are as large as anybody likes.
        guard source.size <= Assets.assetCap else {
            throw SystemError(call: "read", code: EFBIG, path: folder.path(of: picture.file))
        }
        guard picture.isPicture else { return add(JSONString.encoded(try source.text())) }
        add("\"\(prefix)")
        pieces.append(.picture(picture.file, in: folder, size: source.size))
        add("\"")
    }

    /// The answer, which reads the pictures when it is sent. One that has become shorter by then cuts it.
    package func response(_ headers: Headers) -> Response {
        Response(
            status: 200, headers: headers,
            body: .stream(.length(pieces.reduce(0) { $0 + $1.length })) { writer in
                for piece in pieces {
                    switch piece {
                    case .text(let text): try await writer.write(text)
                    case .picture(let file, let folder, let size):
                        let source = try await HTTPGateway.reads.run { try FileBody(folder.file(file)) }
                        try await source.writeBase64(to: writer, size: size)
                    }
                }
            })
    }
}
