// One entry for all parsers that are ours: the first byte of an input picks the parser, the rest is what it reads.
//
// libFuzzer calls `LLVMFuzzerTestOneInput` and watches which branches are taken. Without it (-D WITHOUT_LIBFUZZER) the
// main in Mutations.swift calls `fuzz` with seeded mutations.

import Foundation

/// By the first byte of an input; the seeds in `.ci/fuzz` count on the order.
private let targets = [
    fuzzNames, fuzzJSON, fuzzJobs, fuzzHeads, fuzzChunks, fuzzPictures, fuzzReplies, fuzzAnswers, fuzzConnections,
    fuzzScanner, fuzzDoor,
]

func fuzz(_ input: Data) {
    guard let first = input.first else { return }
    targets[Int(first) % targets.count](Data(input.dropFirst()))
}

#if !WITHOUT_LIBFUZZER
    /// libFuzzer's contract: 0, whatever the input; what is wrong ends the process.
    @_cdecl("LLVMFuzzerTestOneInput")
    public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
        fuzz(Data(UnsafeBufferPointer(start: start, count: count)))
        return 0
    }
#endif
