// Is a picture whole? Looked at while it is written, without unpacking it: a PNG chunk by chunk with its checksums, a JPEG
// and a WebP by their ends.

import Foundation

/// What is wrong with a picture.
enum PictureFlaw: Error, Hashable, CustomStringConvertible {
    /// It ends before its own end.
    case cut(PictureFormat)
    /// The checksum of a chunk is not that of its content.
    case checksum(chunk: String)
    /// It is not built as its format asks.
    case malformed(String)
    /// Larger than any picture that a server could have rendered.
    case size(width: Int, height: Int)

    var description: String {
        switch self {
        case .cut(let format): "cut off: the end of the \(format.rawValue.uppercased()) is missing"
        case .checksum(let chunk): "damaged: the checksum of its \(chunk) chunk is wrong"
        case .malformed(let what): "malformed: \(what)"
        case .size(let width, let height): "no picture that could be: it says that it has \(width) × \(height) pixels"
        }
    }
}

/// Follows the bytes of one picture.
struct PictureCheck {
    private var format: PictureFormat?
    /// The first bytes, by which the format is known.
    private var opening = Data()
    /// The last two.
    private var ending = Data()
    private var count = 0
    private var png = PNGCheck()
    private var flaw: PictureFlaw?

    private static let openingLength = 12

    mutating func take(_ bytes: Data) {
        count += bytes.count
        ending = Data((ending + bytes.suffix(2)).suffix(2))
        let missing = bytes.prefix(Self.openingLength - opening.count)
        opening.append(missing)
        if format != nil {
            follow(bytes)
        } else if opening.count == Self.openingLength {
            format = PictureFormat(opening)
            follow(opening.dropFirst(PNGCheck.signatureLength))
            follow(bytes.dropFirst(missing.count))
        }
    }

    private mutating func follow(_ bytes: Data) {
        guard format == .png, flaw == nil else { return }
        do throws(PictureFlaw) { try png.take(bytes) } catch { flaw = error }
    }

    /// What is wrong with all of it; `nil` for a sound picture, and for what is none.
    func finish() -> PictureFlaw? {
        switch format {
        case nil: return PictureFormat(opening).map { .cut($0) }
        case .png: return flaw ?? (png.isComplete ? nil : .cut(.png))
        // ITU-T T.81 section B.1.1.3: EOI.
        case .jpeg: return ending.elementsEqual([0xff, 0xd9]) ? nil : .cut(.jpeg)
        // RFC 9649 section 2.4: the size of all that comes behind the first eight bytes.
        case .webp:
            let size = opening.dropFirst(4).prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            return count >= size + 8 ? nil : .cut(.webp)
        }
    }
}

/// PNG, third edition, section 5: chunks of length, type, content and checksum, from IHDR to IEND.
private struct PNGCheck {
    static let signatureLength = 8

    private enum State {
        /// Length and type are due.
        case head
        /// So many bytes of the content are due.
        case content(Int)
        case checksum
        case end
    }
    private var state = State.head
    private var pending = Data()
    private var type = ""
    private var header = Data()
    private var checksum = Checksum()
    /// A side, in pixels; and all of it: the largest that A1111 upscales to is far below.
    private static let longest = 65_535
    private static let largest = 500_000_000

    var isComplete: Bool { if case .end = state { true } else { false } }

    mutating func take(_ bytes: Data) throws(PictureFlaw) {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch state {
            case .head:
                guard let head = gather(8, &rest) else { return }
                try begin(head)
            case .content(let left):
                let piece = rest.prefix(left)
                checksum.take(piece)
                if type == "IHDR" { header.append(piece) }
                rest = rest.dropFirst(piece.count)
                state = left == piece.count ? .checksum : .content(left - piece.count)
            case .checksum:
                guard let sum = gather(4, &rest) else { return }
                guard sum.bigEndian == checksum.value else { throw .checksum(chunk: type) }
                if type == "IHDR" { try checkHeader() }
                state = type == "IEND" ? .end : .head
            // What stands behind the end is nobody's.
            case .end: return
            }
        }
    }

    private mutating func begin(_ head: Data) throws(PictureFlaw) {
        let length = Int(head.prefix(4).bigEndian)
        let name = head.suffix(4)
        guard length < 1 << 31, name.allSatisfy({ $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a }) else {
            throw .malformed("what should be a chunk of PNG is none")
        }
        let isFirst = type.isEmpty
        type = String(decoding: name, as: UTF8.self)
        guard isFirst == (type == "IHDR"), !isFirst || length == 13 else {
            throw .malformed("it does not begin with its size")
        }
        checksum = Checksum()
        checksum.take(name)
        state = length == 0 ? .checksum : .content(length)
    }

    private func checkHeader() throws(PictureFlaw) {
        let (width, height) = (Int(header.prefix(4).bigEndian), Int(header.dropFirst(4).prefix(4).bigEndian))
        let sides = 1...Self.longest
        guard sides.contains(width), sides.contains(height), width * height <= Self.largest else {
            throw .size(width: width, height: height)
        }
    }

    /// The next `count` bytes, from however many pieces; `nil` until they are there.
    private mutating func gather(_ count: Int, _ rest: inout Data.SubSequence) -> Data? {
        let piece = rest.prefix(count - pending.count)
        pending.append(piece)
        rest = rest.dropFirst(piece.count)
        guard pending.count == count else { return nil }
        defer { pending = Data() }
        return pending
    }
}

extension Data {
    fileprivate var bigEndian: UInt32 { reduce(0) { $0 << 8 | UInt32($1) } }
}
