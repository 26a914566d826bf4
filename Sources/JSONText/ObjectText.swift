// A JSON object as the text that somebody wrote: which member lies where, and how to change one and no other byte.

import Foundation

/// The text of a JSON object, in UTF-8, and the places of its members.
package struct ObjectText: Sendable {
    /// A key and the places of the whole member (key to value) and of the value in ``ObjectText/text``.
    package struct Member: Hashable, Sendable {
        /// Unescaped.
        package let key: String
        /// From the key's opening quote to the end of the value.
        package let place: Range<Int>
        /// The value alone.
        package let value: Range<Int>
    }

    /// More members are an error: to know where they lie takes ten times the memory of the shortest of them.
    package static let maximumMembers = 1 << 16

    /// The text without a byte order mark.
    package let text: Data
    /// In the order in which they were written; a key may come twice.
    package let members: [Member]
    private let brace: Int

    /// Finds the members. Throws ``JSONSyntaxError``; a text that is JSON but no object is malformed, too.
    package init(_ text: Data) throws {
        var finder = MemberFinder()
        var tokenizer = JSONTokenizer()
        try tokenizer.feed(text.span, to: &finder)
        try tokenizer.finish(to: &finder)
        guard let brace = finder.brace else {
            throw JSONSyntaxError(
                kind: .malformed, problem: "it is JSON, but no object like {\"prompt\": …}", offset: 0)
        }
        self.text = text
        self.members = finder.members
        self.brace = brace
    }

    /// The text of a key's value; of the last one where the key comes twice, as most parsers have it.
    package func value(of key: String) -> Data? {
        members.last { $0.key == key }.map { slice($0.value) }
    }

    /// What stands at a place of ``text``, such as ``Member/value``; with its indices there.
    package subscript(place: Range<Int>) -> Data { slice(place) }

    /// A piece of an edited text.
    package enum Piece: Hashable, Sendable {
        /// As it was written, or put in; a slice of ``ObjectText/text`` where it was written.
        case text(Data)
        /// What stands at this place of ``ObjectText/text`` is left to the caller.
        case gap(Range<Int>)
    }

    /// The same text with members taken out and values put in place of others; the rest stays as it was written.
    ///
    /// - Parameters:
    ///   - removing: keys whose members go, each with the comma that it needs no more.
    ///   - setting: JSON texts by key. A key that is not there comes first in the object.
    package func text(removing: Set<String>, setting: [(key: String, value: Data)]) -> Data {
        var result = Data(capacity: text.count + 64)
        for case .text(let piece) in pieces(removing: removing, setting: setting, gaps: []) { result.append(piece) }
        return result
    }

    /// As ``text(removing:setting:)``, in pieces, and with gaps at some places. A gap lies in no member that goes or is
    /// set.
    package func pieces(
        removing: Set<String>, setting: [(key: String, value: Data)], gaps: [Range<Int>]
    ) -> [Piece] {
        var edits = gaps.map { (place: $0, piece: Piece.gap($0)) }
        let wanted = Set(setting.map(\.key))
        let kept = members.filter { !removing.contains($0.key) }
        var removals: [Range<Int>] = []
        for (index, member) in members.enumerated() where removing.contains(member.key) {
            if index + 1 < members.count {
                removals.append(member.place.lowerBound..<members[index + 1].place.lowerBound)
            } else {
                // The last one goes with the comma before it, if a member that stays is there.
                let start = kept.last?.place.upperBound ?? member.place.lowerBound
                removals.removeAll { $0.lowerBound >= start }
                removals.append(start..<member.place.upperBound)
            }
        }
        edits += removals.map { ($0, .text(Data())) }
        var places: [String: Range<Int>] = [:]
        for member in kept where wanted.contains(member.key) { places[member.key] = member.value }
        var added: [Data] = []
        for (key, value) in setting {
            if let place = places[key] {
                edits.append((place, .text(value)))
            } else {
                added.append(JSONString.encoded(key) + Data(": ".utf8) + value)
            }
        }
        if !added.isEmpty {
            let start = Data(added.joined(separator: Data(", ".utf8)))
            edits.append((brace + 1..<brace + 1, .text(kept.isEmpty ? start : start + Data(", ".utf8))))
        }
        edits.sort { ($0.place.lowerBound, $0.place.upperBound) < ($1.place.lowerBound, $1.place.upperBound) }
        return cut(by: edits)
    }

    private func cut(by edits: [(place: Range<Int>, piece: Piece)]) -> [Piece] {
        var pieces: [Piece] = []
        var copied = 0
        for edit in edits {
            pieces.append(.text(slice(copied..<edit.place.lowerBound)))
            pieces.append(edit.piece)
            copied = edit.place.upperBound
        }
        pieces.append(.text(slice(copied..<text.count)))
        return pieces.filter { $0 != .text(Data()) }
    }

    private func slice(_ place: Range<Int>) -> Data {
        text[text.startIndex + place.lowerBound..<text.startIndex + place.upperBound]
    }
}

/// Notes the members of the outermost object.
private struct MemberFinder: JSONVisitor {
    var brace: Int?
    var members: [ObjectText.Member] = []
    private var depth = 0
    private var key: (text: String, start: Int)?
    private var valueStart = 0

    mutating func began(object: Bool, at offset: Int) {
        if depth == 0, object { brace = offset }
        if depth == 1 { valueStart = offset }
        depth += 1
    }

    mutating func ended(object: Bool, at end: Int) throws {
        depth -= 1
        if depth == 1 { try endMember(valueStart..<end) }
    }

    mutating func key(_ text: [UInt8], at place: Range<Int>) {
        if depth == 1 { key = (String(decoding: text, as: UTF8.self), place.lowerBound) }
    }

    mutating func stringBegan(at offset: Int) {
        if depth == 1 { valueStart = offset }
    }

    mutating func string(_ piece: Span<UInt8>) {}

    mutating func stringEnded(at end: Int) throws {
        if depth == 1 { try endMember(valueStart..<end) }
    }

    mutating func scalar(at place: Range<Int>) throws {
        if depth == 1 { try endMember(place) }
    }

    private mutating func endMember(_ value: Range<Int>) throws {
        // Without a key it is an element of an array, which has no members.
        guard let key else { return }
        guard members.count < ObjectText.maximumMembers else {
            throw JSONSyntaxError(
                kind: .malformed, problem: "the object has more than \(ObjectText.maximumMembers) keys",
                offset: key.start)
        }
        members.append(ObjectText.Member(key: key.text, place: key.start..<value.upperBound, value: value))
        self.key = nil
    }
}
