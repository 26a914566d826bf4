// Reading files that hold more than one job.

import Foundation
import Testing

@testable import Spool

private func read(_ text: String, _ kind: JobFileKind = .json) throws -> Submission {
    try Submission(Data(text.utf8), kind: kind)
}

/// The texts of all parts.
private func parts(_ text: String, _ kind: JobFileKind = .json) throws -> [String] {
    guard case .batch(let batch) = try read(text, kind) else {
        Issue.record("one job: \(text)")
        return []
    }
    var parts: [String] = []
    batch.forEach { parts.append(String(decoding: $0.text, as: UTF8.self)) }
    #expect(parts.count == batch.count)
    return parts
}

@Suite struct BatchTests {
    @Test("one object is one job", arguments: ["{}", " {\"prompt\": \"[\"}", "{\"sdspool\": {\"priority\": 1}}"])
    func job(text: String) throws {
        guard case .job = try read(text) else {
            Issue.record("no job: \(text)")
            return
        }
    }

    @Test("the jobs of an array are its elements, to the byte")
    func array() throws {
        let text = "\n[ {\"seed\": 1.0, \"a\" : [ ] },{},\n  {\"sdspool\": {\"priority\": 2}}\n]\n"
        #expect(try parts(text) == ["{\"seed\": 1.0, \"a\" : [ ] }", "{}", "{\"sdspool\": {\"priority\": 2}}"])
        #expect(try parts("[{}]") == ["{}"])
    }

    @Test("the jobs of JSON Lines are its lines, without their ends; blank ones are passed over")
    func lines() throws {
        let text = "{\"seed\": 1.0}\n\n \t\r\n  {}  \r\n{\"sdspool\": {\"matrix\": {\"seed\": [1, 2]}}}"
        #expect(try parts(text, .lines) == ["{\"seed\": 1.0}", "  {}  ", "{\"seed\": 1}", "{\"seed\": 2}"])
    }

    @Test("a byte order mark and UTF-16 are read as in any job file")
    func encodings() throws {
        #expect(try parts("\u{feff}[{}]") == ["{}"])
        #expect(try parts("\u{feff}{}\n{}", .lines) == ["{}", "{}"])
        let utf16 = try #require("\u{feff}[{\"p\": \"ä\"}]".data(using: .utf16LittleEndian))
        guard case .batch(let batch) = try Submission(utf16, kind: .json) else {
            Issue.record("no batch")
            return
        }
        batch.forEach { #expect($0.text == Data("{\"p\": \"ä\"}".utf8)) }
    }

    @Test("an element may have a matrix of its own, and all are one row of jobs")
    func mixed() throws {
        let text = #"[{"a": 1}, {"b": 2, "sdspool": {"matrix": {"seed": [3, 4]}, "priority": 7}}, {"c": 5}]"#
        #expect(
            try parts(text) == [
                #"{"a": 1}"#, #"{"seed": 3, "b": 2, "sdspool": {"priority": 7}}"#,
                #"{"seed": 4, "b": 2, "sdspool": {"priority": 7}}"#, #"{"c": 5}"#,
            ])
        guard case .batch(let batch) = try read(text) else { return }
        #expect(batch.priority == 5)
        var priorities: [UInt8] = []
        batch.forEach { priorities.append($0.priority) }
        #expect(priorities == [5, 7, 7, 5])
    }

