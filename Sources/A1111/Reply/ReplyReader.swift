// A reply as it comes: pictures go into files, the rest is kept as the text that it is.

import A1111API
import Foundation
import JSONText
import Linux

/// Reads a JSON reply piece by piece.
///
/// What a service calls its pictures (`images`, `image`) becomes files, element by element. In any reply a string that
/// begins like a picture in base64 becomes a file, too. Of what is left no base64 is stored: the inputs that a server
/// echoes in `parameters` are replaced by their length.
struct ReplyReader: ~Copyable {
    /// More text than that beside the pictures is no reply of a service, in bytes: what A1111 says of a picture is some
    /// kilobytes.
    static let textCap = 8 << 20
    /// Of any other answer: the list of all LoRAs with what their files say of themselves is long.
    static let longTextCap = 32 << 20

    private var tokenizer = JSONTokenizer()
    private var visitor: PictureSplitter
    private var isPicture = false

    /// - Parameter job: the job's name: in the text a picture's file name stands where the picture stood.
    init(stage: consuming PictureStaging, service: Endpoint.Service?, job: String) {
        visitor = PictureSplitter(
            stage: stage, pictureKeys: service == nil ? [] : ["images", "image"], job: job,
            textCap: service == nil ? Self.longTextCap : Self.textCap)
    }

    /// Takes the next bytes of the body. Throws ``JSONSyntaxError``, ``ReplyError``, ``SystemError`` of the files, and
    /// `Base64Stream.Malformed`.
    mutating func read(_ piece: Data) throws {
        try visitor.read(piece, with: &tokenizer)
    }

    /// Takes the next bytes of a body that is no JSON but one picture.
    mutating func read(picture piece: Data) throws {
        if !isPicture { try visitor.stage.begin() }
        isPicture = true
        try visitor.stage.write(bytes: piece)
    }

    /// The body has ended. Gives the pictures in order and the text without them.
    consuming func finish() throws -> (pictures: [StagedPicture], text: Data) {
        if isPicture {
            try visitor.stage.end()
            visitor.namePicture()
        } else {
            try tokenizer.finish(to: &visitor)
        }
        return (visitor.stage.pictures, visitor.text)
    }
}

/// A reply that is JSON and yet none that can be used.
enum ReplyError: Error, Hashable {
    case textTooLong(cap: Int)
    case tooManyPictures, pictureTooLarge, elementTooLong

    /// In plain words.
    var message: String {
        switch self {
        case .textTooLong(let cap): "the answer has more than \(cap) bytes beside its pictures"
        case .tooManyPictures: "the answer has more than \(PictureStaging.cap) pictures"
        case .pictureTooLarge: "a picture of the answer has more than \(PictureStaging.pictureCap) bytes"
        case .elementTooLong:
            "an element of the answer's pictures is none, and has more than \(PictureStaging.textCap) bytes"
        }
    }
}

private struct PictureSplitter: ~Copyable, JSONVisitor {
    var stage: PictureStaging
    private(set) var text = Data()

    private let pictureKeys: Set<String>
    private let job: String
    private let textCap: Int
    private var depth = 0
    /// The member of the outermost object that is being read.
    private var member = ""

    /// What is done with the string that is being read.
    private enum StringUse {
        /// Its text is kept as it came, and looked at while it comes.
        case kept
        /// It is a picture and goes to the stage.
        case picture
        /// It is base64, too long to be anything else: only counted.
        case counted
    }
    private var use = StringUse.kept
    private var length = 0
    private var looksLikeBase64 = true
    /// Commas and their like: a data URL has a few at its head, a prompt of tags has more.
    private var marks = 0
    /// The first characters of a string that is kept.
    private var opening: [UInt8] = []
    /// `data:image/png;charset=utf-8;base64,` has four.
    private static let marksOfDataURL = 4
    /// So many characters of base64 are nothing else, whatever comes behind them.
    private static let surely = 64 << 10
    /// Where in `text` the string began.
    private var mark = 0

    /// The piece that is being read, where it begins in the body, and up to where it is dealt with.
    private var piece = Data()
    private var base = 0
    private var copied = 0

