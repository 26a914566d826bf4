// What the first bytes of a picture tell: its format, its true size, and the text that rides in it.

import Foundation

/// The formats that A1111 and its relatives send.
package enum PictureFormat: String, Sendable {
    case png, jpeg, webp

    /// Of the file's name.
    package var suffix: String { self == .jpeg ? "jpg" : rawValue }

    /// Told by the first bytes; `nil` for what is no picture of these formats.
    init?(_ bytes: Data) {
        if bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) {
            self = .png
        } else if bytes.starts(with: [0xff, 0xd8, 0xff]) {
            self = .jpeg
        } else if bytes.starts(with: Array("RIFF".utf8)), bytes.dropFirst(8).starts(with: Array("WEBP".utf8)) {
            self = .webp
        } else {
            return nil
        }
    }
}

/// The beginning of a picture file.
struct PictureHead {
    let format: PictureFormat
    /// In pixels. The server's own `info` repeats what was asked, so only the picture knows.
    let size: (width: Int, height: Int)?
    /// The generation parameters of a PNG's text chunk `parameters`; a mask or a ControlNet map has none.
    let infotext: String?

    init?(_ bytes: Data) {
        guard let format = PictureFormat(bytes) else { return nil }
        let bytes = Array(bytes)
        self.format = format
        switch format {
        case .png:
            size = bytes.count >= 24 ? (bytes.bigEndian(at: 16, count: 4), bytes.bigEndian(at: 20, count: 4)) : nil
            infotext = Self.pngText(in: bytes)
        case .jpeg:
            size = Self.jpegSize(in: bytes)
            infotext = nil
        case .webp:
            size = Self.webpSize(in: bytes)
            infotext = nil
        }
    }

    /// PNG (third edition) section 11.3.3: tEXt is Latin-1, iTXt UTF-8. Both stand before the pixels when Pillow
    /// writes them.
    private static func pngText(in bytes: [UInt8]) -> String? {
        var start = 8
        while start + 12 <= bytes.count {
            let length = bytes.bigEndian(at: start, count: 4)
            let type = String(decoding: bytes[start + 4..<start + 8], as: UTF8.self)
            guard type != "IDAT", start + 12 + length <= bytes.count else { return nil }
            let content = bytes[start + 8..<start + 8 + length]
            let fields = content.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
            if fields.count == 2, fields[0].elementsEqual("parameters".utf8) {
                if type == "tEXt" { return String(bytes: fields[1], encoding: .isoLatin1) }
                // Compression flag and method, language and translated keyword, each of these ended by NUL.
                if type == "iTXt", fields[1].first == 0 {
                    let parts = fields[1].dropFirst(2).split(
                        separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
                    return parts.count == 3 ? String(validating: parts[2], as: UTF8.self) : nil
                }
            }
            start += 12 + length
        }
        return nil
    }

    /// ITU-T T.81 section B.2.2: the frame header SOFn holds the size.
    private static func jpegSize(in bytes: [UInt8]) -> (width: Int, height: Int)? {
        var start = 2
        while start + 9 <= bytes.count, bytes[start] == 0xff {
            let marker = bytes[start + 1]
            if (0xc0...0xcf).contains(marker), ![0xc4, 0xc8, 0xcc].contains(marker) {
                return (bytes.bigEndian(at: start + 7, count: 2), bytes.bigEndian(at: start + 5, count: 2))
            }
            start += 2 + bytes.bigEndian(at: start + 2, count: 2)
        }
        return nil
    }

    /// RFC 9649 sections 2.5 to 2.7: the three sorts of first chunk.
    private static func webpSize(in bytes: [UInt8]) -> (width: Int, height: Int)? {
        guard bytes.count >= 30 else { return nil }
        switch String(decoding: bytes[12..<16], as: UTF8.self) {
        case "VP8X": return (1 + bytes.littleEndian(at: 24, count: 3), 1 + bytes.littleEndian(at: 27, count: 3))
        case "VP8 ":
            return (bytes.littleEndian(at: 26, count: 2) & 0x3fff, bytes.littleEndian(at: 28, count: 2) & 0x3fff)
        case "VP8L":
            let bits = bytes.littleEndian(at: 21, count: 4)
            return (1 + bits & 0x3fff, 1 + bits >> 14 & 0x3fff)
        default: return nil
        }
    }
}

extension [UInt8] {
    fileprivate func bigEndian(at start: Int, count: Int) -> Int {
        self[start..<start + count].reduce(0) { $0 << 8 | Int($1) }
    }

    fileprivate func littleEndian(at start: Int, count: Int) -> Int {
        self[start..<start + count].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
