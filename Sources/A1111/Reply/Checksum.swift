// The checksum of PNG's chunks: CRC-32 (PNG, third edition, annex D; the polynomial of ISO 3309).

import Foundation

/// A CRC-32 that is fed in pieces.
struct Checksum {
    private var state: UInt32 = 0xffff_ffff

    /// Of all that was taken.
    var value: UInt32 { ~state }

    mutating func take(_ bytes: Data) {
        // A picture is megabytes, and this is done to each byte of it: without pointers a debug build would need longer
        // for it than the server for the picture. They live for the call.
        bytes.withUnsafeBytes { buffer in
            Self.tables.withUnsafeBufferPointer { table in
                var state = state
                var index = 0
                // Eight bytes at a step, each by the table for its distance from the end of the step.
                while index + 8 <= buffer.count {
                    let low = state ^ UInt32(littleEndian: buffer.loadUnaligned(fromByteOffset: index, as: UInt32.self))
                    let high = UInt32(littleEndian: buffer.loadUnaligned(fromByteOffset: index + 4, as: UInt32.self))
                    let near = table[1792 + Int(low & 0xff)] ^ table[1536 + Int(low >> 8 & 0xff)]
                    let far = table[1280 + Int(low >> 16 & 0xff)] ^ table[1024 + Int(low >> 24)]
                    let next = table[768 + Int(high & 0xff)] ^ table[512 + Int(high >> 8 & 0xff)]
                    state = near ^ far ^ next ^ table[256 + Int(high >> 16 & 0xff)] ^ table[Int(high >> 24)]
                    index += 8
                }
                while index < buffer.count {
                    state = table[Int((state ^ UInt32(buffer[index])) & 0xff)] ^ state >> 8
                    index += 1
                }
                self.state = state
            }
        }
    }

    /// Eight tables of 256: the first for the byte at the end, each other one for a byte that much further from it.
    private static let tables: [UInt32] = {
        var tables: [UInt32] = (0..<256).map { byte in
            (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? 0xedb8_8320 ^ value >> 1 : value >> 1 }
        }
        for _ in 1..<8 {
            tables += tables.suffix(256).map { tables[Int($0 & 0xff)] ^ $0 >> 8 }
        }
        return tables
    }()
}
