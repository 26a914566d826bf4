// Pictures → PNG files (RFC 2083), and the little of a PNG that is read here: its size and its texts.
//
// The pixels are stored, not compressed: quick, and as large as a real picture's noise would make the file.

enum PNG {
    static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
    private static let blockSize = 65_535

    /// A file with `text` as its `parameters`, where A1111 and everybody who reads its pictures look for them.
    static func encode(_ canvas: Canvas, text: String) -> [UInt8] {
        var file: [UInt8] = []
        file.reserveCapacity(canvas.rows.count + canvas.rows.count / 1000 + text.utf8.count + 1000)
        file += signature
        append("IHDR", to: &file) {
            $0 += bigEndian(canvas.width) + bigEndian(canvas.height)
            $0 += [8, 2, 0, 0, 0]
        }
        let chunk = textChunk(text)
        append(chunk.name, to: &file) { $0 += chunk.content }
        append("IDAT", to: &file) {
            $0 += [0x78, 0x01]
            appendStored(canvas.rows, to: &$0)
            $0 += bigEndian(Int(adler32(canvas.rows)))
        }
        append("IEND", to: &file) { _ in }
        return file
    }

    /// Like PIL: tEXt where Latin-1 can say it, else iTXt.
    private static func textChunk(_ text: String) -> (name: String, content: [UInt8]) {
        let keyword = Array("parameters".utf8) + [0]
        let latin1 = text.unicodeScalars.compactMap { UInt8(exactly: $0.value) }
        guard latin1.count == text.unicodeScalars.count else {
            // No compression, no language, no translated keyword.
            return ("iTXt", keyword + [0, 0, 0, 0] + Array(text.utf8))
        }
        return ("tEXt", keyword + latin1)
    }

    private static func append(_ name: String, to file: inout [UInt8], _ content: (inout [UInt8]) -> Void) {
        let start = file.count
        file += [0, 0, 0, 0] + Array(name.utf8)
        content(&file)
        file.replaceSubrange(start..<start + 4, with: bigEndian(file.count - start - 8))
        file += bigEndian(Int(crc32(file[(start + 4)...])))
    }

    /// Deflate without compressing (RFC 1951 section 3.2.4).
    static func appendStored(_ bytes: [UInt8], to file: inout [UInt8]) {
        var start = 0
        repeat {
            let end = min(start + blockSize, bytes.count)
            let size = UInt16(end - start)
            file += [end == bytes.count ? 1 : 0]
            for number in [size, ~size] { file += [UInt8(truncatingIfNeeded: number), UInt8(number >> 8)] }
            file += bytes[start..<end]
            start = end
        } while start < bytes.count
    }

    static func bigEndian(_ number: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    static func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var crc: UInt32 = 0xffff_ffff
        let table = crcTable
        // A checked slice is ten times slower where nothing is optimised; the pointers live for the loop.
        table.withUnsafeBufferPointer { table in
            bytes.withUnsafeBufferPointer { bytes in
                for byte in bytes { crc = table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ (crc >> 8) }
            }
        }
        return ~crc
    }

    private static let crcTable: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? 0xedb8_8320 ^ (crc >> 1) : crc >> 1 }
    }

    private static func adler32(_ bytes: [UInt8]) -> UInt32 {
        var low: UInt32 = 1
        var high: UInt32 = 0
        // For the same reason as above. 5552 is the most bytes after which 32 bits cannot have overflowed.
        bytes.withUnsafeBufferPointer { bytes in
            for start in stride(from: 0, to: bytes.count, by: 5552) {
                for index in start..<min(start + 5552, bytes.count) {
                    low &+= UInt32(bytes[index])
                    high &+= low
                }
                low %= 65_521
                high %= 65_521
            }
        }
        return high << 16 | low
    }

    /// The size that a file's own header tells, or `nil` where it is no PNG.
    static func size(of file: [UInt8]) -> (width: Int, height: Int)? {
        guard file.count >= 33, file.starts(with: signature) else { return nil }
        func number(_ range: Range<Int>) -> Int { file[range].reduce(0) { $0 << 8 | Int($1) } }
        return (number(16..<20), number(20..<24))
    }

    /// The text that a file calls `parameters`, or `nil` where there is none.
    static func text(of file: [UInt8]) -> String? {
        var rest = file.dropFirst(signature.count)
        while rest.count >= 12 {
            let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            let name = String(decoding: rest.dropFirst(4).prefix(4), as: UTF8.self)
            let content = rest.dropFirst(8).prefix(length)
            let keyword = Array("parameters".utf8) + [0]
            if content.starts(with: keyword) {
                let text = content.dropFirst(keyword.count)
                if name == "tEXt" { return String(String.UnicodeScalarView(text.map { Unicode.Scalar($0) })) }
                if name == "iTXt" { return String(decoding: text.dropFirst(4), as: UTF8.self) }
            }
            rest = rest.dropFirst(12 + length)
        }
        return nil
    }
}
