// The input of a target, cut up: what decides how it is fed, and what is fed.

import Foundation

/// Bytes that choose, from the front of an input.
struct Bytes {
    private(set) var rest: Data

    init(_ data: Data) { rest = Data(data) }

    /// The next one; 0 where there is none left.
    mutating func next() -> UInt8 { rest.popFirst() ?? 0 }

    /// The next two as a number.
    mutating func number() -> Int { Int(next()) << 8 | Int(next()) }
}

/// Cuts data into pieces whose lengths come from a few seeds: 1 to 16 bytes each, or now and then a long one.
func pieces(of data: Data, seed: UInt8) -> [Data] {
    var pieces: [Data] = []
    var state = UInt32(seed) &* 2_654_435_761 | 1
    var rest = data
    while !rest.isEmpty {
        state = state &* 1_664_525 &+ 1_013_904_223
        let length = state >> 28 == 0 ? 1000 : Int(state >> 24 & 0xf) + 1
        // Slices, whose indices do not begin at 0.
        pieces.append(rest.prefix(length))
        rest = rest.dropFirst(length)
    }
    return pieces
}

/// A property that does not hold is a crash: that is what a fuzzer finds.
func check(_ holds: Bool, _ property: @autoclosure () -> String, line: UInt = #line) {
    if !holds { fatalError("\(property()) (line \(line))") }
}

/// What a call throws, told apart by its type and, for an error of syntax, its kind and place.
func outcome<Value>(_ body: () throws -> Value) -> Result<Value, any Error> {
    Result { try body() }
}
