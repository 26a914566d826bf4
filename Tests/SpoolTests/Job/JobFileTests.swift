import Foundation
import Testing

@testable import Spool

private func problem(in bytes: Data) -> JobFileError? {
    do throws(JobFileError) {
        _ = try JobFile(bytes)
        return nil
    } catch {
        return error
    }
}

private let text = #"{"prompt": "Käse 🧀 \u00e4", "steps": 20, "sdspool": {"priority": 3}, "n": [1.5e3, null]}"#

/// The same job as tools on all systems write it.
private let spellings: [(String, Data)] = [
    ("UTF-8", Data(text.utf8)),
    ("with a byte order mark", Data([0xef, 0xbb, 0xbf]) + Data(text.utf8)),
    (
        "UTF-16, little end first",
        Data([0xff, 0xfe]) + Data(text.utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] })
    ),
    ("UTF-16, big end first", Data([0xfe, 0xff]) + Data(text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] })),
    ("with the line ends of Windows", Data(("\r\n" + text.replacing(", ", with: ",\r\n\t") + "\r\n").utf8)),
]

@Suite struct JobFileTests {
    @Test("a job is read in each encoding that tools write", arguments: spellings)
    func encodings(spelling: String, bytes: Data) throws {
        let job = try JobFile(bytes)
        #expect(job.jobOptions.priority == 3)
        #expect(job.object.members.map(\.key) == ["prompt", "steps", "sdspool", "n"])
        #expect(job.object.value(of: "prompt") == Data(#""Käse 🧀 \u00e4""#.utf8))
    }

    @Test("a job that is cut off anywhere may still arrive", arguments: spellings)
    func truncated(spelling: String, bytes: Data) {
        let end = bytes.lastIndex(of: UInt8(ascii: "}")) ?? 0
        for length in 0..<end {
            #expect(problem(in: bytes.prefix(length))?.mayStillArrive == true, "\(length) bytes of \(spelling)")
        }
    }

    @Test("a file that was made at its full size and is being filled may still arrive", arguments: spellings)
    func preallocated(spelling: String, bytes: Data) {
        let end = bytes.lastIndex(of: UInt8(ascii: "}")) ?? 0
        for length in 0..<end {
            let hole = bytes.prefix(length) + Data(count: bytes.count - length)
            #expect(problem(in: hole)?.mayStillArrive == true, "\(length) bytes of \(spelling)")
        }
    }

    @Test(
        "what is no object never becomes one",
        arguments: [
            "[]", "[{\"prompt\": \"a cat\"}]", "1", "null", "true", "\"x\"", "{} {}", "{}x", "hello", "{'a': 1}",
            "{\"a\": 1,}", "{\"a\": 01}", "<html>", "{\"a\": \"x\ny\"}", "{\"a\": NaN}", "{\"a\" 1}",
        ])
    func wrong(text: String) throws {
        #expect(try #require(problem(in: Data(text.utf8))).mayStillArrive == false)
    }

    @Test("nesting without an end is an error and no crash")
    func nesting() throws {
        let deep = Data(("{\"a\":" + String(repeating: "[", count: 100_000)).utf8)
        #expect(try #require(problem(in: deep)).mayStillArrive == false)
    }

    @Test("an empty file is called empty")
    func empty() {
        #expect(problem(in: Data())?.message == "the file is empty")
        #expect(problem(in: Data())?.mayStillArrive == true)
    }

    @Test(
        "an error names line and column as an editor counts them",
        arguments: [
            ("{\"a\": 1,}", 1, 9), ("{\n  \"a\": 1\n  \"b\": 2\n}", 3, 3), ("{\r\n\"ä🧀\": x}", 2, 7), ("x", 1, 1),
            ("\u{feff}{\"a\": x}", 1, 7),
        ])
    func place(text: String, line: Int, column: Int) throws {
        let error = try #require(problem(in: Data(text.utf8)))
        #expect(error.line == line)
        #expect(error.column == column)
        #expect(error.message.hasPrefix("not JSON: line \(line), column \(column): "))
    }

    @Test("another encoding is told as what it is")
    func latin1() throws {
        let bytes = Data(#"{"prompt": "K"#.utf8) + Data([0xe4]) + Data(#"se und Brot"}"#.utf8)
        for mark in [Data(), Data([0xef, 0xbb, 0xbf])] {
            let error = try #require(problem(in: mark + bytes))
            #expect(error.message.contains("it is not UTF-8"))
            #expect(error.line == 1)
            #expect(error.column == 14)
            #expect(!error.mayStillArrive)
        }
    }
}
