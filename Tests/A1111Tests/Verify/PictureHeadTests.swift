import Foundation
import TestSupport
import Testing

@testable import A1111

@Suite("The head of a picture", .timeLimit(.minutes(60)))
struct PictureHeadTests {
    static let recorded: [(String, index: Int, PictureFormat, width: Int, height: Int, hasText: Bool)] = [
        ("txt2img-1.json", 0, .png, 64, 64, true), ("txt2img-b2n2-save.json", 0, .png, 128, 128, true),
        ("txt2img-b2n2-save.json", 4, .png, 64, 64, true), ("ok-unicode.json", 0, .png, 64, 64, true),
        ("xyz-script.json", 0, .png, 64, 66, false), ("txt2img-jpg-norestore.json", 0, .jpeg, 64, 64, false),
    ]

    @Test("of a real server tells format, size and the text that rides in it", arguments: recorded)
    func real(name: String, index: Int, format: PictureFormat, width: Int, height: Int, hasText: Bool) throws {
        let fixture = try Fixture(name)
        let head = try #require(PictureHead(fixture.pictures[index]))
        #expect(head.format == format)
        #expect(head.size.map { [$0.width, $0.height] } == [width, height])
        #expect(try head.infotext == (hasText ? fixture.infotexts[index] : nil))
    }

    // MARK: By hand

    static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

