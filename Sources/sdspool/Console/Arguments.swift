// Words of the command line, taken one option after the other.

import A1111
import Foundation

/// What stands behind a subcommand: options with a value (`--name value` or `--name=value`), then operands.
struct Arguments {
    private var values: [String: [String]] = [:]
    private var given: Set<String> = []
    private(set) var operands: [String] = []
    private let command: String

    /// Reads `words`. Prints `help` and ends where `--help` is among them. Throws ``Exit``.
    init(
        _ words: [String], of command: String, options: Set<String>, flags: Set<String> = [], help: String
    ) throws {
        self.command = command
        var words = words[...]
        while let word = words.popFirst() {
            if word == "--help" || word == "-h" {
                answer(help)
                exit(0)
            }
            if word == "--" {
                operands += words
                break
            }
            guard word.hasPrefix("-"), word != "-" else {
                operands.append(word)
                continue
            }
            if flags.contains(word) {
                given.insert(word)
                continue
            }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard options.contains(parts[0]) else {
                let near = nearest(to: parts[0], among: options.union(flags)).first.map { "; did you mean \($0)?" }
                throw Exit(
                    .usage, "sdspool \(command): no option \(parts[0])\(near ?? ""); see sdspool \(command) --help")
            }
            guard let value = parts.count == 2 ? parts[1] : words.popFirst() else {
                throw Exit(.usage, "sdspool \(command): \(parts[0]) needs a value")
            }
            values[parts[0], default: []].append(value)
        }
    }

    /// The last value of an option, or that of an environment variable.
    func value(_ option: String, or variable: String? = nil) -> String? {
        values[option]?.last ?? variable.flatMap { ProcessInfo.processInfo.environment[$0] }
    }

    /// Whether a flag, an option without a value, was given.
    func has(_ flag: String) -> Bool { given.contains(flag) }

    /// All values of an option.
    func all(_ option: String) -> [String] { values[option] ?? [] }

    /// A value in seconds. Throws ``Exit``.
    func seconds(_ option: String) throws -> Duration? {
        guard let text = value(option) else { return nil }
        guard let seconds = Double(text), seconds >= 0, seconds < 1e9 else {
            throw Exit(.usage, "sdspool \(command): \(option) takes a number of seconds, not \"\(text)\"")
        }
        return .milliseconds(Int64(seconds * 1000))
    }
}
