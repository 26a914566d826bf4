// A JSON array as the text that somebody wrote: where each of its elements lies.

import Foundation

/// The text of a JSON array, in UTF-8, and the places of its elements.
package struct ArrayText: Sendable {
    /// More elements are an error: to know where they lie takes eight times the memory of the shortest of them.
    package static let maximumElements = 1 << 20

    /// The text without a byte order mark.
    package let text: Data
    /// In order, each from its first byte to its last, in bytes from the beginning of ``text``.
    package let elements: [Range<Int>]

    /// Finds the elements. Throws ``JSONSyntaxError``; a text that is JSON but no array is malformed, too.
    package init(_ text: Data) throws {
        var finder = ElementFinder()
        var tokenizer = JSONTokenizer()
        try tokenizer.feed(text.span, to: &finder)
        try tokenizer.finish(to: &finder)
        guard finder.isArray else {
            throw JSONSyntaxError(kind: .malformed, problem: "it is JSON, but no list like [1, 2]", offset: 0)
        }
        self.text = text
        elements = finder.elements
    }

    /// The text of an element, with its indices in ``text``.
    package subscript(element: Range<Int>) -> Data {
        text[text.startIndex + element.lowerBound..<text.startIndex + element.upperBound]
    }
}

/// Notes the elements of the outermost array.
private struct ElementFinder: JSONVisitor {
    var isArray = false
    var elements: [Range<Int>] = []
    private var depth = 0
    private var start = 0

    mutating func began(object: Bool, at offset: Int) {
        if depth == 0 { isArray = !object }
        if depth == 1 { start = offset }
        depth += 1
    }

    mutating func ended(object: Bool, at end: Int) throws {
        depth -= 1
        if depth == 1 { try endElement(start..<end) }
    }

    mutating func key(_ text: [UInt8], at place: Range<Int>) {}

    mutating func stringBegan(at offset: Int) {
        if depth == 1 { start = offset }
    }

    mutating func string(_ piece: Span<UInt8>) {}

    mutating func stringEnded(at end: Int) throws {
        if depth == 1 { try endElement(start..<end) }
    }

    mutating func scalar(at place: Range<Int>) throws {
        if depth == 1 { try endElement(place) }
    }

    private mutating func endElement(_ place: Range<Int>) throws {
        guard elements.count < ArrayText.maximumElements else {
            throw JSONSyntaxError(
                kind: .malformed, problem: "the list has more than \(ArrayText.maximumElements) elements",
                offset: place.lowerBound)
        }
        elements.append(place)
    }
}
