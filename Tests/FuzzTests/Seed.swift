// A first input for a target: what somebody may really send, which the fuzzer then changes.

import Foundation

/// Add what a fuzzer found with the base64 that it prints: `Seed(found: "NAME", base64: "…")`.
struct Seed: Sendable {
    let target: Target
    let name: String
    let bytes: Data

    init(_ target: Target, _ name: String, _ bytes: some Collection<UInt8>) {
        (self.target, self.name, self.bytes) = (target, name, Data(bytes))
    }

    /// Text behind the bytes by which the target chooses how it is fed.
    init(_ target: Target, _ name: String, _ choices: [UInt8] = [], text: String) {
        self.init(target, name, choices + Array(text.utf8))
    }

    init(_ target: Target, _ name: String, _ choices: [UInt8] = [], base64: String) {
        guard let bytes = Data(base64Encoded: base64) else { fatalError("no base64: \(base64)") }
        self.init(target, name, choices + bytes)
    }

    /// A whole input, with the byte of its target.
    init(found name: String, base64: String) {
        guard let input = Data(base64Encoded: base64), let first = input.first,
            let target = Target(rawValue: first % UInt8(Target.allCases.count))
        else { fatalError("no input: \(base64)") }
        self.init(target, name, input.dropFirst())
    }

    var input: Data { [target.rawValue] + bytes }

    static let all = names + jsonTexts + jobs + http + pictures + replies + answers + doors + files

    /// The files that the project has anyway.
    private static var files: [Seed] {
        let project = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
        func jsonFiles(in folder: String) -> [(name: String, text: Data)] {
            let folder = project.appending(path: folder)
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
            guard !names.isEmpty else { fatalError("no files in \(folder.path)") }
            return names.filter { $0.hasSuffix(".json") }.sorted().map { name in
                guard let text = try? Data(contentsOf: folder.appending(path: name)) else {
                    fatalError("\(name) cannot be read")
                }
                return (name, text)
            }
        }
        guard let demo = try? Data(contentsOf: project.appending(path: "examples/pictures/demo.png")) else {
            fatalError("there is no demo.png")
        }
        let jobs = jsonFiles(in: "examples/jobs").flatMap { name, text in
            [
                Seed(.json, name, [7] + text.prefix(4000)), Seed(.jobs, name, [0, 0, 64] + text.prefix(4000)),
                Seed(.scanner, name, [9] + text.prefix(4000)),
            ]
        }
        let replies = jsonFiles(in: "Tests/A1111Tests/Fixtures").map { name, text in
            Seed(.replies, name, [2, 0] + text.prefix(6000))
        }
        return jobs + replies + [Seed(.pictures, "demo", [1] + demo.prefix(4000))]
    }
}
