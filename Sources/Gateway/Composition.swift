// An answer that is put together of texts and of pictures in files, each of a length that is known before a byte of it is
// sent: the client is told the length of the whole, and memory holds a piece of one picture at a time, however many there
// are.

import Foundation
import HTTP
import JSONText
import Linux

/// JSON in pieces.
struct Composition: Sendable {
    private enum Piece: Sendable {
        case text(Data)
        case picture(Source)

        var length: Int {
            switch self {
            case .text(let text): text.count
            case .picture(let source): source.base64Length
            }
        }
    }
    private var pieces: [Piece] = []

    mutating func add(_ text: String) { add(Data(text.utf8)) }

    mutating func add(_ text: Data) { pieces.append(.text(text)) }

    /// As a string: base64, behind `prefix`; what is no picture is an extension's text, as it is. Throws ``SystemError``
    /// where its file is gone.
    mutating func add(_ picture: ShownPicture, in folder: Directory, prefix: String = "") throws(SystemError) {
        let source = try Source(folder.file(picture.file))
        guard picture.isPicture else { return add(JSONString.encoded(try source.text())) }
        add("\"\(prefix)")
        pieces.append(.picture(source))
        add("\"")
    }

    /// The answer, which reads the pictures when it is sent. One that has become shorter by then cuts it.
    func response(_ headers: Headers) -> Response {
        Response(
            status: 200, headers: headers,
            body: .stream(.length(pieces.reduce(0) { $0 + $1.length })) { writer in
                for piece in pieces {
                    switch piece {
                    case .text(let text): try await writer.write(text)
                    case .picture(let source): try await source.writeBase64(to: writer)
                    }
                }
            })
    }
}