    @Test("the whole batch waits where its most urgent part would")
    func priority() throws {
        guard case .batch(let batch) = try read(#"[{}, {"sdspool": {"priority": 2}}]"#) else { return }
        #expect(batch.priority == 2)
    }

    typealias Wrong = (text: String, message: String, line: Int?, column: Int?)

    @Test(
        "an array that is wrong in one place is wrong, and the place is named",
        arguments: [
            ("[]", "the list is empty: there is no job in it", nil, nil),
            ("[{},\n 5]", "line 2, column 2: job 2 of the list: it is no object like {\"prompt\": …}", 2, 2),
            ("[{},\n [{}]]", "line 2, column 2: job 2 of the list: it is no object like {\"prompt\": …}", 2, 2),
            ("[{},\n{\"a\" 1}]", "not JSON: line 2, column 6: a colon is missing behind the key", 2, 6),
            ("[{},\n{},]", "not JSON: line 2, column 4: a value is missing", 2, 4),
            ("[{}] {}", "not JSON: line 1, column 6: there is more text behind the end of the value", 1, 6),
            (
                "[{},\n {\"sdspool\": {\"priority\": 11}}]",
                "line 2, column 2: job 2 of the list: \"sdspool\".\"priority\" must be a whole number from 0 (first) to 9",
                2, 2
            ),
            (
                "[{},\n {\n \"sdspool\": {\"matrix\": {\n  \"seed\": []}}}]",
                "line 4, column 3: job 2 of the list: \"sdspool\".\"matrix\".\"seed\" is an empty list: there would be no job",
                4, 3
            ),
        ] as [Wrong])
    func wrongArray(wrong: Wrong) {
        let error = #expect(throws: JobFileError.self) { try read(wrong.text) }
        #expect(error?.message == wrong.message)
        #expect(error?.line == wrong.line)
        #expect(error?.column == wrong.column)
        #expect(error?.mayStillArrive == false)
    }

    @Test(
        "lines of which one is wrong are wrong, and the line is named",
        arguments: [
            ("{}\n\n{\"a\": }\n{}", "not JSON: line 3, column 7: a value is missing", 3, 7),
            (
                "{}\n{\"a\":\n1}\n",
                "not JSON: line 2, column 6: the line ends before its job does; each job of a .jsonl file stands in one line",
                2, 6
            ),
            ("{}\n[{}]\n", "not JSON: line 2, column 1: it is JSON, but no object like {\"prompt\": …}", 2, 1),
            ("{} {}\n", "not JSON: line 1, column 4: there is more text behind the end of the value", 1, 4),
            (
                "{}\n  {\"sdspool\": {\"x\": 1}}",
                "line 2, column 1: \"sdspool\" knows callback, endpoint, matrix, method, priority, server and wait, but not \"x\"",
                2, 1
            ),
        ] as [Wrong])
    func wrongLine(wrong: Wrong) {
        let error = #expect(throws: JobFileError.self) { try read(wrong.text, .lines) }
        #expect(error?.message == wrong.message)
        #expect(error?.line == wrong.line)
        #expect(error?.column == wrong.column)
        #expect(error?.mayStillArrive == false)
    }

    @Test(
        "what only ended too early may still arrive",
        arguments: [
            ("[", JobFileKind.json), ("[{},", .json), ("[{\"a\": 1}", .json), ("[{}, \0\0\0\0", .json), ("", .lines),
            ("\n\n", .lines), ("{}\n{\"a\": ", .lines), ("{}\n{}\n\0\0\0\0\0", .lines),
        ])
    func arriving(text: String, kind: JobFileKind) {
        let error = #expect(throws: JobFileError.self) { try read(text, kind) }
        #expect(error?.mayStillArrive == true)
    }

    @Test("too many parts, and parts that are too large, are refused before one of them is made")
    func limits() throws {
        let lines = String(repeating: "{}\n", count: Batch.limit)
        guard case .batch(let batch) = try read(lines, .lines) else { return }
        #expect(batch.count == Batch.limit)
        let many = #expect(throws: JobFileError.self) { try read(lines + "{}", .lines) }
        #expect(many?.message == "the file makes more than 100000 jobs; at most 100000 are taken from one")
        // What is wrong in the first is not even reached.
        let list = "[5" + String(repeating: ",{}", count: Batch.limit) + "]"
        let listed = #expect(throws: JobFileError.self) { try read(list) }
        #expect(listed?.message == "the file makes 100001 jobs; at most 100000 are taken from one")

        let numbers = (1...2_000).map(String.init).joined(separator: ",")
        let picture = String(repeating: "A", count: 600_000)
        let large = #expect(throws: JobFileError.self) {
            try read("{\"image\": \"\(picture)\", \"sdspool\": {\"matrix\": {\"seed\": [\(numbers)]}}}")
        }
        #expect(large?.message.contains("would take 1144 MiB, and at most 1024 are taken: put the pictures") == true)
    }

    @Test("of a matrix the first combination is a sample, of a list each job")
    func samples() throws {
        guard case .batch(let batch) = try read(#"[{"sdspool": {"matrix": {"seed": [7, 8]}}}, {"steps": 1}]"#) else {
            return
        }
        var samples: [(number: Int, job: JobFile)] = []
        batch.forEachSample { samples.append(($0, $1)) }
        #expect(samples.map(\.number) == [1, 3])
        #expect(
            samples.map { String(decoding: $0.job.object.text, as: UTF8.self) } == [#"{"seed": 7}"#, #"{"steps": 1}"#])
    }
}

@Suite struct MatrixTests {
    private func job(_ matrix: String, _ more: String = "") -> String {
        "{\"prompt\": \"a cat\", \"sdspool\": {\(more)\"matrix\": \(matrix)}}"
    }

