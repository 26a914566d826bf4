// JSON as text: the tokenizer in pieces and as a whole, and Foundation's opinion of the text and of each edit.

import Foundation

@testable import JSONText

/// Everything that the tokenizer tells, strings joined.
private struct Trace: JSONVisitor, Equatable {
    var events: [String] = []
    private var text: [UInt8] = []

    mutating func began(object: Bool, at offset: Int) { events.append("\(object ? "{" : "[") \(offset)") }
    mutating func ended(object: Bool, at end: Int) { events.append("\(object ? "}" : "]") \(end)") }
    mutating func key(_ text: [UInt8], at place: Range<Int>) { events.append("key \(text) \(place)") }
    mutating func stringBegan(at offset: Int) {
        events.append("string \(offset)")
        text = []
    }
    mutating func string(_ piece: Span<UInt8>) { for index in piece.indices { text.append(piece[index]) } }
    mutating func stringEnded(at end: Int) { events.append("\(text) \(end)") }
    mutating func scalar(at place: Range<Int>) { events.append("scalar \(place)") }

    static func of(_ pieces: [Data]) -> (trace: Trace, error: JSONSyntaxError?) {
        var trace = Trace()
        var tokenizer = JSONTokenizer()
        do {
            for piece in pieces { try tokenizer.feed(piece.span, to: &trace) }
            try tokenizer.finish(to: &trace)
            return (trace, nil)
        } catch let error as JSONSyntaxError {
            return (trace, error)
        } catch {
            fatalError("the tokenizer throws \(error)")
        }
    }
}

func fuzzJSON(_ input: Data) {
    var bytes = Bytes(input)
    let seed = bytes.next()
    let whole = Trace.of([bytes.rest])
    let cut = Trace.of(pieces(of: bytes.rest, seed: seed))
    check(whole == cut, "in pieces it is what it is as a whole")
    if let error = whole.error {
        check(error.offset <= bytes.rest.count, "the place of an error lies in the text: \(error)")
        _ = error.place(in: bytes.rest)
    }
    guard let text = try? JSONEncodingForm.utf8(bytes.rest) else { return }
    let ours = try? ObjectText(text)
    let theirs = try? JSONSerialization.jsonObject(with: text) as? [String: Any]
    if let theirs, ours == nil {
        check(isForFoundationOnly(text), "Foundation reads it: \(theirs)")
    }
    guard let ours else { return }
    guard isForFoundation(text) else { return }
    check(theirs != nil, "it is JSON for Foundation, too")
    check(Set(ours.members.map(\.key)) == Set(theirs?.keys.map { $0 } ?? []), "the keys are Foundation's")
    let gone: Set = [ours.members.first?.key ?? "a"]
    let kept = ours.members.filter { !gone.contains($0.key) }
    let set = kept.last?.key ?? "b"
    let edited = ours.text(removing: gone, setting: [(set, Data("[1.0]".utf8)), ("new key", Data("null".utf8))])
    guard let again = try? ObjectText(edited) else { fatalError("an edit is JSON: \(edited as NSData)") }
    check((try? JSONSerialization.jsonObject(with: edited)) != nil, "an edit is JSON for Foundation")
    check(again.value(of: set) == Data("[1.0]".utf8), "what is set is there")
    for key in gone where key != "new key" && key != set { check(again.value(of: key) == nil, "\(key) is gone") }
    // As it was written: all members that are neither taken out nor set, in their order.
    let rest = kept.filter { $0.key != set && $0.key != "new key" }.map { written($0.place, in: ours) }
    let came = again.members.filter { $0.key != set && $0.key != "new key" }.map { written($0.place, in: again) }
    check(rest == came, "the others are as they were written")
}

private func written(_ place: Range<Int>, in object: ObjectText) -> Data {
    Data(object.text[object.text.startIndex + place.lowerBound..<object.text.startIndex + place.upperBound])
}

/// Half a surrogate pair and numbers that no Double holds are JSON by RFC 8259, and Foundation refuses them.
func isForFoundation(_ text: Data) -> Bool {
    let words = String(decoding: text, as: UTF8.self).lowercased()
    return !words.contains("\\ud") && !words.contains(/[0-9.][e][-+]?[0-9]{3}|[0-9]{300}/)
        && !words.hasPrefix("\u{feff}")
}

/// What RFC 8259 does not know and Foundation takes: a byte order mark within, NULs for UTF-16 or UTF-32 without a mark,
/// and a comma behind the last member.
func isForFoundationOnly(_ text: Data) -> Bool {
    text.contains(0) || text.starts(with: [0xef, 0xbb, 0xbf])
        || String(decoding: text, as: UTF8.self).contains(/,[ \t\r\n]*[}\]]/)
}
