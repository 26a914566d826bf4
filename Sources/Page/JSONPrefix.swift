// The beginning of a JSON object of somebody's: a result may hold megabytes that nobody wants to see on a page.

import Foundation
import JSONText

/// The members of an object that lie whole in the first bytes of its text.
struct JSONPrefix {
    private var values: [String: Any] = [:]

    /// Reads the members of these names. What is no JSON object, or ends before them, has none; the last of two of a
    /// name counts.
    init(_ text: Data, _ names: Set<String>) {
        var finder = Finder(names: names)
        var tokenizer = JSONTokenizer()
        // What is broken further on has said by then what it has to say.
        try? tokenizer.feed(text.span, to: &finder)
        for (name, place) in finder.places {
            let value = text[text.startIndex + place.lowerBound..<text.startIndex + place.upperBound]
            // A value that Foundation does not take is as good as none.
            values[name] = try? JSONSerialization.jsonObject(with: value, options: .fragmentsAllowed)
        }
    }

    /// The members of an object that was read already.
    init(_ object: Any?) { values = object as? [String: Any] ?? [:] }

    func text(_ name: String) -> String? { values[name] as? String }
    func object(_ name: String) -> JSONPrefix { JSONPrefix(values[name]) }
    func list(_ name: String) -> [Any] { values[name] as? [Any] ?? [] }
    func number(_ name: String) -> Double? { (values[name] as? NSNumber)?.doubleValue }

    /// A whole number; `nil` for one that is none.
    func whole(_ name: String) -> Int? { (values[name] as? NSNumber).flatMap { Int(exactly: $0) } }
}

/// Notes where the wanted members of the outermost object lie.
private struct Finder: JSONVisitor {
    let names: Set<String>
    var places: [String: Range<Int>] = [:]
    private var depth = 0
    private var isObject = false
    private var name: String?
    private var start = 0

    init(names: Set<String>) { self.names = names }

    mutating func began(object: Bool, at offset: Int) {
        if depth == 0 { isObject = object }
        if depth == 1 { start = offset }
        depth += 1
    }

    mutating func ended(object: Bool, at end: Int) {
        depth -= 1
        if depth == 1 { note(start..<end) }
    }

    mutating func key(_ text: [UInt8], at place: Range<Int>) {
        if depth == 1 { name = String(decoding: text, as: UTF8.self) }
    }

    mutating func stringBegan(at offset: Int) {
        if depth == 1 { start = offset }
    }

    mutating func string(_ piece: Span<UInt8>) {}

    mutating func stringEnded(at end: Int) {
        if depth == 1 { note(start..<end) }
    }

    mutating func scalar(at place: Range<Int>) {
        if depth == 1 { note(place) }
    }

    private mutating func note(_ place: Range<Int>) {
        if isObject, let name, names.contains(name) { places[name] = place }
        name = nil
    }
}
