import Foundation
import JSONText
import Testing

/// Writes down what the tokenizer tells, so that a table can say what is due.
private struct Protocol: JSONVisitor {
    var told: [String] = []
    private var text: [UInt8] = []

    mutating func began(object: Bool, at offset: Int) { told.append("\(object ? "{" : "[")\(offset)") }
    mutating func ended(object: Bool, at end: Int) { told.append("\(object ? "}" : "]")\(end)") }
    mutating func key(_ text: [UInt8], at place: Range<Int>) {
        told.append("key \(String(decoding: text, as: UTF8.self)) \(place)")
    }
    mutating func stringBegan(at offset: Int) {
        text = []
        told.append("\"\(offset)")
    }
    mutating func string(_ piece: Span<UInt8>) { for index in piece.indices { text.append(piece[index]) } }
    mutating func stringEnded(at end: Int) { told.append("\(String(decoding: text, as: UTF8.self))\"\(end)") }
    mutating func scalar(at place: Range<Int>) { told.append("scalar \(place)") }
}

private func tell(_ text: String, inPiecesOf size: Int = .max) throws -> [String] {
    var visitor = Protocol()
    var tokenizer = JSONTokenizer()
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let piece = Array(rest.prefix(size))
        try tokenizer.feed(piece.span, to: &visitor)
        rest = rest.dropFirst(piece.count)
    }
    try tokenizer.finish(to: &visitor)
    return visitor.told
}

@Suite struct TokenizerTests {
    static let texts: [(String, [String])] = [
        (#"{"a": 1}"#, ["{0", "key a 1..<4", "scalar 6..<7", "}8"]),
        (#"{}"#, ["{0", "}2"]),
        (#"[ ]"#, ["[0", "]3"]),
        (
            #" [1,-0.5e+3 , true,null]"#,
            ["[1", "scalar 2..<3", "scalar 4..<11", "scalar 14..<18", "scalar 19..<23", "]24"]
        ),
        (#""a\n\u00e9\/\"""#, ["\"0", "a\né/\"\"15"]),
        (#""\ud83d\ude00!""#, ["\"0", "😀!\"15"]),
        (#""\ud83dx\udc00""#, ["\"0", "\u{fffd}x\u{fffd}\"15"]),
        ("-12", ["scalar 0..<3"]),
        (
            #"{"k\u0041":[{"x":""}]}"#,
            ["{0", "key kA 1..<10", "[11", "{12", "key x 13..<16", "\"17", "\"19", "}20", "]21", "}22"]
        ),
    ]

    @Test("a text is told the same whatever the size of its pieces", arguments: texts, [Int.max, 1, 2, 3, 7])
    func pieces(row: (String, [String]), size: Int) throws {
        #expect(try tell(row.0, inPiecesOf: size) == row.1)
    }

    @Test("every proper prefix of an object is incomplete and not malformed")
    func prefixes() throws {
        let text = #"{"prompt": "a \"c\u00e4t\" \ud83d\ude00", "n": [1, -2.5e-3, {"x": null}], "b": false}"#
        _ = try tell(text)
        for length in 0..<text.utf8.count {
            let prefix = String(decoding: Array(text.utf8.prefix(length)), as: UTF8.self)
            let error = #expect(throws: JSONSyntaxError.self) { try tell(prefix) }
            #expect(error?.kind == .incomplete, "\(prefix)")
        }
    }

    @Test(
        "what is not JSON is refused at its first wrong byte",
        arguments: [
            ("{'a': 1}", 1), (#"{"a" 1}"#, 5), (#"{"a": 1,}"#, 8), ("[1 2]", 3), ("[1,]", 3), ("01", 1), ("[1.]", 3),
            ("[-]", 2), ("[1e]", 3), ("tru3", 3), ("nul!", 3), ("\"a\nb\"", 2), (#""\x""#, 2), (#""\u12g4""#, 5),
            ("{} {}", 3), ("{}\0", 2), ("{]", 1), ("[}", 1), ("NaN", 0), ("\u{feff}{}", 0), ("hello", 0),
        ])
    func malformed(text: String, offset: Int) {
        let error = #expect(throws: JSONSyntaxError.self) { try tell(text) }
        #expect(error?.kind == .malformed)
        #expect(error?.offset == offset)
    }

    @Test("512 levels are read and one more is an error")
    func depth() throws {
        func nested(_ levels: Int) -> String {
            String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        }
        _ = try tell(nested(512))
        #expect(throws: JSONSyntaxError.self) { try tell(nested(513)) }
    }

    @Test("line and column count characters from 1")
    func place() {
        let error = JSONSyntaxError(kind: .malformed, problem: "", offset: Array("{\n  \"é\" ".utf8).count)
        #expect(error.place(in: Data("{\n  \"é\" x".utf8)) == (2, 7))
    }
}
