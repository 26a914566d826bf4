// What the gateway has to know of a job while it comes: that it is a JSON object, where it ends, what it says to the queue,
// and how its prompt begins. It is never in memory as a whole.

import Foundation
import JSONText

/// Reads a job on its way into a file.
struct JobScanner {
    private var tokenizer = JSONTokenizer()
    private var notes = Notes()

    /// Behind the closing brace; `nil` where it has not come. What follows are blanks.
    var end: Int? { notes.end }
    /// Whether there is a member before the closing brace.
    var hasMembers: Bool { notes.hasMembers }
    /// Where the value of the `sdspool` key lies; the last one's, where it comes twice.
    var jobOptions: Range<Int>? { notes.jobOptions }
    /// The beginning of the prompt.
    var prompt: String { String(decoding: notes.prompt, as: UTF8.self) }

    /// Takes the next bytes. Throws ``JSONSyntaxError``.
    mutating func feed(_ bytes: [UInt8]) throws { try tokenizer.feed(bytes.span, to: &notes) }

    /// Tells that no more come. Throws ``JSONSyntaxError``, also where it is JSON, and no object.
    mutating func finish() throws {
        try tokenizer.finish(to: &notes)
        guard notes.end != nil else {
            throw JSONSyntaxError(kind: .malformed, problem: "it is no object such as {\"prompt\": …}", offset: 0)
        }
    }

    private struct Notes: JSONVisitor {
        var depth = 0
        var end: Int?
        var hasMembers = false
        var jobOptions: Range<Int>?
        var prompt: [UInt8] = []
        private var isObject = false
        private var key: [UInt8] = []
        private var start = 0

        mutating func began(object: Bool, at offset: Int) {
            if depth == 1 { start = offset }
            depth += 1
            isObject = depth == 1 ? object : isObject
        }

        mutating func ended(object: Bool, at end: Int) {
            depth -= 1
            if depth == 0, isObject { self.end = end }
            if depth == 1 { noteValue(end: end) }
        }

        mutating func key(_ text: [UInt8], at place: Range<Int>) {
            guard depth == 1 else { return }
            hasMembers = true
            key = text
            if isPrompt { prompt = [] }
        }

        mutating func stringBegan(at offset: Int) { if depth == 1 { start = offset } }

        mutating func string(_ piece: Span<UInt8>) {
            guard depth == 1, isPrompt, prompt.count < Self.promptLength else { return }
            for index in 0..<min(piece.count, Self.promptLength - prompt.count) { prompt.append(piece[index]) }
        }

        mutating func stringEnded(at end: Int) { if depth == 1 { noteValue(end: end) } }

        mutating func scalar(at place: Range<Int>) {
            guard depth == 1 else { return }
            start = place.lowerBound
            noteValue(end: place.upperBound)
        }

        private var isPrompt: Bool { key.elementsEqual("prompt".utf8) }

        private mutating func noteValue(end: Int) {
            if key.elementsEqual("sdspool".utf8) { jobOptions = start..<end }
        }

        private static let promptLength = 200
    }
}
