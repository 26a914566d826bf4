import Foundation
import TestSupport
import Testing

@testable import A1111

@Suite("Base64 that comes in pieces")
struct Base64StreamTests {
    /// The bytes, or the place where they end.
    static func decode(_ text: some Sequence<UInt8>, piece: Int) throws(Base64Stream.Malformed) -> Data {
        var stream = Base64Stream()
        var bytes = Data()
        let text = Array(text)
        for start in stride(from: 0, to: text.count, by: piece) {
            if let more = try stream.decode(Array(text[start..<min(start + piece, text.count)]).span) { bytes += more }
        }
        return try bytes + stream.finish()
    }

    static let long: Data = {
        var generator = SeededGenerator(state: 1)
        return Data((0..<400_001).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }()

    @Test(
        "is decoded whatever the pieces", arguments: [1, 2, 3, 4, 5, 7, 63, 4096, 196_607, 196_608, 196_609, 1 << 22])
    func pieces(size: Int) throws {
        #expect(try Self.decode(Self.long.base64EncodedData(), piece: size) == Self.long)
    }

    static let ends: [(String, String)] = [
        ("", ""), ("TWFu", "Man"), ("TWE=", "Ma"), ("TQ==", "M"), ("TWE", "Ma"), ("TQ", "M"),
        ("TWFuTWE=", "ManMa"), ("TWFuTQ", "ManM"), ("/+8=", "\u{fffd}"),
    ]

    @Test("may lack its padding", arguments: ends, [1, 3, 100])
    func padding(end: (String, String), piece: Int) throws {
        #expect(try String(decoding: Self.decode(end.0.utf8, piece: piece), as: UTF8.self).hasPrefix(end.1))
    }

    @Test("keeps its last bytes where padding is missing behind many blocks", arguments: [0, 1, 2])
    func longTail(rest: Int) throws {
        let bytes = Self.long.prefix(300_000 + rest)
        let text = bytes.base64EncodedString().prefix { $0 != "=" }
        #expect(try Self.decode(text.utf8, piece: 4096) == bytes)
    }

    @Test(
        "is nothing else",
        arguments: [
            "T", "TQ=", "TWFuTQ=", "TWFuT", "TW!u", "TW u", "TWFu\n", "TW-_", "====", "=", "T===", "TQ==TQ==",
            "TWE=TWFu", "T=Fu", "aP=n", "TWFuTW=u",
        ],
        [1, 2, 100])
    func garbage(text: String, piece: Int) {
        #expect(throws: Base64Stream.Malformed(offset: 0)) { try Self.decode(text.utf8, piece: piece) }
    }

    @Test("says up to where it was sound", arguments: [1, 1000, 1 << 20])
    func place(piece: Int) throws {
        var text = Array(Self.long.base64EncodedData())
        text[500_000] = UInt8(ascii: "%")
        let error = #expect(throws: Base64Stream.Malformed.self) { try Self.decode(text, piece: piece) }
        let offset = try #require(error?.offset)
        #expect(offset <= 500_000 && offset.isMultiple(of: 4))
        if piece <= 1000 { #expect(offset > 300_000) }
    }

    @Test("ends at its padding, also where the padding ends a block")
    func behindPadding() {
        // 196 608 characters are decoded at once.
        let block = Self.long.prefix(147_455).base64EncodedString()
        #expect(block.utf8.count == 196_608 && block.hasSuffix("="))
        #expect(throws: Base64Stream.Malformed(offset: 196_608)) {
            try Self.decode((block + "TWFu").utf8, piece: 196_608)
        }
    }
}
