// Where there is no libFuzzer: the seeds, changed by chance, the same at each run of the same seed.

#if WITHOUT_LIBFUZZER
    import Foundation

    /// SplitMix64.
    private struct SplitMix64: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
    }

    @main struct Mutations {
        /// `fuzz SECONDS SEED FOLDER`: the folder's files, mutated. The input under way lies in `FOLDER/../last-input`,
        /// for the case that it ends the process.
        static func main() throws {
            let arguments = CommandLine.arguments
            guard arguments.count == 4, let seconds = Double(arguments[1]), let seed = UInt64(arguments[2]) else {
                fatalError("usage: fuzz SECONDS SEED FOLDER")
            }
            let folder = URL(filePath: arguments[3])
            let seeds = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
                .sorted { $0.path < $1.path }.map { try Data(contentsOf: $0) }
            var random = SplitMix64(state: seed)
            for input in seeds { fuzz(input) }
            let end = ContinuousClock.now + .seconds(seconds)
            let last = folder.deletingLastPathComponent().appending(path: "last-input")
            var count = 0
            while ContinuousClock.now < end {
                let input = mutated(seeds, &random)
                try input.write(to: last)
                let start = ContinuousClock.now
                fuzz(input)
                let time = ContinuousClock.now - start
                if time > .seconds(10) { fatalError("an input of \(input.count) bytes takes \(time)") }
                count += 1
            }
            print("\(count) inputs in \(seconds) s, seed \(seed): nothing found")
        }

        private static func mutated(_ seeds: [Data], _ random: inout SplitMix64) -> Data {
            var input = seeds.randomElement(using: &random) ?? Data([0])
            for _ in 0...Int.random(in: 0..<4, using: &random) where input.count > 1 {
                let place = Int.random(in: 1..<input.count, using: &random)
                let end = min(input.count, place + Int.random(in: 1...32, using: &random))
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
#endif
