// Pictures → PNG files (RFC 2083), and the little of a PNG that is read here: its size and its texts.
//
// The pixels are stored, not compressed: quick, of a size that can be told beforehand, and as large as a real picture's
// noise would make the file.

/// Rows of 8-bit RGB, each behind the byte that names its filter (0: none), just as they lie in the file.
struct Canvas: Sendable {
    let width: Int
    let height: Int
    private(set) var rows: [UInt8]
    private var stride: Int { 1 + 3 * width }

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
        rows = [UInt8](repeating: 0, count: (1 + 3 * width) * height)
    }

    /// Paints a piece of a row; what lies outside of the canvas is left out.
    mutating func paint(row: Int, from: Int, to: Int, _ color: Color) {
        guard (0..<height).contains(row), from < to else { return }
        var index = row * stride + 1 + 3 * max(0, from)
        for _ in 0..<max(0, min(to, width) - max(0, from)) {
            rows[index] = color.red
            rows[index + 1] = color.green
            rows[index + 2] = color.blue
            index += 3
        }
    }

    /// Paints a rectangle, its first row pixel by pixel and the others as copies of it.
    mutating func paint(x: Range<Int>, y: Range<Int>, _ color: Color) {
        let x = x.clamped(to: 0..<width)
        let y = y.clamped(to: 0..<height)
        guard let first = y.first, !x.isEmpty else { return }
        paint(row: first, from: x.lowerBound, to: x.upperBound, color)
        let painted = Array(rows[place(x, first)])
        for row in y.dropFirst() { rows.replaceSubrange(place(x, row), with: painted) }
    }

    /// Puts a whole picture at a place where it fits.
    mutating func put(_ other: Canvas, x: Int, y: Int) {
        for row in 0..<other.height {
            let source = other.rows[other.place(0..<other.width, row)]
            rows.replaceSubrange(place(x..<x + other.width, y + row), with: source)
        }
    }

    private func place(_ x: Range<Int>, _ row: Int) -> Range<Int> {
        let start = row * stride + 1
        return start + 3 * x.lowerBound..<start + 3 * x.upperBound
    }
}

/// 8 bits a channel.
struct Color: Equatable, Sendable {
    var red: UInt8
    var green: UInt8
    var blue: UInt8
}

enum PNG {
    static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
    private static let blockSize = 65_535

    /// The length of the file that `encode` makes, without making it.
    static func length(width: Int, height: Int, text: String) -> Int {
        let raw = (1 + 3 * width) * height
        return signature.count + 4 * 12 + 13 + textChunk(text).content.count + storedLength(raw) + 6
    }

    private static func storedLength(_ raw: Int) -> Int {
        raw + 5 * max(1, (raw + blockSize - 1) / blockSize)
    }

    /// A file with `text` as its `parameters`, where A1111 and everybody who reads its pictures look for them.
    static func encode(_ canvas: Canvas, text: String) -> [UInt8] {
        var file: [UInt8] = []
        file.reserveCapacity(length(width: canvas.width, height: canvas.height, text: text))
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
