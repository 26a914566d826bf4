// One entry for all our parsers: the first byte of an input picks the parser, the rest is what it reads.
//
// FuzzTests runs it over the seeds and a fixed number of mutations, as plain tests. `.ci/fuzz` links the same objects with
// libFuzzer, which calls the two functions at the end of this file and watches which branches are taken, or, where there is
// no libFuzzer, with the main in MutationsMain.swift.

import Foundation

/// The parsers, by the first byte of an input. Add new ones at the end: corpora of earlier runs count on the order.
enum Target: UInt8, CaseIterable, Codable, Sendable {
    case names, json, jobs, heads, chunks, pictures, replies, answers, connections, scanner, gateway

    /// Ends the process where what must hold for every input does not hold for this one.
    var property: (Data) -> Void {
        switch self {
        case .names: fuzzNames
        case .json: fuzzJSON
        case .jobs: fuzzJobs
        case .heads: fuzzHeads
        case .chunks: fuzzChunks
        case .pictures: fuzzPictures
        case .replies: fuzzReplies
        case .answers: fuzzAnswers
        case .connections: fuzzConnections
        case .scanner: fuzzScanner
        case .gateway: fuzzDoor
        }
    }
}

func fuzz(_ input: Data) {
    guard let first = input.first else { return }
    Target.allCases[Int(first) % Target.allCases.count].property(Data(input.dropFirst()))
}

/// libFuzzer calls this before it reads its folders: writes the seeds into the folder that FUZZ_SEEDS names.
@_cdecl("LLVMFuzzerInitialize")
package func writeSeeds(_ count: UnsafePointer<CInt>?, _ words: UnsafePointer<UnsafePointer<CChar>?>?) -> CInt {
    guard let folder = ProcessInfo.processInfo.environment["FUZZ_SEEDS"] else { return 0 }
    do {
        for seed in Seed.all {
            try seed.input.write(to: URL(filePath: folder).appending(path: "\(seed.target.rawValue)-\(seed.name)"))
        }
    } catch {
        fatalError("cannot write the seeds: \(error)")
    }
    return 0
}

/// libFuzzer's contract: return 0 whatever the input is; what is wrong ends the process.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    fuzz(Data(UnsafeBufferPointer(start: start, count: count)))
    return 0
}
