// Text on pictures: a font of 5 × 7 pixels, upper case, and how a text is folded, wrapped and cut to fit.

import Foundation

enum Lettering {
    /// One glyph and the space to its right, in pixels at scale 1.
    static let advance = 6
    /// One line and the space below it.
    static let lineHeight = 9

    /// From space to underscore: a glyph is seven rows from the top, a row is five pixels as a digit of base 32.
    private static let font: [[UInt8]] = """
        0000000 4444404 aa00000 aavavaa 4fke5u4 op248j3 cik8lid 4400000 2488842 8422248 04lel40 044v440
        0000448 000v000 00000cc 11248gg ehjlphe 4c4444e eh1248v eh161he 26aiv22 vgu11he 68guhhe v112444
        ehhehhe ehhf12c 0cc0cc0 0cc0c48 248g842 00v0v00 8421248 eh12404 ehnlngf 4ahhvhh uhhuhhu ehggghe
        sihhhis vgguggv vgguggg ehgnhhf hhhvhhh e44444e 72222ic hikokih ggggggv hrllhhh hhpljhh ehhhhhe
        uhhuggg ehhhlid uhhukih fgge11u v444444 hhhhhhe hhhhha4 hhhllrh hha4ahh hha4444 v1248gv e88888e
        gg84211 e22222e 4ah0000 000000v
        """.split { $0 == " " || $0 == "\n" }.map { $0.compactMap { UInt8(String($0), radix: 32) } }

    /// What the font can show of a text: accents fall off, the rest is a question mark.
    static func fold(_ text: String) -> [UInt8] {
        text.decomposedStringWithCanonicalMapping.uppercased().unicodeScalars.compactMap { scalar in
            switch scalar {
            case " "..."_": UInt8(scalar.value)
            case "`": UInt8(ascii: "'")
            case "{": UInt8(ascii: "(")
            case "}": UInt8(ascii: ")")
            case "|": UInt8(ascii: "!")
            case "~": UInt8(ascii: "-")
            case "\t", "\n", "\r": UInt8(ascii: " ")
            default: scalar.properties.canonicalCombiningClass == .notReordered ? UInt8(ascii: "?") : nil
            }
        }
    }

    /// At most `limit` lines of at most `columns` glyphs; three dots say that something was left out.
    static func wrap(_ text: [UInt8], columns: Int, limit: Int) -> [[UInt8]] {
        guard columns > 3, limit > 0 else { return [] }
        var lines: [[UInt8]] = []
        for word in text.split(separator: UInt8(ascii: " ")) {
            if let last = lines.last, last.count + 1 + word.count <= columns {
                lines[lines.count - 1] += [UInt8(ascii: " ")] + word
            } else {
                for start in stride(from: 0, to: word.count, by: columns) {
                    lines.append(Array(word.dropFirst(start).prefix(columns)))
                }
            }
            // A prompt can be a novel.
            if lines.count > limit { break }
        }
        guard lines.count > limit else { return lines }
        return lines.prefix(limit - 1) + [lines[limit - 1].prefix(columns - 3) + Array("...".utf8)]
    }

    /// Writes one line with its upper left corner at (x, y).
    static func write(_ line: [UInt8], x: Int, y: Int, scale: Int, _ color: Color, on canvas: inout Canvas) {
        for (index, character) in line.enumerated() {
            for (row, pixels) in font[Int(character) - 0x20].enumerated() {
                for column in 0..<5 where pixels & (0x10 >> UInt8(column)) != 0 {
                    let left = x + (index * advance + column) * scale
                    let top = y + row * scale
                    canvas.paint(x: left..<left + scale, y: top..<top + scale, color)
                }
            }
        }
    }
}
