// Base64 that comes in pieces.

import Foundation

/// Decodes base64 (RFC 4648 section 4, strictly; padding at the end may be missing) piece by piece.
struct Base64Stream {
    /// The text is not base64 behind `offset` characters.
    struct Malformed: Error, Hashable {
        let offset: Int
    }

    private var pending = Data()
    private var taken = 0
    private var padded = false

    /// Foundation decodes large pieces at several hundred MB/s; small ones drown in calls, and what is larger than this gets
    /// fresh memory from the kernel each time.
    private static let piece = 48 << 10

    /// Takes characters and gives the bytes that are certain so far, often none.
    mutating func decode(_ characters: Span<UInt8>) throws(Malformed) -> Data? {
        characters.withUnsafeBufferPointer { pending.append($0) }
        guard pending.count >= Self.piece else { return nil }
        let whole = pending.count & ~3
        let bytes = try decode(pending.prefix(whole))
        pending = Data(pending.dropFirst(whole))
        return bytes
    }

    /// Gives what is left. No characters come behind it.
    mutating func finish() throws(Malformed) -> Data {
        let missing = (4 - pending.count & 3) & 3
        // Padding that is there is whole: "AB=" has lost a character.
        guard missing == 0 || pending.last != UInt8(ascii: "=") else { throw Malformed(offset: taken) }
        let rest = pending + Data(repeating: UInt8(ascii: "="), count: missing)
        pending = Data()
        return rest.isEmpty ? Data() : try decode(rest)
    }

    /// Of the last group: Foundation takes "====" for a byte, and in "aP=n" it does not see the padding.
    private static func isWhole(_ group: Data) -> Bool {
        let padding = group.drop { $0 != UInt8(ascii: "=") }
        return padding.count <= 2 && padding.allSatisfy { $0 == UInt8(ascii: "=") }
    }

    private mutating func decode(_ block: Data) throws(Malformed) -> Data {
        // Padding ends the data: characters behind it are another text.
        guard !padded, Self.isWhole(block.suffix(4)), let bytes = Data(base64Encoded: block) else {
            throw Malformed(offset: taken)
        }
        padded = block.last == UInt8(ascii: "=")
        taken += block.count
        return bytes
    }
}
