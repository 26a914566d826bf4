// Pictures on their way into files: what is decoded is written at once, so memory does not know how large a reply is.

import Foundation
import Linux

/// A picture, or what came in the place of one, in a file that is complete.
struct StagedPicture: Sendable {
    /// The file's name until the whole reply has said what the picture is.
    let draft: FileName
    /// In bytes.
    let size: Int
    /// `nil` where the element of the reply was no picture; the file holds its text then.
    let head: PictureHead?
    /// What is wrong with it.
    let flaw: PictureFlaw?
    /// Where its content is not on the disk yet.
    let unsynced: UnsyncedFile?
}

/// Writes the pictures of one reply into a folder.
struct PictureStaging: ~Copyable {
    private let folder: Directory
    /// Those that are complete, in order.
    private(set) var pictures: [StagedPicture] = []

    private var file: File?
    private var decoder: Base64Stream?
    private var head = Data()
    private var check = PictureCheck()
    private var size = 0
    /// The first characters, until there are enough to tell a picture from a text.
    private var opening: [UInt8] = []
    private var isText = false

    /// The text chunk of a PNG stands in its first bytes; infotexts are a few kilobytes.
    private static let headCap = 64 << 10
    /// Of a reply, in pictures: A1111 refuses more than a hundred, in batches of eight.
    static let cap = 1000
    /// A larger picture, in bytes, or one behind so many, is brought to the disk while the rest of the reply comes. Small ones
    /// are left to whoever publishes them, to share the wait.
    private static let unsyncedLimit = (size: 1 << 20, count: 16)
    /// Of a picture, in bytes.
    static let pictureCap = 512 << 20
    /// Of a text in the place of a picture, in bytes.
    static let textCap = 1 << 20
    private static let openingLength = 64

    init(folder: Directory) {
        self.folder = folder
    }

    /// A picture begins.
    mutating func begin() throws {
        guard pictures.count < Self.cap else { throw ReplyError.tooManyPictures }
        file = try folder.createFile(draft)
        decoder = nil
        head = Data()
        check = PictureCheck()
        size = 0
        opening = []
        isText = false
    }

    /// More of its characters, as they stand in the JSON string.
    mutating func write(_ characters: Span<UInt8>) throws {
        if decoder != nil { return try writeDecoded(characters) }
        if isText { return try put(characters.withUnsafeBufferPointer { Data($0) }) }
        let missing = min(Self.openingLength - opening.count, characters.count)
        for index in 0..<missing { opening.append(characters[index]) }
        guard opening.count == Self.openingLength else { return }
        try decide()
        if missing < characters.count { try write(characters.extracting(missing...)) }
    }

    /// More of its bytes, as they are.
    mutating func write(bytes: Data) throws { try put(bytes) }

    /// The picture is complete. A large one's content is on the disk when the call returns; its name is not yet.
    mutating func end() throws {
        if decoder == nil { try decide() }
        if var decoder = decoder.take() { try put(decoder.finish()) }
        guard let file = file.take() else { return }
        let draft = draft
        var unsynced: UnsyncedFile?
        if size <= Self.unsyncedLimit.size, pictures.count < Self.unsyncedLimit.count {
            unsynced = UnsyncedFile(file)
        } else {
            try file.sync()
            try file.close()
        }
        pictures.append(
            StagedPicture(
                draft: draft, size: size, head: PictureHead(head), flaw: check.finish(), unsynced: unsynced))
    }

    private var draft: FileName { numbered(".picture-", pictures.count + 1) }

    /// Whether what has begun is a picture: by its first bytes, behind `data:image/…;base64,` if that is there.
    private mutating func decide() throws {
        guard opening.count > 0 else { return }
        let text = opening
        opening = []
        // So many and no more, in however large pieces they came.
        let first = text.prefix(Self.openingLength)
        let head = Self.headOfDataURL(first)
        let sample = Data(base64Encoded: Data(first.dropFirst(head).prefix((first.count - head) & ~3).prefix(32)))
        if sample.flatMap({ PictureFormat($0) }) != nil {
            decoder = Base64Stream()
            try writeDecoded(Array(text.dropFirst(head)).span)
        } else {
            // An extension's own text: kept as it came, in however many pieces.
            isText = true
            try put(Data(text))
        }
    }

    private mutating func writeDecoded(_ characters: Span<UInt8>) throws {
        guard var decoder = decoder.take() else { return }
        let bytes = try decoder.decode(characters)
        self.decoder = decoder
        if let bytes { try put(bytes) }
    }

    private mutating func put(_ bytes: Data) throws {
        if head.count < Self.headCap { head.append(bytes.prefix(Self.headCap - head.count)) }
        check.take(bytes)
        size += bytes.count
        guard size <= Self.pictureCap else { throw ReplyError.pictureTooLarge }
        guard size <= Self.textCap || !isText else { throw ReplyError.elementTooLong }
        try file?.write(bytes)
    }

    /// How long it is; 0 where there is none.
    private static func headOfDataURL(_ text: ArraySlice<UInt8>) -> Int {
        guard text.starts(with: "data:".utf8), let comma = text.firstIndex(of: UInt8(ascii: ",")) else { return 0 }
        return comma + 1
    }
}

/// A file name that ends in a number.
func numbered(_ prefix: StaticString, _ number: Int) -> FileName {
    guard let name = FileName(bytes: Array("\(prefix)\(number)".utf8)) else { preconditionFailure("it is a name") }
    return name
}
