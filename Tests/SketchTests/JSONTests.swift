import Foundation
import Testing

@testable import Sketch

@Suite("JSON")
struct JSONTests {
    static func read(_ text: String) throws(JSONError) -> JSON { try JSONReader.read(Array(text.utf8)) }

    @Test(
        "comes out as it went in: order of keys, spelling of numbers, all characters",
        arguments: [
            #"{"b":1,"a":[true,false,null,{}],"c":[]}"#, "9007199254740993", "18446744073709551616",
            "-0.10e-7",
            #""猫 \"\\\n\r\t\u0001 🐈""#, "[1,1.0,1E5]",
        ])
    func roundTrip(text: String) throws {
        #expect(String(decoding: try Self.read(text).written(), as: UTF8.self) == text)
    }

    @Test("is written as Python writes it")
    func python() throws {
        let text = #"{"a": [1, "\u732b \ud83d\udc08 \u00e9\n"], "b": {}}"#
        #expect(String(decoding: try Self.read(text).written(.python), as: UTF8.self) == text)
    }

    static let broken: [(String, String, Int)] = [
        ("", "Expecting value", 0), ("hello", "Expecting value", 0),
        (#"{"x"#, "Unterminated string starting at", 1),
        (#"{"prompt": "a cat","#, "Expecting property name enclosed in double quotes", 19),
        (#"{"a" 1}"#, "Expecting ':' delimiter", 5), (#"{"a":1 "b":2}"#, "Expecting ',' delimiter", 7),
        ("[1 2]", "Expecting ',' delimiter", 3), ("[1,]", "Expecting value", 3), ("1 2", "Extra data", 2),
        ("01", "Extra data", 1), ("1.", "Extra data", 1), ("1e", "Extra data", 1),
        ("-", "Expecting value", 0),
        ("\"a\nb\"", "Invalid control character at", 2), (#""\x""#, #"Invalid \escape"#, 1),
        (#""\u12g4""#, #"Invalid \uXXXX escape"#, 2), (#""\u+123""#, #"Invalid \uXXXX escape"#, 2),
        (#""\"#, "Unterminated string starting at", 1), (#""\u12"#, #"Invalid \uXXXX escape"#, 2),
    ]

    @Test("is complained about in Python's words, at Python's place", arguments: broken)
    func complaint(text: String, words: String, position: Int) {
        #expect(throws: JSONError(words: words, position: position)) { try Self.read(text) }
    }

    @Test("may not be nested without end")
    func depth() {
        #expect(throws: JSONError.self) { try Self.read(String(repeating: "[", count: 100_000)) }
    }

    @Test("has characters beside the basic plane, and survives halves of them")
    func surrogates() throws {
        #expect(try Self.read(#""\ud83d\udc08""#).text == "🐈")
        #expect(try Self.read(#""\ud83d!""#).text == "\u{fffd}!")
        #expect(try Self.read(#""\ud83d\u0041""#).text == "\u{fffd}A")
    }

    @Test("of a body is converted as leniently as A1111 does it")
    func lenient() throws {
        let body = try Self.read(
            #"{"prompt":5,"steps":"21","width":20.7,"cfg_scale":7,"seed":9007199254740993,"send_images":"no","eta":"0.5"}"#
        )
        let fields = try Field.validate(body, Field.txt2img)
        #expect(fields["prompt"]?.text == "5")
        #expect(fields["steps"]?.int == 21)
        #expect(fields["width"]?.int == 20)
        #expect(fields["seed"]?.int == 9_007_199_254_740_993)
        #expect(fields["send_images"]?.isTrue == false)
        #expect(String(decoding: fields["cfg_scale"]?.written() ?? [], as: UTF8.self) == "7.0")
        #expect(fields["eta"]?.double == 0.5)
    }
}
