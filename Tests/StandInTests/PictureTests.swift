import Foundation
import Testing

@testable import StandIn

/// Takes a PNG apart without the code under test.
struct Taken {
    var chunks: [(name: String, content: [UInt8])] = []
    var width = 0
    var height = 0
    /// The pixels' rows, unpacked; `nil` where a sum or a length is wrong.
    var rows: [UInt8]?

    static func number(_ bytes: some Collection<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

    static func sum(_ bytes: some Collection<UInt8>) -> Int {
        var crc: UInt32 = .max
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? 0xedb8_8320 ^ (crc >> 1) : crc >> 1 }
        }
        return Int(~crc)
    }

    init?(_ file: [UInt8]) {
        guard file.prefix(8) == [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] else { return nil }
        var rest = file.dropFirst(8)
        while rest.count >= 12 {
            let length = Self.number(rest.prefix(4))
            guard rest.count >= 12 + length else { return nil }
            let name = rest.dropFirst(4).prefix(4)
            let content = rest.dropFirst(8).prefix(length)
            guard Self.sum(name + content) == Self.number(rest.dropFirst(8 + length).prefix(4)) else {
                return nil
            }
            chunks.append((String(decoding: name, as: UTF8.self), Array(content)))
            rest = rest.dropFirst(12 + length)
        }
        guard rest.isEmpty, let header = chunks.first?.content, chunks.first?.name == "IHDR" else {
            return nil
        }
        width = Self.number(header[0..<4])
        height = Self.number(header[4..<8])
        guard header[8...] == [8, 2, 0, 0, 0] else { return nil }
        rows = chunks.first { $0.name == "IDAT" }.flatMap { Self.unpacked($0.content[...]) }
        guard rows?.count == (1 + 3 * width) * height else { return nil }
    }

    private static func unpacked(_ stream: ArraySlice<UInt8>) -> [UInt8]? {
        guard number(stream.prefix(2)) % 31 == 0 else { return nil }
        var rest = stream.dropFirst(2)
        var rows: [UInt8] = []
        while true {
            let head = Array(rest.prefix(5))
            let size = Int(head[1]) | Int(head[2]) << 8
            guard head[0] <= 1, size ^ 0xffff == Int(head[3]) | Int(head[4]) << 8 else { return nil }
            rows += rest.dropFirst(5).prefix(size)
            rest = rest.dropFirst(5 + size)
            if head[0] == 1 { break }
        }
        var (low, high) = (1, 0)
        for byte in rows {
            low = (low + Int(byte)) % 65521
            high = (high + low) % 65521
        }
        return number(rest) == high << 16 | low ? rows : nil
    }
}

@Suite("A test card")
struct PictureTests {
    static func file(_ prompt: String, seed: Int = 1, _ width: Int, _ height: Int, text: String = "a")
        -> [UInt8]
    {
        let card = TestCard(prompt: prompt, seed: seed, steps: 20, width: width, height: height)
        return PNG.encode(card.draw(), text: text)
    }

    @Test(
        "is a sound PNG, whatever its size",
        arguments: [(1, 1), (8, 8), (16, 64), (64, 8), (64, 64), (200, 152), (344, 64), (8, 512)])
    func sound(width: Int, height: Int) throws {
        let file = Self.file("a cat", width, height)
        let taken = try #require(Taken(file))
        #expect(taken.width == width && taken.height == height)
        #expect(taken.chunks.map(\.name) == ["IHDR", "tEXt", "IDAT", "IEND"])
        let size = try #require(PNG.size(of: file))
        #expect(size == (width, height))
    }

    @Test("is the same for the same job, and another one for another seed, prompt or step count")
    func deterministic() {
        let file = Self.file("a cat", 64, 64)
        #expect(file == Self.file("a cat", 64, 64))
        #expect(file != Self.file("a cat", seed: 2, 64, 64))
        #expect(file != Self.file("a dog", 64, 64))
    }

    @Test(
        "carries its text, in Latin-1 where that can say it",
        arguments: [
            ("", "tEXt"), ("a cat\nSteps: 1", "tEXt"), ("caf\u{e9}", "tEXt"), ("猫 à la 🐈", "iTXt"),
            ("\u{152}uvre", "iTXt"),
        ])
    func text(text: String, chunk: String) throws {
        let file = Self.file("a cat", 8, 8, text: text)
        #expect(Taken(file)?.chunks[1].name == chunk)
        #expect(PNG.text(of: file) == text)
    }

    @Test("has no text where there is none, nor a size where it is no PNG")
    func noPNG() {
        #expect(PNG.text(of: [1, 2, 3]) == nil)
        #expect(PNG.size(of: Array(repeating: 0, count: 100)) == nil)
        #expect(PNG.text(of: Array(Self.file("a", 8, 8).prefix(50))) == nil)
    }

    @Test("says what it is, readably")
    func lettering() {
        func shown(_ text: String, columns: Int = 100, limit: Int = 9) -> [String] {
            Lettering.wrap(Lettering.fold(text), columns: columns, limit: limit).map {
                String(decoding: $0, as: UTF8.self)
            }
        }
        #expect(shown("A crème brûlée, {猫|b}`~\n_") == ["A CREME BRULEE, (?!B)'- _"])
        #expect(shown("test card - not diffusion", columns: 10) == ["TEST CARD", "- NOT", "DIFFUSION"])
        #expect(shown("one two three four", columns: 7, limit: 2) == ["ONE TWO", "THRE..."])
        #expect(shown("abcdefghijkl", columns: 5) == ["ABCDE", "FGHIJ", "KL"])
        #expect(shown("a", columns: 3) == [])
        #expect(shown("") == [])
    }

    @Test("costs in proportion to its pixels, and not to their square, where nothing is optimised")
    func cost() {
        /// The work that this thread has for it, whatever else the machine does.
        func work(_ side: Int) -> Double {
            func spent() -> Double {
                var time = timespec()
                clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
                return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
            }
            let start = spent()
            _ = Self.file("a cat", side, side)
            return spent() - start
        }
        // Sixteen times as many pixels. Once is enough: whatever else the machine does only makes one of them dearer.
        #expect((0..<5).contains { _ in work(1024) < 64 * work(256) })
    }
}
