// A command as somebody writes it into an option or a unit file: words, and no shell.

import Foundation

/// The program and its arguments.
package struct Command: Equatable, Sendable {
    /// The program first, as it was written.
    package let words: [String]
    /// Where the program lies.
    let path: String

    /// Why it is none.
    package struct Mistake: Error, Equatable, Sendable {
        /// In plain words, to be put behind the option's name.
        package let message: String
        /// It is written well, but there is no such program.
        package let isMissing: Bool
    }

    /// Reads `text` (see ``words(of:)``), and finds the program: by its path, or by its name in the folders of `search`, which
    /// are divided by colons. It is looked for now, so that a mistake is told at the start and not by the first job.
    package init(_ text: String, search: String) throws(Mistake) {
        words = try Self.words(of: text)
        guard let program = words.first, !program.isEmpty else {
            throw Mistake(message: "takes a program and its arguments, not \"\(text)\"", isMissing: false)
        }
        let places =
            program.contains("/")
            ? [program]
            : search.split(separator: ":").map { "\($0)/\(program)" }
        let paths = places.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
        guard let path = paths.first(where: Self.isProgram) else {
            let place = program.contains("/") ? "" : " in any folder of PATH"
            throw Mistake(message: "there is no program \(program)\(place) that can be run", isMissing: true)
        }
        self.path = path
    }

    private static func isProgram(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
            && FileManager.default.isExecutableFile(atPath: path)
    }

    /// Words are divided by blanks; what stands between two `"` or two `'` is taken as it is. Nothing else has a meaning: no
    /// `$`, no `\`, no `*`, no `|`.
    static func words(of text: String) throws(Mistake) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        for character in text {
            if let open = quote {
                if character == open { quote = nil } else { word = (word ?? "") + String(character) }
            } else if character == "\"" || character == "'" {
                quote = character
                // Also two quotes with nothing between them are a word.
                word = word ?? ""
            } else if character.isWhitespace {
                if let whole = word { words.append(whole) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if let quote { throw Mistake(message: "has a \(quote) without a second one: \(text)", isMissing: false) }
        return words + (word.map { [$0] } ?? [])
    }
}
