// The fuzz targets as plain tests: every seed, and the same mutations each time.

import Foundation
import Glibc
import Testing

@Suite struct FuzzTests {
    /// Bounded by a count, not by time: what a fast machine tests a slow one tests, too.
    private static let mutations = 1000

    /// In a process of its own, which a property that does not hold ends.
    @Test("a parser keeps its promises for the seeds and for mutations of them", arguments: Target.allCases)
    func promises(target: Target) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sdspool-fuzz-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let result = await #expect(processExitsWith: .success) { [target, path = folder.path as String] in
            try FuzzTests.run(target, in: URL(filePath: path))
        }
        guard result == nil else { return }
        let said = (try? String(contentsOf: folder.appending(path: "stderr"), encoding: .utf8)) ?? ""
        let input = (try? Data(contentsOf: folder.appending(path: "input"))) ?? Data()
        Issue.record(
            """
            \(target) said: \(said.suffix(8000))
            of the input Seed(found: "NAME", base64: "\(input.base64EncodedString())")
            """)
    }

    private static func run(_ target: Target, in folder: URL) throws {
        // The parent reads there what the end of this process was for.
        let said = open(folder.appending(path: "stderr").path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard said >= 0, dup2(said, STDERR_FILENO) >= 0 else { fatalError("no stderr: errno \(errno)") }
        setenv("FUZZ_FOLDER", folder.path, 1)
        let seeds = Seed.all.filter { $0.target == target }.map(\.input)
        for input in seeds + Mutations(of: seeds, by: 1).prefix(mutations) {
            try input.write(to: folder.appending(path: "input"))
            fuzz(input)
        }
    }
}