    static func chunk(_ type: String, _ content: [UInt8], length: UInt32? = nil) -> [UInt8] {
        let length = length ?? UInt32(content.count)
        return (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) } + Array(type.utf8) + content
            + [0, 0, 0, 0]
    }

    static let header = signature + chunk("IHDR", [0, 0, 1, 2, 0, 0, 3, 4, 8, 2, 0, 0, 0])

    static let chunks: [([UInt8], String?)] = [
        ([], nil), (chunk("tEXt", Array("parameters\0caf\u{e9}".unicodeScalars.map { UInt8($0.value) })), "café"),
        (chunk("tEXt", Array("parameters\0".utf8)), ""), (chunk("tEXt", Array("parameters".utf8)), nil),
        (chunk("tEXt", Array("Parameters\0a".utf8)), nil), (chunk("tEXt", []), nil),
        (chunk("tEXt", Array("postprocessing\0a".utf8)), nil),
        (chunk("iTXt", Array("parameters\0\0\0\0\0猫\nSteps: 1".utf8)), "猫\nSteps: 1"),
        (chunk("iTXt", Array("parameters\0\0\0en\0Parameter\0a\0b".utf8)), "a\0b"),
        (chunk("iTXt", Array("parameters\0\u{1}\0\0\0packed".utf8)), nil),
        (chunk("iTXt", Array("parameters\0\0\0\0".utf8)), nil), (chunk("iTXt", Array("parameters\0\0".utf8)), nil),
        (chunk("iTXt", Array("parameters\0".utf8)), nil), (chunk("zTXt", Array("parameters\0\0x".utf8)), nil),
        (chunk("gAMA", [1, 2, 3, 4]) + chunk("tEXt", Array("parameters\0a".utf8)), "a"),
        (chunk("IDAT", [1]) + chunk("tEXt", Array("parameters\0a".utf8)), nil),
        (chunk("tEXt", Array("parameters\0a".utf8), length: 0xffff_ffff), nil),
        (chunk("tEXt", Array("parameters\0a".utf8), length: 0x7fff_ffff), nil),
        (chunk("tEXt", Array("parameters\0a".utf8), length: 13), nil),
    ]

    @Test("of a PNG has the text of its chunk", arguments: chunks)
    func png(chunk: [UInt8], text: String?) throws {
        let head = try #require(PictureHead(Data(Self.header + chunk)))
        #expect(head.infotext == text)
        #expect(head.size.map { [$0.width, $0.height] } == [258, 772])
    }

    static func riff(_ type: String, _ content: [UInt8]) -> Data {
        Data(Array("RIFF\u{10}\0\0\0WEBP".utf8) + Array(type.utf8) + [10, 0, 0, 0] + content + [0, 0, 0, 0, 0, 0])
    }

    static let webps: [(Data, width: Int, height: Int)] = [
        (riff("VP8X", [0x10, 0, 0, 0, 0xff, 0x02, 0x01, 0x3f, 0x00, 0x00]), 0x10300, 64),
        // Frame tag, start code, then 14 bits each with two bits of scale above.
        (riff("VP8 ", [0x30, 0x01, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x40, 0x00, 0x82]), 64, 512),
        // 0x2f, then 14 bits each, less one: 1000 × 768.
        (riff("VP8L", [0x2f, 0xe7, 0xc3, 0xbf, 0x00, 0, 0, 0, 0, 0]), 1000, 768),
    ]

    @Test("of a WebP has the size in each of the three kinds", arguments: webps)
    func webp(file: Data, width: Int, height: Int) throws {
        let head = try #require(PictureHead(file))
        #expect(head.format == .webp)
        #expect(head.size.map { [$0.width, $0.height] } == [width, height])
        #expect(PictureFormat.webp.suffix == "webp")
    }

    static let jpegs: [([UInt8], size: [Int]?)] = [
        ([0xff, 0xd8, 0xff, 0xc0, 0, 17, 8, 1, 2, 3, 4, 3], [772, 258]),
        ([0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xc2, 0, 17, 8, 0, 64, 0, 32, 3], [32, 64]),
        // Huffman tables are no frame header.
        ([0xff, 0xd8, 0xff, 0xc4, 0, 3, 1, 0xff, 0xc0, 0, 17, 8, 0, 64, 0, 32, 3], [32, 64]),
        // Lengths that are shorter than themselves, and longer than the file.
        ([0xff, 0xd8, 0xff, 0xe0, 0, 0, 0xff, 0xe0, 0, 0, 0xff, 0xe0, 0, 0], nil),
        ([0xff, 0xd8, 0xff, 0xe0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], nil),
        ([0xff, 0xd8, 0xff], nil), ([0xff, 0xd8, 0xff, 0xd9], nil),
    ]

    @Test("of a JPEG has the size of its frame", arguments: jpegs)
    func jpeg(file: [UInt8], size: [Int]?) throws {
        let head = try #require(PictureHead(Data(file)))
        #expect(head.format == .jpeg && PictureFormat.jpeg.suffix == "jpg")
        #expect(head.size.map { [$0.width, $0.height] } == size)
    }

    @Test(
        "is none of anything else",
        arguments: [
            "", "GIF89a", "This is text, not an image.", "RIFF\u{10}\0\0\0WAVEfmt ", "<svg/>", "\u{89}PNG", "RIFF",
        ])
    func nothing(text: String) { #expect(PictureHead(Data(text.utf8)) == nil) }

    // MARK: Damage

    /// Heads of all kinds; what stands in them may be a slice of something longer.
    static func heads() throws -> [Data] {
        try ["txt2img-1.json", "ok-unicode.json", "txt2img-jpg-norestore.json"].map {
            try #require(try Fixture($0).pictures.first).prefix(2600)
        } + webps.map(\.0) + [Data(header + chunks[7].0)]
    }

    @Test("that is cut anywhere tells less, and nothing that is wrong")
    func truncated() throws {
        for file in try Self.heads() {
            let whole = try #require(PictureHead(file))
            for length in 0...file.count {
                guard let head = PictureHead(file.prefix(length)) else {
                    #expect(length < 12)
                    continue
                }
                #expect(head.format == whole.format)
                if let size = head.size { #expect(size == (try #require(whole.size))) }
                if let text = head.infotext { #expect(text == whole.infotext) }
            }
        }
    }

    @Test("may be damaged in any way")
    func damaged() throws {
        var generator = SeededGenerator(state: 42)
        for file in try Self.heads() {
            for _ in 0..<2000 {
                var bytes = Array(file.prefix(Int.random(in: 0...600, using: &generator)))
                for _ in 0..<Int.random(in: 1...8, using: &generator) where !bytes.isEmpty {
                    let place = Int.random(in: 0..<min(bytes.count, 120), using: &generator)
                    bytes[place] =
                        [0, 0xff, 0x7f, 0x80, .random(in: 0...255, using: &generator)]
                        .randomElement(using: &generator) ?? 0
                }
                if let head = PictureHead(Data(bytes)), let size = head.size {
                    #expect(size.width >= 0 && size.height >= 0)
                }
            }
        }
    }
}
