// Ready-made answers: PNGs as large as photographs, in the base64 and the JSON that A1111 puts around them.

import Foundation

/// Makes the body of an answer of A1111.
enum Answers {
    /// `count` pictures of `side` × `side`. Photographs in PNG have about 13 bits a pixel.
    static func body(side: Int, count: Int) -> [UInt8] {
        let picture = png(side: side).base64EncodedString()
        let pictures = (0..<count).map { _ in "\"\(picture)\"" }.joined(separator: ",")
        let seeds = (1...count).map(String.init).joined(separator: ",")
        let texts = (1...count).map { "\"a cat\\\\nSteps: 20, Seed: \($0)\"" }.map { $0.replacing("\"", with: "\\\"") }
        let info =
            #"{\"seed\": 1, \"all_seeds\": [\#(seeds)], \"infotexts\": [\#(texts.joined(separator: ","))], "#
            + #"\"index_of_first_image\": 0, \"width\": \#(side), \"height\": \#(side), "#
            + #"\"job_timestamp\": \"20261126120000\"}"#
        return Array(#"{"images":[\#(pictures)],"parameters":{"prompt":"a cat","steps":20},"info":"\#(info)"}"#.utf8)
    }

    /// What of it is pictures, in bytes.
    static func pictureBytes(side: Int, count: Int) -> Int { png(side: side).count * count }

    /// A PNG whose chunks are sound; its pixels are noise in stored blocks (RFC 1950, RFC 1951 section 3.2.4).
    private static func png(side: Int) -> Data {
        var noise = SystemRandomNumberGenerator()
        let size = side * side * 13 / 8
        var stream = Data([0x78, 0x01])
        var rest = size
        while rest > 0 {
            let count = min(rest, 0xFFFF)
            rest -= count
            stream.append(rest == 0 ? 1 : 0)
            for value in [UInt16(count), ~UInt16(count)] { withUnsafeBytes(of: value.littleEndian) { stream += $0 } }
            stream += (0..<(count + 7) / 8).flatMap { _ in withUnsafeBytes(of: noise.next()) { Array($0) } }.prefix(
                count)
        }
        var head = Data()
        for value in [UInt32(side), UInt32(side)] { withUnsafeBytes(of: value.bigEndian) { head += $0 } }
        head += [8, 2, 0, 0, 0]
        return Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) + chunk("IHDR", head) + chunk("IDAT", stream)
            + chunk("IEND", Data())
    }

    private static func chunk(_ kind: String, _ content: Data) -> Data {
        let body = Data(kind.utf8) + content
        var chunk = Data()
        withUnsafeBytes(of: UInt32(content.count).bigEndian) { chunk += $0 }
        chunk += body
        withUnsafeBytes(of: crc(body).bigEndian) { chunk += $0 }
        return chunk
    }

    /// ISO 3309, as PNG (section 5.5) wants it.
    private static func crc(_ bytes: Data) -> UInt32 {
        var crc = UInt32.max
        for byte in bytes { crc = table[Int((crc ^ UInt32(byte)) & 0xFF)] ^ crc >> 8 }
        return ~crc
    }

    private static let table: [UInt32] = (0..<256).map { number in
        (0..<8).reduce(UInt32(number)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
    }
}
