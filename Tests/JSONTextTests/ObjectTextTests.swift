import Foundation
import JSONText
import Testing

private func edited(_ text: String, removing: Set<String> = [], seed: String? = nil) throws -> String {
    let object = try ObjectText(Data(text.utf8))
    let result =
        if let seed {
            object.text(removing: removing, setting: [("seed", Data(seed.utf8))])
        } else {
            object.text(removing: removing, setting: [])
        }
    _ = try ObjectText(result)
    return String(decoding: result, as: UTF8.self)
}

@Suite struct ObjectTextTests {
    @Test(
        "a member goes with its comma, and no other byte changes",
        arguments: [
            (#"{"a": 1.0, "x": {"y": [1]}, "b": 2}"#, #"{"a": 1.0, "b": 2}"#),
            (#"{"x": 1, "a": 1}"#, #"{"a": 1}"#),
            (#"{"a": 1 , "x": 1 }"#, #"{"a": 1 }"#),
            (#"{"x": 1}"#, #"{}"#),
            (#"{ "x" : 1 , "x" : 2 }"#, #"{  }"#),
            (#"{"x":1,"a":1e400,"x":2}"#, #"{"a":1e400}"#),
            (#"{"a":1,"x":1,"x":2}"#, #"{"a":1}"#),
            (#"{"a":12345678901234567890.10}"#, #"{"a":12345678901234567890.10}"#),
        ])
    func removing(text: String, expected: String) throws {
        #expect(try edited(text, removing: ["x"]) == expected)
    }

    @Test(
        "a value is put in the place of the old one, or first where there was none",
        arguments: [
            (#"{"seed": -1, "a": 1}"#, #"{"seed": 7, "a": 1}"#),
            (#"{"a": 1}"#, #"{"seed": 7, "a": 1}"#),
            (#"{"x": 1}"#, #"{"seed": 7}"#),
            (#"{}"#, #"{"seed": 7}"#),
            (#"{"seed": 1, "seed": -1}"#, #"{"seed": 1, "seed": 7}"#),
            (#"{"x": 1, "seed":null}"#, #"{"seed":7}"#),
        ])
    func setting(text: String, expected: String) throws {
        #expect(try edited(text, removing: ["x"], seed: "7") == expected)
    }

    @Test("only an object is an object", arguments: ["[1]", "[{\"a\":1}]", "1", "null", "\"x\""])
    func other(text: String) {
        #expect(throws: JSONSyntaxError.self) { try ObjectText(Data(text.utf8)) }
    }

    @Test("of a key that comes twice the last value counts")
    func twice() throws {
        #expect(try ObjectText(Data(#"{"a":1,"a":2}"#.utf8)).value(of: "a") == Data("2".utf8))
    }

    @Test("UTF-16 and byte order marks are read, other encodings are refused where they go wrong")
    func encodings() throws {
        let text = #"{"prompt": "Käse 🧀"}"#
        let utf16 = try #require(text.data(using: .utf16LittleEndian))
        #expect(try JSONEncodingForm.utf8(Data([0xff, 0xfe]) + utf16) == Data(text.utf8))
        #expect(try JSONEncodingForm.utf8(Data([0xef, 0xbb, 0xbf]) + Data(text.utf8)) == Data(text.utf8))
        let latin1 = Data(#"{"prompt": "K"#.utf8) + Data([0xe4]) + Data(#"se und Brot"}"#.utf8)
        let error = #expect(throws: JSONSyntaxError.self) { try JSONEncodingForm.utf8(latin1) }
        #expect(error?.kind == .malformed)
        #expect(error?.offset == 13)
    }
}

@Suite struct DocumentTests {
    @Test("members stand in the order given and texts of others as they were written")
    func document() throws {
        let value = JSONValue.object([
            ("z", .string("a\u{1b}\"\n")), ("a", .raw(Data("7.0".utf8))), ("n", .array([.integer(1), .null])),
            ("e", .object([])),
        ])
        let expected =
            "{\n  \"z\": \"a\\u001b\\\"\\n\",\n  \"a\": 7.0,\n  \"n\": [\n    1,\n    null\n  ],\n  \"e\": {}\n}\n"
        #expect(String(decoding: value.document, as: UTF8.self) == expected)
        _ = try JSONSerialization.jsonObject(with: value.document)
        let compact = #"{"z":"a\u001b\"\n","a":7.0,"n":[1,null],"e":{}}"#
        #expect(String(decoding: value.compact, as: UTF8.self) == compact)
    }
}
