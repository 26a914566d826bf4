import Foundation
import Testing

@testable import A1111

@Suite("A picture")
struct PictureCheckTests {
    /// Real ones of the recordings, in all three formats.
    static let fixtures = ["txt2img-1.json", "txt2img-jpg-norestore.json", "webp"]

    static func picture(_ name: String) throws -> Data {
        guard name == "webp" else { return try #require(try Fixture(name).pictures.first) }
        return try #require(Data(base64Encoded: "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="))
    }

    static func flaw(in picture: Data, piece: Int = .max) -> PictureFlaw? {
        var check = PictureCheck()
        var rest = picture
        while !rest.isEmpty {
            check.take(rest.prefix(piece))
            rest = rest.dropFirst(piece)
        }
        return check.finish()
    }

    @Test("that is whole is sound, in whatever pieces it comes", arguments: fixtures, [1, 3, 11, 12, 13, 4096, .max])
    func sound(name: String, piece: Int) throws {
        #expect(try Self.flaw(in: Self.picture(name), piece: piece) == nil)
    }

    @Test("that ends early is cut off, wherever it ends", arguments: fixtures)
    func cut(name: String) throws {
        let picture = try Self.picture(name)
        let format = try #require(PictureFormat(picture))
        for length in [12, 13, 20, picture.count / 2, picture.count - 5, picture.count - 1] where length < picture.count
        {
            #expect(Self.flaw(in: picture.prefix(length)) == .cut(format), "\(length) bytes")
        }
    }

    @Test("of PNG is damaged where one bit of it is another one")
    func damaged() throws {
        let picture = try Self.picture("txt2img-1.json")
        for index in stride(from: 8, to: picture.count, by: 97) {
            var bytes = picture
            bytes[index] ^= 0x10
            #expect(Self.flaw(in: bytes) != nil, "at byte \(index)")
        }
        var bytes = picture
        bytes[bytes.count - 20] ^= 1
        #expect(Self.flaw(in: bytes) == .checksum(chunk: "IDAT"))
    }

    @Test(
        "of PNG has a size that a picture can have",
        arguments: [(1, 1, true), (65_535, 1, true), (0, 1, false), (65_536, 1, false), (60_000, 60_000, false)])
    func size(width: Int, height: Int, isSound: Bool) {
        let header = [width, height].flatMap { number in (0..<4).map { UInt8(number >> (24 - $0 * 8) & 0xff) } }
        let picture =
            Data([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) + Self.chunk("IHDR", header + [8, 2, 0, 0, 0])
            + Self.chunk("IEND", [])
        #expect(Self.flaw(in: picture) == (isSound ? nil : .size(width: width, height: height)))
    }

    @Test("of PNG begins with its size, and is made of chunks")
    func malformed() {
        let signature = Data([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
        for rest in [Self.chunk("IDAT", [1]), Self.chunk("IHDR", [1]), Data(repeating: 0xff, count: 20)] {
            guard case .malformed = Self.flaw(in: signature + rest) else {
                Issue.record("\(rest as NSData) is no PNG")
                continue
            }
        }
        #expect(Self.flaw(in: Data("no picture at all".utf8)) == nil)
    }

    @Test("has the checksum of the standard's example")
    func checksum() {
        var checksum = Checksum()
        for piece in ["1", "2345678", "9"] { checksum.take(Data(piece.utf8)) }
        #expect(checksum.value == 0xcbf4_3926)
    }

    private static func chunk(_ type: String, _ content: [UInt8]) -> Data {
        var checksum = Checksum()
        checksum.take(Data(type.utf8) + Data(content))
        func number(_ value: UInt32) -> Data { Data((0..<4).map { UInt8(value >> (24 - $0 * 8) & 0xff) }) }
        return number(UInt32(content.count)) + Data(type.utf8) + Data(content) + number(checksum.value)
    }
}
