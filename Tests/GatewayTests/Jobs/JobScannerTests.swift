// What the door sees of a job while it comes.

import JSONText
import Testing

@testable import Gateway

@Suite struct JobScannerTests {
    @Test(
        "a job is the same in whatever pieces it comes",
        arguments: [
            (#"{}"#, 2, false, nil, ""), (#" {"prompt": "a cat"} \#n"#, 20, true, nil, "a cat"),
            (#"{"prompt": "a", "prompt": "b"}"#, 30, true, nil, "b"),
            (#"{"sdspool": {"priority": 3}}"#, 28, true, 12..<27, ""),
            (#"{"sdspool": 1, "sdspool": [2]}"#, 30, true, 26..<29, ""),
            (#"{"a": {"sdspool": 1, "prompt": "x"}}"#, 36, true, nil, ""),
            (#"{"prompt": ["x"], "\u0073dspool": {}}"#, 37, true, 34..<36, ""),
            (#"{"prompt": "\u00e9 } \""}"#, 25, true, nil, "é } \""),
        ] as [(String, Int, Bool, Range<Int>?, String)])
    func pieces(text: String, end: Int, hasMembers: Bool, jobOptions: Range<Int>?, prompt: String) throws {
        let bytes = Array(text.utf8)
        for length in 1...bytes.count {
            var scanner = JobScanner()
            for start in stride(from: 0, to: bytes.count, by: length) {
                try scanner.feed(Array(bytes[start..<min(start + length, bytes.count)]))
            }
            try scanner.finish()
            #expect(scanner.end == end)
            #expect(scanner.hasMembers == hasMembers)
            #expect(scanner.jobOptions == jobOptions)
            #expect(scanner.prompt == prompt)
        }
    }

    @Test("what is no object is no job", arguments: ["", "[]", "1", "{", "{}}", "{} x", "nul", "\u{feff}{}"])
    func none(text: String) {
        #expect(throws: JSONSyntaxError.self) {
            var scanner = JobScanner()
            try scanner.feed(Array(text.utf8))
            try scanner.finish()
        }
    }
}
