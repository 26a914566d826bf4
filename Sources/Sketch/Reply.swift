// What an endpoint answers: bytes, and pictures that are drawn only when their turn to be sent has come.
//
// A picture's length is known before it is drawn, so an answer of any number of pictures has a Content-Length and never
// more than one of them in memory.

import Foundation
import HTTP

struct Reply: Sendable {
    var status = 200
    var headers: Headers = ["Content-Type": "application/json"]
    var pieces: [Piece]

    init(_ json: JSON, status: Int = 200) {
        self.status = status
        pieces = [.bytes(json.written())]
    }

    init(pieces: [Piece]) {
        self.pieces = pieces
    }

    /// An error as A1111's own middleware words it.
    static func failure(_ status: Int, _ error: String, detail: String = "", _ errors: String = "") -> Reply {
        Reply(
            ["error": .string(error), "detail": .string(detail), "body": "", "errors": .string(errors)],
            status: status)
    }

    /// An error that A1111's web framework answers.
    static func refusal(_ status: Int, _ detail: String) -> Reply {
        Reply(["detail": .string(detail)], status: status)
    }

    static func invalid(_ errors: [FieldError]) -> Reply {
        Reply(["detail": .array(errors.map(\.json))], status: 422)
    }

    enum Piece: Sendable {
        case bytes([UInt8])
        /// A JSON string with a picture in base64.
        case picture(Picture)

        static func text(_ text: String) -> Piece { .bytes(Array(text.utf8)) }

        var length: Int {
            switch self {
            case .bytes(let bytes): bytes.count
            case .picture(let picture): 2 + (picture.length + 2) / 3 * 4
            }
        }

        func bytes() -> [UInt8] {
            switch self {
            case .bytes(let bytes): bytes
            case .picture(let picture):
                [UInt8(ascii: "\"")] + Data(picture.file()).base64EncodedData() + [UInt8(ascii: "\"")]
            }
        }
    }

    var length: Int { pieces.reduce(0) { $0 + $1.length } }

    var response: Response {
        let pieces = pieces
        return Response(
            status: status, headers: headers,
            body: .stream(.length(length)) { writer in
                for piece in pieces { try await writer.write(piece.bytes()) }
            })
    }

    /// Pictures between brackets.
    static func list(_ pictures: [Picture]) -> [Piece] {
        var pieces: [Piece] = [.text("[")]
        for (index, picture) in pictures.enumerated() {
            if index > 0 { pieces.append(.text(",")) }
            pieces.append(.picture(picture))
        }
        return pieces + [.text("]")]
    }
}

/// A picture's file, not made yet.
struct Picture: Sendable {
    enum Content: Sendable {
        case card(TestCard)
        /// Cards of one size, in rows of so many columns.
        case grid([TestCard], columns: Int)
        case file([UInt8])
    }
    enum Flaw: Sendable {
        case noImage, badSum, cut
    }
    let content: Content
    let text: String
    var flaw: Flaw?

    init(_ content: Content, text: String = "") {
        self.content = content
        self.text = text
    }

    /// The file's size in bytes.
    var length: Int {
        let whole =
            switch content {
            case .card(let card): PNG.length(width: card.width, height: card.height, text: text)
            case .grid(let cards, let columns): gridLength(cards, columns)
            case .file(let bytes): bytes.count
            }
        return switch flaw {
        case .noImage: Self.notAnImage.count
        case .cut: whole * 2 / 3
        case .badSum, nil: whole
        }
    }

    func file() -> [UInt8] {
        if flaw == .noImage { return Self.notAnImage }
        var bytes =
            switch content {
            case .card(let card): PNG.encode(card.draw(), text: text)
            case .grid(let cards, let columns): PNG.encode(grid(cards, columns), text: text)
            case .file(let bytes): bytes
            }
        if flaw == .cut { bytes.removeLast(bytes.count - bytes.count * 2 / 3) }
        // The sum of the pixels' chunk, which lies before the 12 bytes of IEND.
        if flaw == .badSum, bytes.count > 16 { bytes[bytes.count - 13] ^= 0xff }
        return bytes
    }

    /// The bytes of a picture in base64, perhaps as a data URL; `nil` for what no A1111 would take for a picture.
    static func decoded(_ text: String) -> [UInt8]? {
        let isURL = text.hasPrefix("data:image/")
        let base64 = isURL ? text.range(of: ";base64,").map { text[$0.upperBound...] } ?? "" : text[...]
        guard let file = Data(base64Encoded: String(base64), options: .ignoreUnknownCharacters) else {
            return nil
        }
        let signatures = [
            PNG.signature, [0xff, 0xd8, 0xff], Array("RIFF".utf8), Array("GIF8".utf8), Array("BM".utf8),
        ]
        return signatures.contains { file.starts(with: $0) } ? Array(file) : nil
    }

    static let invalid = Reply.failure(500, "HTTPException", detail: "Invalid encoded image")

    private static let notAnImage = Array("This is text, not an image.".utf8)

    private func size(_ cards: [TestCard], _ columns: Int) -> (width: Int, height: Int) {
        let rows = (cards.count + columns - 1) / columns
        return ((cards.first?.width ?? 0) * columns, (cards.first?.height ?? 0) * rows)
    }

    private func gridLength(_ cards: [TestCard], _ columns: Int) -> Int {
        let (width, height) = size(cards, columns)
        return PNG.length(width: width, height: height, text: text)
    }

    private func grid(_ cards: [TestCard], _ columns: Int) -> Canvas {
        let (width, height) = size(cards, columns)
        var canvas = Canvas(width: width, height: height)
        for (index, card) in cards.enumerated() {
            canvas.put(card.draw(), x: index % columns * card.width, y: index / columns * card.height)
        }
        return canvas
    }
}