    @Test("all combinations are made, the first key varying slowest, in the order in which they are written")
    func order() throws {
        let texts = try parts(job(#"{"steps": [10, 20], "seed": [3, 1, 2]}"#))
        #expect(
            texts
                == [(10, 3), (10, 1), (10, 2), (20, 3), (20, 1), (20, 2)].map {
                    "{\"steps\": \($0), \"seed\": \($1), \"prompt\": \"a cat\"}"
                })
    }

    @Test("values are set as they were written, in place of those that are there, and nothing is rounded")
    func values() throws {
        let text = #"""
            {
              "cfg_scale": 7,   "prompt": "a cat",
              "sdspool": {"matrix": {"cfg_scale": [7.50, 1e1], "script_args": [[1, {"a": null}]]}, "priority": 3}
            }
            """#
        #expect(
            try parts(text) == [
                "{\"script_args\": [1, {\"a\": null}], \n  \"cfg_scale\": 7.50,   \"prompt\": \"a cat\",\n  \"sdspool\": {\"priority\": 3}\n}",
                "{\"script_args\": [1, {\"a\": null}], \n  \"cfg_scale\": 1e1,   \"prompt\": \"a cat\",\n  \"sdspool\": {\"priority\": 3}\n}",
            ])
    }

    @Test(
        "of the orders only the matrix goes, and all of them where nothing else is left",
        arguments: [
            (#"{"sdspool": {"matrix": {"seed": [1]}}}"#, #"{"seed": 1}"#),
            (#"{"sdspool": {"matrix": {"seed": [1]}}, "a": 2}"#, #"{"seed": 1, "a": 2}"#),
            (
                #"{"a": 2, "sdspool": {"wait": true, "matrix": {"seed": [1]}, "priority": 1}}"#,
                #"{"seed": 1, "a": 2, "sdspool": {"wait": true, "priority": 1}}"#
            ),
        ])
    func jobOptions(text: String, expected: String) throws {
        #expect(try parts(text) == [expected])
    }

    @Test(
        "a matrix that is none is refused by what is wrong with it",
        arguments: [
            ("[]", "must be an object of lists such as {\"seed\": [1, 2, 3]}"), ("3", "must be an object of lists"),
            ("null", "must be an object of lists"),
            ("{}", "is empty: name a key and its values, such as {\"seed\": [1, 2, 3]}"),
            ("{\"seed\": 3}", ".\"seed\" must be a list of values such as [10, 20]"),
            ("{\"seed\": {\"a\": 1}}", ".\"seed\" must be a list"),
            ("{\"seed\": \"1, 2\"}", ".\"seed\" must be a list"),
            ("{\"steps\": [1], \"seed\": []}", ".\"seed\" is an empty list: there would be no job"),
            ("{\"sdspool\": [{}]}", ".\"sdspool\" cannot be: what it says is for all combinations"),
            ("{\"seed\": [1], \"seed\": [2]}", ".\"seed\" is there twice"),
        ])
    func wrong(matrix: String, expected: String) {
        let error = #expect(throws: JobFileError.self) { try read(job(matrix)) }
        #expect(error?.message.hasPrefix("line 1, column ") == true)
        #expect(
            error?.message.contains("\"sdspool\".\"matrix\"\(expected.hasPrefix(".") ? "" : " ")\(expected)") == true)
        #expect(error?.line == 1)
    }

    @Test("a product that is too large is refused, however large it is")
    func large() {
        let list = "[" + (1...1_000).map(String.init).joined(separator: ",") + "]"
        for keys in [2, 9] {
            let axes = (0..<keys).map { "\n\"k\($0)\": \(list)" }.joined(separator: ",")
            let error = #expect(throws: JobFileError.self) { try read(job("{\(axes)}")) }
            #expect(
                error?.message
                    == "line 3, column 1: \"sdspool\".\"matrix\".\"k1\" makes more than 100000 combinations of it")
        }
    }

    @Test("a long list of values is no reason to take the parts for large ones")
    func size() throws {
        let list = (1_000_000_000..<1_000_020_000).map(String.init).joined(separator: ",")
        guard case .batch(let batch) = try read(job("{\"seed\": [\(list)]}")) else { return }
        #expect(batch.count == 20_000)
    }
}
