// Pictures: whole in whatever pieces they come, and never sound with a bit of them another one.

import Foundation

@testable import A1111

func fuzzPictures(_ input: Data) {
    var bytes = Bytes(input)
    let seed = bytes.next()
    let raw = bytes.rest
    check(flaw([raw]) == flaw(pieces(of: raw, seed: seed)), "in pieces it is what it is as a whole")
    if let head = PictureHead(raw) { check(head.size.map { $0.width >= 0 && $0.height >= 0 } ?? true, "a size") }
    _ = PictureHead(raw.prefix(Int(seed)))

    // A PNG around the same bytes, with all its sums right.
    let bit = bytes.number()
    var picture = Data([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
    picture += chunk("IHDR", [0, 0, 0, seed | 1, 0, 0, 0, 1, 8, 2, 0, 0, 0])
    for piece in pieces(of: bytes.rest, seed: seed) {
        picture += chunk(["IDAT", "tEXt", "iTXt", "PLTE"][piece.count & 3], piece)
    }
    picture += chunk("IEND", [])
    check(flaw(pieces(of: picture, seed: seed)) == nil, "it is sound")
    check(flaw([picture.dropLast(1 + bit % 12)]) == .cut(.png), "it is cut off")
    let place = 64 + bit % ((picture.count - 8) * 8)
    picture[place / 8] ^= 1 << (place % 8)
    check(flaw(pieces(of: picture, seed: seed)) != nil, "with bit \(place) another one it is not sound")
    _ = PictureHead(picture)
}

private func flaw(_ pieces: [Data]) -> PictureFlaw? {
    var check = PictureCheck()
    for piece in pieces { check.take(piece) }
    return check.finish()
}

private func chunk(_ type: String, _ content: some Collection<UInt8>) -> Data {
    var checksum = Checksum()
    checksum.take(Data(type.utf8) + Data(content))
    func number(_ value: UInt32) -> Data { withUnsafeBytes(of: value.bigEndian) { Data($0) } }
    return number(UInt32(content.count)) + Data(type.utf8) + Data(content) + number(checksum.value)
}
