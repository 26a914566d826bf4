// Where there is no libFuzzer: a program that feeds mutations of the seeds for a while.

import Foundation

#if WITHOUT_LIBFUZZER
    @main
#endif
struct MutationsMain {
    /// `fuzz FILE SECONDS COUNT SEED`: ends after so many seconds or inputs. FILE holds the input under way, for the case that
    /// it ends the process.
    static func main() throws {
        let words = CommandLine.arguments
        guard words.count == 5, let seconds = Double(words[2]), let most = Int(words[3]), let number = UInt64(words[4])
        else { fatalError("usage: fuzz FILE SECONDS COUNT SEED") }
        let last = URL(filePath: words[1])
        let end = ContinuousClock.now + .seconds(seconds)
        var count = 0
        func feed(_ inputs: some Sequence<Data>) throws {
            for input in inputs {
                guard ContinuousClock.now < end else { return }
                try input.write(to: last)
                let start = ContinuousClock.now
                fuzz(input)
                let time = ContinuousClock.now - start
                if time > .seconds(30) { fatalError("an input of \(input.count) bytes takes \(time)") }
                count += 1
            }
        }
        let seeds = Seed.all.map(\.input)
        try feed(seeds)
        try feed(Mutations(of: seeds, by: number).prefix(most))
        print("\(count) inputs, seed \(number): nothing found")
    }
}
