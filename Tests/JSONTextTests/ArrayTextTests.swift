import Foundation
import JSONText
import Testing

@Suite struct ArrayTextTests {
    @Test(
        "each element lies where it was written",
        arguments: [
            ("[]", []), (" [ ] ", []), ("[1]", ["1"]),
            ("[ 1.50 ,\n-0e1, true,null ]", ["1.50", "-0e1", "true", "null"]),
            (#"["a]\"", "é"]"#, [#""a]\"""#, #""é""#]),
            (#"[[1, [2]], {"a": [3, {"b": 4}]}, {}, []]"#, ["[1, [2]]", #"{"a": [3, {"b": 4}]}"#, "{}", "[]"]),
        ])
    func elements(text: String, expected: [String]) throws {
        let array = try ArrayText(Data(text.utf8))
        #expect(array.elements.map { String(decoding: array[$0], as: UTF8.self) } == expected)
    }

    @Test("a slice of a larger text is read by itself, and its elements keep their indices in the larger one")
    func slice() throws {
        let text = Data(#"{"a": [10, 20]}"#.utf8)
        let array = try ArrayText(text[6..<14])
        #expect(array.elements == [1..<3, 5..<7])
        #expect(array[array.elements[1]].startIndex == 11)
    }

    @Test("what is no array is malformed", arguments: ["{}", "1", "\"[1]\"", "{\"a\": [1]}"])
    func noArray(text: String) {
        let error = #expect(throws: JSONSyntaxError.self) { try ArrayText(Data(text.utf8)) }
        #expect(error?.kind == .malformed)
    }

    @Test("a list of more elements than anybody writes is malformed, and so is an object of more keys")
    func tooMany() throws {
        let list = "[" + String(repeating: "1,", count: ArrayText.maximumElements) + "1]"
        let error = #expect(throws: JSONSyntaxError.self) { try ArrayText(Data(list.utf8)) }
        #expect(error?.problem == "the list has more than 1048576 elements")
        let object = "{" + String(repeating: "\"a\":1,", count: ObjectText.maximumMembers) + "\"a\":1}"
        let other = #expect(throws: JSONSyntaxError.self) { try ObjectText(Data(object.utf8)) }
        #expect(other?.problem == "the object has more than 65536 keys")
        #expect(try ObjectText(Data("{\"a\": \(list)}".utf8)).members.count == 1)
    }

    @Test("what ends too early is incomplete", arguments: ["[", "[1", "[1,", "[{\"a\": 1}"])
    func incomplete(text: String) {
        let error = #expect(throws: JSONSyntaxError.self) { try ArrayText(Data(text.utf8)) }
        #expect(error?.kind == .incomplete)
    }
}
