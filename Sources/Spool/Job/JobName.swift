// What a job is called: the name of the file that was dropped, made fit to be shown by any share.

import Linux

/// What a job file is, told by the end of its name, in capitals or not.
package enum JobFileKind: Sendable {
    /// `.json`: one JSON text.
    case json
    /// `.jsonl`: one a line.
    case lines

    /// `nil` where a file is no job file.
    package init?(of file: FileName) {
        func ends(in suffix: String) -> Bool {
            let end = file.bytes.suffix(suffix.utf8.count)
            // `|` makes a capital small. It makes a dot of a control character, too, so the dot is looked at by itself.
            return end.first == UInt8(ascii: ".") && end.map { $0 | 0x20 } == Array(suffix.utf8)
        }
        if ends(in: Self.json.suffix) {
            self = .json
        } else if ends(in: Self.lines.suffix) {
            self = .lines
        } else {
            return nil
        }
    }

    /// The end of a name that the spool writes.
    var suffix: String { self == .json ? ".json" : ".jsonl" }
}

/// A name that makes a file name of at most 255 bytes with all that the spool puts before and behind it, and that a
/// Windows share, a shell and a terminal can show.
///
/// Most names are kept as they are. Bytes that are not UTF-8, control characters and what Windows forbids become
/// `%HH`; a name that is too long is cut and ends in `~` and eight digits of its hash, so that two stay two.
package struct JobName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// UTF-8.
    package let bytes: [UInt8]

    /// 255 less a ticket's prefix (26), `-extra-99999.jpeg` and a counter `.99999`, rounded down.
    static let limit = 200

    /// The order of strcmp(3).
    package static func < (left: JobName, right: JobName) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }

    /// The name as it is, for names of files and for documents.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The name as a log may show it (see ``escapedForPeople(_:)``).
    package var description: String { escapedForPeople(bytes) }

    /// The name of the job that a file dropped as `file` is; `nil` where it is no job file: neither `*.json` nor
    /// `*.jsonl`, or hidden.
    package init?(dropped file: FileName) {
        guard let kind = JobFileKind(of: file), file.bytes.first != UInt8(ascii: ".") else { return nil }
        let stem = file.bytes.dropLast(kind.suffix.utf8.count)
        guard !stem.isEmpty else { return nil }
        self.init(stem: Array(stem))
    }

    /// The first words of a prompt, as a name that is easily typed: `a-red-cat`; `job` where there are none.
    package static func words(of prompt: String) -> String {
        let words = prompt.lowercased().split { !$0.isLetter && !$0.isNumber }
        var name = ""
        for word in words where name.utf8.count + word.utf8.count < 40 { name += (name.isEmpty ? "" : "-") + word }
        return name.isEmpty ? "job" : name
    }

    /// The name of the job that a file `TEXT.json` is; `nil` where no job can be called so.
    package init?(called text: String) {
        guard let file = FileName(bytes: Array("\(text).json".utf8)) else { return nil }
        self.init(dropped: file)
    }

    /// Whether the name under which the job's file was dropped says something that this one does not: it was escaped or
    /// cut, or ended in capitals. A ticket's file that comes back from hold/ is called by its ticket.
    func loses(_ dropped: FileName) -> Bool {
        guard let kind = JobFileKind(of: dropped), Ticket(entry: dropped)?.name != self else { return false }
        return with(suffix: kind.suffix) != dropped
    }

    /// The name of a part of a file that holds `count` jobs: `cat-001`, with as many digits as the last one needs.
    func part(_ number: Int, of count: Int) -> JobName {
        let digits = String(number)
        let width = max(3, String(count).count)
        return JobName(
            stem: bytes, ending: Array("-\(String(repeating: "0", count: max(0, width - digits.count)))\(digits)".utf8))
    }

    /// The job name in a name that the spool itself wrote; `nil` where it could not have written it.
    init?(written bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
        // What begins with a dot was never taken for a job; its file would be swept away with the drafts of ours.
        guard let first = self.bytes.first, first != UInt8(ascii: ".") else { return nil }
        guard Self(stem: self.bytes).bytes == self.bytes else { return nil }
    }

    /// `ending` is plain ASCII that stays whole, also where the name is cut.
    private init(stem: [UInt8], ending: [UInt8] = []) {
        let safe = Self.escaped(stem)
        let limit = Self.limit - ending.count
        if safe.count <= limit {
            bytes = safe + ending
        } else {
            let hash = String(Self.hash(stem), radix: 16)
            let mark = Array("~".utf8) + Array(String(repeating: "0", count: 8 - hash.count).utf8) + Array(hash.utf8)
            var cut = safe.prefix(limit - mark.count)
            // Not in the middle of a character of UTF-8.
            while let last = cut.last, last & 0xc0 == 0x80 { cut.removeLast() }
            if let last = cut.last, last >= 0xc0 { cut.removeLast() }
            bytes = Array(cut) + mark + ending
        }
    }

    /// A file name in which more stands behind the name of the job.
    package func with(suffix: String) -> FileName {
        guard let name = FileName(bytes: bytes + Array(suffix.utf8)) else {
            preconditionFailure("a job's name holds neither / nor NUL")
        }
        return name
    }

    private static func escaped(_ stem: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        let isText = String(validating: stem, as: UTF8.self) != nil
        for (index, byte) in stem.enumerated() {
            let isLast = index == stem.count - 1
            let escape =
                switch byte {
                case 0..<0x20, 0x7f: true
                case 0x80...: !isText
                case UInt8(ascii: "\""), UInt8(ascii: "*"), UInt8(ascii: ":"), UInt8(ascii: "<"), UInt8(ascii: ">"),
                    UInt8(ascii: "?"), UInt8(ascii: "\\"), UInt8(ascii: "|"):
                    true
                // Windows drops these at the end of a name.
                case UInt8(ascii: "."), UInt8(ascii: " "): isLast
                default: false
                }
            if escape { result += percent(byte) } else { result.append(byte) }
        }
        // A name that ends in .json would make a folder of the queue look like a file of it; CON and its like are
        // devices on Windows, with whatever stands behind a dot.
        if FileName(bytes: result).flatMap(JobFileKind.init(of:)) == .json {
            result.replaceSubrange(result.count - 5..<result.count - 4, with: percent(UInt8(ascii: ".")))
        }
        if isDevice(result.prefix { $0 != UInt8(ascii: ".") }) {
            result.replaceSubrange(0..<1, with: percent(result[0]))
        }
        return result
    }

    private static func isDevice(_ word: ArraySlice<UInt8>) -> Bool {
        let word = String(decoding: word, as: UTF8.self).uppercased()
        if ["CON", "PRN", "AUX", "NUL"].contains(word) { return true }
        return word.utf8.count == 4 && (word.hasPrefix("COM") || word.hasPrefix("LPT"))
            && ("1"..."9").contains(word.suffix(1))
    }

    private static func percent(_ byte: UInt8) -> [UInt8] {
        let digits = String(byte, radix: 16)
        return Array("%\(digits.count < 2 ? "0" : "")\(digits)".utf8)
    }

    /// FNV-1a, 32 bits: the same in every process, as Hasher is not.
    private static func hash(_ bytes: [UInt8]) -> UInt32 {
        bytes.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
    }
}
