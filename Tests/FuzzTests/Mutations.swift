// The seeds changed by chance: the same inputs in the same order for the same number.

import Foundation
import TestSupport

/// An endless sequence of inputs made of a few seeds, each of which begins with the byte of its target.
struct Mutations: Sequence, IteratorProtocol {
    private let seeds: [Data]
    private var random: SeededGenerator

    init(of seeds: [Data], by number: UInt64) {
        self.seeds = seeds
        random = SeededGenerator(state: number)
    }

    mutating func next() -> Data? {
        guard var input = seeds.randomElement(using: &random) else { return nil }
        for _ in 0...Int.random(in: 0..<4, using: &random) where input.count > 1 {
            let place = Int.random(in: 1..<input.count, using: &random)
            let end = Swift.min(input.count, place + Int.random(in: 1...32, using: &random))
            switch Int.random(in: 0..<6, using: &random) {
            case 0: input[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: input[place] = UInt8.random(in: 0...255, using: &random)
            case 2: input = Data(input[..<place]) + input[end...]
            case 3: input = Data(input[..<place]) + input[place..<end] + input[place...]
            case 4: input = Data(input[..<place])
            default:
                let other = seeds.randomElement(using: &random) ?? Data()
                input = Data(input[..<place]) + other.suffix(Int.random(in: 0...other.count, using: &random))
            }
            input = Data(input)
        }
        return input
    }
}