    init(stage: consuming PictureStaging, pictureKeys: Set<String>, job: String, textCap: Int) {
        self.stage = stage
        self.job = job
        self.textCap = textCap
        self.pictureKeys = pictureKeys
    }

    mutating func read(_ bytes: Data, with tokenizer: inout JSONTokenizer) throws {
        piece = bytes
        base = tokenizer.offset
        copied = base
        try tokenizer.feed(bytes.span, to: &self)
        if use == .kept { try copy(upTo: base + bytes.count) }
    }

    private mutating func copy(upTo end: Int) throws {
        if end > copied {
            text.append(piece[piece.startIndex + copied - base..<piece.startIndex + end - base])
            copied = end
        }
        guard text.count <= textCap else { throw ReplyError.textTooLong(cap: textCap) }
    }

    // MARK: JSONVisitor

    mutating func began(object: Bool, at offset: Int) { depth += 1 }
    mutating func ended(object: Bool, at end: Int) { depth -= 1 }
    mutating func scalar(at place: Range<Int>) {}

    mutating func key(_ key: [UInt8], at place: Range<Int>) {
        if depth == 1 { member = String(decoding: key, as: UTF8.self) }
    }

    mutating func stringBegan(at offset: Int) throws {
        try copy(upTo: offset)
        mark = text.count
        length = 0
        looksLikeBase64 = true
        marks = 0
        opening = []
        use = .kept
        if depth <= 2, pictureKeys.contains(member) {
            use = .picture
            try stage.begin()
        }
    }

    mutating func string(_ characters: Span<UInt8>) throws {
        let undecided = max(0, Self.surely - length)
        length += characters.count
        switch use {
        case .picture: try stage.write(characters)
        case .counted: break
        case .kept:
            // By its first characters, in however large pieces they came.
            looksLikeBase64 = looksLikeBase64 && areBase64(characters.extracting(first: undecided))
            if opening.count < 64 {
                for index in characters.indices.prefix(64) { opening.append(characters[index]) }
                if member != "parameters", opening.count >= 32, Self.beginsLikePicture(opening) {
                    use = .picture
                    text.removeSubrange(text.startIndex + mark..<text.endIndex)
                    try stage.begin()
                    // A copy: the stage and the opening are parts of the same value.
                    let opening = self.opening
                    try stage.write(opening.span)
                    if characters.count > 64 { try stage.write(characters.extracting(64...)) }
                    return
                }
            }
            if looksLikeBase64, length > Self.surely {
                use = .counted
                text.removeSubrange(text.startIndex + mark..<text.endIndex)
            }
        }
    }

    mutating func stringEnded(at end: Int) throws {
        switch use {
        case .picture:
            try stage.end()
            namePicture()
        case .counted: text.append(JSONString.encoded("\(length) characters of base64"))
        case .kept:
            guard looksLikeBase64, length >= 256 else { return use = .kept }
            text.removeSubrange(text.startIndex + mark..<text.endIndex)
            text.append(JSONString.encoded("\(length) characters of base64"))
        }
        copied = end
        use = .kept
    }

    /// Where the last picture stood its file's name stands.
    mutating func namePicture() {
        let suffix = stage.pictures.last?.head?.format.suffix ?? "txt"
        text.append(JSONString.encoded("\(job)-\(stage.pictures.count).\(suffix)"))
    }

    /// Also of the URL alphabet, and the head of a data URL.
    private mutating func areBase64(_ characters: Span<UInt8>) -> Bool {
        for index in characters.indices {
            switch characters[index] {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="),
                UInt8(ascii: "-"), UInt8(ascii: "_"):
                continue
            case UInt8(ascii: ":"), UInt8(ascii: ";"), UInt8(ascii: ","):
                marks += 1
                if marks > Self.marksOfDataURL { return false }
            default: return false
            }
        }
        return true
    }

    private static func beginsLikePicture(_ opening: [UInt8]) -> Bool {
        let text = String(decoding: opening, as: UTF8.self)
        return text.hasPrefix("iVBORw0KGgo") || text.hasPrefix("/9j/") || text.hasPrefix("UklGR")
            || text.hasPrefix("data:image/")
    }
}
