// What nobody means well with: in the inbox, and in the answers of a server. Each has its outcome told, the daemon lives
// on, a job beside it is done, and memory stays flat.

import Foundation
import Glibc
import HTTP
import Linux
import StandIn
import Testing

@Suite(.witnessed) struct HostileTests {
    /// What becomes of a file.
    enum Outcome {
        case leftAlone(String)
        /// Passed over in silence.
        case passedOver
        case failed(String)
        case done(String)
    }

    struct Drop: Sendable, CustomTestStringConvertible {
        let name: [UInt8]
        let outcome: Outcome
        /// Makes the file at that path, in bytes with a NUL behind them. The folder around the spool is for what is not
        /// in it.
        let make: @Sendable (_ path: [CChar], _ surroundings: String) throws -> Void

        init(
            _ name: [UInt8], _ outcome: Outcome, _ make: @escaping @Sendable ([CChar], String) throws -> Void
        ) { (self.name, self.outcome, self.make) = (name, outcome, make) }

        init(_ name: String, _ outcome: Outcome, _ make: @escaping @Sendable ([CChar], String) throws -> Void) {
            self.init(Array(name.utf8), outcome, make)
        }

        init(_ name: String, _ outcome: Outcome, text: String) {
            self.init(name, outcome) { path, _ in try write(Data(text.utf8), path) }
        }

        var testDescription: String { String(decoding: name, as: UTF8.self) }
    }

    static let files: [Drop] = [
        Drop("link.json", .leftAlone("a symbolic link")) { path, folder in
            try write(Data(smallJob().utf8), Array("\(folder)/target".utf8CString))
            try call(symlink("\(folder)/target", path))
        },
        Drop("fifo.json", .leftAlone("a FIFO, a socket or a device")) { path, _ in try call(mkfifo(path, 0o644)) },
        Drop("folder.json", .passedOver) { path, _ in try call(mkdir(path, 0o755)) },
        Drop("hardlink.json", .done("hardlink")) { path, folder in
            try write(Data(smallJob().utf8), Array("\(folder)/elsewhere".utf8CString))
            try call(link("\(folder)/elsewhere", path))
        },
        Drop("empty.json", .failed("the file is empty"), text: ""),
        Drop("gigabytes.json", .failed("at most 1048576 are read")) { path, _ in try sparse(path, 3 << 30) },
        Drop("terabytes.json", .failed("at most 1048576 are read")) { path, _ in try sparse(path, 8 << 40) },
        Drop("new\nline.json", .done("new%0aline"), text: smallJob()),
        Drop("es\u{1b}[2Jcape.json", .done("es%1b[2Jcape"), text: smallJob()),
        Drop("up..json", .done("up%2e"), text: smallJob()),
        Drop(String(repeating: "n", count: 250) + ".json", .done(String(repeating: "n", count: 191)), text: smallJob()),
        Drop(Array("bad".utf8) + [0xff] + Array(".json".utf8), .done("bad%ff")) { path, _ in
            try write(Data(smallJob().utf8), path)
        },
        // The same letter, composed and not: two files, and two jobs.
        Drop("caf\u{e9}.json", .done("caf\u{e9}"), text: smallJob()),
        Drop("cafe\u{301}.json", .done("cafe\u{301}"), text: smallJob()),
        Drop("nul-picture.json", .failed("assets"), text: #"{"init_images": ["assets/a\u0000b.png"]}"#),
        Drop("up-picture.json", .failed("assets"), text: #"{"init_images": ["assets/../../../etc/passwd.png"]}"#),
        Drop("nul-path.json", .failed("a path on the server"), text: #"{"sdspool": {"endpoint": "/a\u0000b"}}"#),
        Drop("long-path.json", .failed("servers take at most"), text: #"{"sdspool": {"endpoint": "/\#(long)"}}"#),
        // Two things for one place: what the daemon would call the render, and a picture.
        Drop("task-picture.json", .failed("str type expected")) { path, _ in
            let folder = URL(
                fileURLWithPath: String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            ).deletingLastPathComponent()
            let picture = folder.deletingLastPathComponent().appendingPathComponent("assets/task.png")
            try Data(base64Encoded: dot)?.write(to: picture)
            // Whatever is started beside has it open, too, until it is a program of its own: it would not be there in time.
            let assets = try Directory(path: picture.deletingLastPathComponent().path)
            while try assets.file("task.png").hasWriter == true { usleep(500) }
            try write(Data(smallJob(#""force_task_id": {"image": "task.png"}"#).utf8), path)
        },
        Drop("deep.json", .done("deep"), text: smallJob("\"a\": " + nested(511))),
        Drop("deeper.json", .failed("nested more than 512 levels deep"), text: smallJob("\"a\": " + nested(512))),
        Drop("deepest.json", .failed("nested more than 512 levels deep"), text: nested(400_000)),
        Drop("twice.json", .done("twice"), text: smallJob(#""seed": 1, "seed": 2, "steps": 1"#)),
        Drop("bigint.json", .done("bigint"), text: smallJob(#""x": 123456789012345678901234567890, "y": 1e999"#)),
        Drop("keys.json", .failed("more than 65536 keys"), text: "{" + String(repeating: "\"\":1,", count: 200_000)),
        Drop("bom.json", .done("bom")) { path, _ in try write([0xef, 0xbb, 0xbf] + Data(smallJob().utf8), path) },
        Drop("utf16.json", .done("utf16")) { path, _ in
            try write(
                [0xff, 0xfe] + smallJob().utf16.reduce(into: Data()) { $0 += [UInt8($1 & 0xff), UInt8($1 >> 8)] }, path)
        },
        Drop("latin1.json", .failed("not UTF-8")) { path, _ in
            try write(Data(#"{"prompt": "caf"#.utf8) + [0xe9] + Data(#" au lait"}"#.utf8), path)
        },
    ]

    private static let long = String(repeating: "x", count: 100_000)
    private static func nested(_ levels: Int) -> String {
        String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
    }

    @Test("whatever lies in the inbox has its outcome told, and the daemon goes on with flat memory")
    func inbox() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url, "--max-job-size", "1")
        var files = Self.files
        if geteuid() == 0 {
            files.append(
                Drop("device.json", .leftAlone("a FIFO, a socket or a device")) { path, _ in
                    // /dev/null, by another name. A container may not be allowed to: then it is one FIFO more.
                    if mknod(path, S_IFCHR | 0o644, 0x103) != 0 { try call(mkfifo(path, 0o644)) }
                })
        } else {
            files.append(
                Drop("unreadable.json", .failed("cannot be read")) { path, _ in
                    try write(Data(smallJob().utf8), path)
                    try call(chmod(path, 0))
                })
        }
        let socket = try Self.listen(at: "\(spool.path("inbox").path)/socket.json")
        defer { close(socket) }
        // Whole, and then moved in: one that is made there could be given up before it is written.
        let stage = spool.path("stage")
        try FileManager.default.createDirectory(at: stage, withIntermediateDirectories: false)
        for file in files {
            let paths = [stage, spool.path("inbox")].map { folder in
                (Array(folder.path.utf8) + [UInt8(ascii: "/")] + file.name + [0]).map { CChar(bitPattern: $0) }
            }
            try file.make(paths[0], spool.surroundings.path)
            try call(rename(paths[0], paths[1]))
        }
        try await daemon.says("inbox/socket.json", "a FIFO, a socket or a device")
        for file in files {
            switch file.outcome {
            case .leftAlone(let words): try await daemon.says("inbox/\(file.testDescription)", words)
            case .passedOver: #expect(spool.list("inbox").contains(file.testDescription))
            case .failed(let words):
                let name = file.testDescription.replacing(".json", with: "")
                try await daemon.says("failed/\(name)")
                let message = try #require(try spool.document("failed/\(name)/error.json")["message"] as? String)
                #expect(message.contains(words), "\(file.testDescription): \(message.prefix(300))")
            case .done(let name):
                try await daemon.line("done \(name)") { line in
                    // By bytes: the two spellings of one letter are equal as Strings.
                    Data(line.utf8).range(of: Data("done \(name)".utf8)) != nil
                }
            }
        }
        // A file elsewhere that a name in the inbox is a link to is as it was.
        for other in ["elsewhere", "target"] {
            #expect(try Data(contentsOf: spool.surroundings.appendingPathComponent(other)) == Data(smallJob().utf8))
        }
        let peak = try daemon.peak()
        #expect(try await daemon.stop() == 0)
        #expect(peak < flat, "\(peak) KiB")
        #expect(daemon.lines.allSatisfy { !$0.utf8.contains(0x1b) })
        await standIn.stop()
    }

    @Test("a file that grows and grows is not taken and holds up nobody; when it ends it fails by its size")
    func growing() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url, "--max-job-size", "1", "--settle", "3600")
        let path = spool.path("inbox/growing.json")
        try Data(#"{"prompt": ""#.utf8).write(to: path)
        let file = try FileHandle(forWritingTo: path)
        try file.seekToEnd()
        for round in 1...4 {
            for _ in 0..<10 { try file.write(contentsOf: Data(repeating: 0x78, count: 64 << 10)) }
            // A job that is dropped and done meanwhile is the time that passes.
            try spool.drop("other-\(round)", smallJob())
            try await daemon.says("done other-\(round)")
        }
        try file.close()
        try await daemon.says("failed/growing", "at most 1048576 are read")
        #expect(try daemon.peak() < flat)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    /// In the manner of the JSON test suites: values that are JSON and values that are not, in every place where a value
    /// can stand. What ends too early, and what a line of a log could be mistaken for, is among them.
    static var texts: (jobs: [[UInt8]], others: [[UInt8]]) {
        let good = [
            "0", "-0", "1", "-1", "1.5", "1E5", "1e-5", "1e+05", "0e0", "123456789012345678901234567890", "1e400",
            "-0.0000000000000000000000000000001", "\"\"", #""\u0000""#, #""\ud83d\udc08""#, #""\ud83d""#,
            #""\uDC08\ud83d""#,
            #""\"\\\/\b\f\n\r\t""#, "\"\u{7f}\"", "\"\u{2028}\"", "\"\u{10ffff}\"", "\"\u{feff}\"", "true", "false",
            "null",
            "[]", "{}", "[[[]]]", "[ 1 , \n2\t]", #"{"": 1, "": 2}"#, #"{"\u0061": {"a": []}}"#, nested(500),
        ].map { Array($0.utf8) }
        let bad =
            [
                "01", "-", "+1", ".5", "1.", "1.e5", "1e", "1e+", "0x10", "1_000", "- 1", "NaN", "Infinity",
                "-Infinity", "True", "nul", "truefalse", "undefined", "'a'", "\"a", "\"\\x41\"", #""\u12g4""#,
                #""\u12""#,
                "\"\n\"", "\"\t\"", "\"\0\"", "\"a\" \"b\"", "a", "[1,]", "[,1]", "[1 2]", "[1}", "[", "]", "{]", "{",
                "{\"a\"}", "{\"a\":}", "{\"a\" 1}", "{a: 1}", "{1: 1}", "{\"a\": 1,}", "{,}", "{\"a\": 1 \"b\": 2}",
                "// a", "/**/ 1", "# a", "1 # a", "\u{feff}1", "\u{a0}1", "\u{c}1", "\\u0031", nested(513), "<a>",
            ].map { Array($0.utf8) } + [
                [0xff], [0x22, 0xc3, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], [0x22, 0xc0, 0x80, 0x22],
            ]
        let places = [
            (#"{"prompt": "x", "a": "#, "}"), (#"{"a": [1, "#, #", "b"], "prompt": "x"}"#),
            ("\r\n{\"a\"\t:\n{\"b\" :", "  }}\n"), (#"{"alwayson_scripts": {"x": {"args": ["#, "]}}}"),
        ]
        func all(_ values: [[UInt8]]) -> [[UInt8]] {
            places.flatMap { start, end in values.map { Array(start.utf8) + $0 + Array(end.utf8) } }
        }
        return (all(good), all(bad))
    }

    @Test("of hundreds of texts in the manner of the JSON test suites all that are JSON are taken and no others")
    func json() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        try Data().write(to: spool.path("PAUSE"))
        let daemon = try await spool.daemon(server: standIn.url)
        let (jobs, others) = Self.texts
        #expect(jobs.count + others.count >= 300)
        for (number, text) in jobs.enumerated() { try spool.drop(Self.name("job", number), bytes: text) }
        for (number, text) in others.enumerated() { try spool.drop(Self.name("other", number), bytes: text) }
        for number in jobs.indices { try await daemon.says("accepted", ".\(Self.name("job", number))") }
        for (number, text) in others.enumerated() {
            let name = Self.name("other", number)
            try await daemon.says("failed/\(name)")
            #expect(try Data(contentsOf: spool.path("failed/\(name)/\(name).json")) == Data(text))
            let error = try spool.document("failed/\(name)/error.json")
            #expect(error["class"] as? String == "not a job")
            #expect((error["line"] as? Int ?? 0) >= 1, "\(String(decoding: text, as: UTF8.self))")
        }
        #expect(spool.list("queue").count == jobs.count)
        #expect(try daemon.peak() < flat)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    /// None of which is the beginning of another.
    private static func name(_ sort: String, _ number: Int) -> String { "\(sort)-\(1000 + number)" }

    // MARK: Answers

    struct Answer: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let `class`: String
        let words: String
        let response: @Sendable () -> Response

        init(_ name: String, _ class: String, _ words: String, _ response: @escaping @Sendable () -> Response) {
            (testDescription, self.class, self.words, self.response) = (name, `class`, words, response)
        }

        /// An answer of JSON that is written piece by piece: `count` times the same between a start and an end.
        init(
            _ name: String, _ class: String, _ words: String, _ start: String, _ piece: String, times count: Int,
            _ end: String = "]}"
        ) {
            self.init(name, `class`, words) {
                var many = max(1, (64 << 10) / piece.utf8.count)
                while count % many != 0 { many -= 1 }
                let block = Array(String(repeating: piece, count: many).utf8)
                return Response(
                    status: 200, headers: ["Content-Type": "application/json"],
                    body: .stream(.chunked) { [many] writer in
                        try await writer.write(start.utf8)
                        for _ in 0..<count / many { try await writer.write(block) }
                        try await writer.write(end.utf8)
                    })
            }
        }
    }

    /// 1 × 1.
    private static let dot =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    /// IHDR says 2³¹−1 in both directions, with the sum that belongs to it.
    private static let giant = "iVBORw0KGgoAAAANSUhEUn////9/////CAIAAACbq5wxAAAAAElFTkSuQmCC"

    static let answers: [Answer] = [
        Answer(
            "a picture of 2^31-1 pixels each way", "wrong result", "no picture that could be", "{\"images\":[\"",
            giant, times: 1, "\"]}"),
        Answer(
            "two thousand pictures", "wrong result", "more than 1000 pictures", "{\"images\":[\"\(dot)\"",
            ",\"\(dot)\"", times: 2000),
        Answer(
            "a million empty strings", "wrong result", "more than 1000 pictures", "{\"images\":[\"\"", ",\"\"",
            times: 1_000_000),
        Answer(
            "a picture without an end that is none", "wrong result", "more than 1048576 bytes", "{\"images\":[\"", "A",
            times: 1 << 30),
        Answer(
            "a text without an end", "wrong result", "bytes beside its pictures", "{\"info\":\"", "a b ", times: 1 << 28
        ),
        Answer("blanks without an end", "wrong result", "bytes beside its pictures", "{", " ", times: 1 << 30),
        Answer(
            "keys without an end", "wrong result", "bytes beside its pictures", "{\"a\":1", ",\"\":1", times: 1 << 24,
            "}"
        ),
        Answer(
            "an info of millions of numbers", "wrong result", "no picture",
            "{\"images\":[],\"info\":\"{\\\"all_seeds\\\":[1",
            ",1", times: 3 << 20, "]}\"}"),
        Answer(
            "a million levels", "wrong result", "nested more than 512 levels", "{\"images\":[", "[", times: 1_000_000),
        Answer("a header of ten megabytes", "no answer", "its head has no end") {
            Response(
                status: 200, headers: ["X": String(repeating: "x", count: 10 << 20)], body: .bytes(Array("{}".utf8)))
        },
        Answer("a gzip bomb", "wrong result", "compressed (gzip)") {
            Response(
                status: 200, headers: ["Content-Type": "application/json", "Content-Encoding": "gzip"],
                body: .stream(.chunked) { writer in
                    let zeros = [UInt8](repeating: 0, count: 64 << 10)
                    for _ in 0..<1 << 14 { try await writer.write(zeros) }
                })
        },
        Answer("a reset in mid-body", "no answer", "in the middle of its answer") {
            Response(
                status: 200, headers: ["Content-Type": "application/json"],
                body: .stream(.length(100_000)) { writer in
                    try await writer.write("{\"images\":[\"\(dot)".utf8)
                    throw AbortResponse(reset: true)
                })
        },
        Answer("a server error of a gigabyte", "temporary", "it answered 500") {
            Response(
                status: 500,
                body: .stream(.chunked) { writer in
                    let words = [UInt8](repeating: UInt8(ascii: "x"), count: 64 << 10)
                    for _ in 0..<1 << 12 { try await writer.write(words) }
                })
        },
        Answer("ten thousand complaints", "permanent", "the server refused it (422)") {
            let list = (0..<10_000).map { #"{"loc": ["body", \#($0)], "msg": "no"}"# }.joined(separator: ",")
            return Response(
                status: 422, headers: ["Content-Type": "application/json"],
                body: .bytes(Array("{\"detail\": [\(list)]}".utf8)))
        },
    ]

    @Test("an answer that nobody should send fails its job with clear words, and memory stays flat", arguments: answers)
    func answer(row: Answer) async throws {
        let server = try Server.own { request in
            // One that answers its API otherwise.
            let isKnown = request.path == "/sdapi/v1/options"
            return request.method == "POST"
                ? row.response() : Response(status: isKnown ? 200 : 404, body: .bytes(Array("{}".utf8)))
        }
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: "http://127.0.0.1:\(server.port)", "--no-progress")
        try spool.drop("bad", smallJob())
        try await daemon.says("failed bad")
        let peak = try daemon.peak()
        #expect(try await daemon.stop() == 0)
        let error = try spool.document("failed/bad/error.json")
        #expect(error["class"] as? String == row.class)
        let message = try #require(error["message"] as? String)
        #expect(message.contains(row.words), "\(message.prefix(500))")
        #expect(message.utf8.count < 5000, "a message is for a person")
        let kept = spool.list("failed/bad").filter { $0.hasPrefix("bad-") }
        #expect(spool.list("failed/bad") == kept + ["bad.json", "error.json"])
        #expect(peak < flat, "\(peak) KiB")
        await server.stop()
    }

    /// A socket in the file system. A path in a socket's address is short, so it is made from within its folder.
    private static func listen(at path: String) throws -> Int32 {
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // The path is shorter than the 108 bytes that an address has for it, and ends in NUL as they all are.
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8).prefix(107)) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try call(result)
        return socket
    }
}

/// What a call of the C library says that it could not.
private func call(_ result: Int32, line: Int = #line) throws {
    guard result == 0 else { throw Missed(description: "line \(line): \(String(cString: strerror(errno)))") }
}

private func write(_ data: Data, _ path: [CChar]) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o644)
    guard file >= 0 else { throw Missed(description: String(cString: strerror(errno))) }
    try FileHandle(fileDescriptor: file, closeOnDealloc: true).write(contentsOf: data)
}

/// A file that is all hole.
private func sparse(_ path: [CChar], _ size: off_t) throws {
    try write(Data(), path)
    try call(truncate(path, size))
}

/// In KiB. A sanitizer keeps what is freed and shadows the rest: then there is nothing to measure.
private let flat = ProcessInfo.processInfo.environment["SDSPOOL_SANITIZER"] == nil ? 100 << 10 : .max

extension Program {
    /// The most memory that it had so far, in KiB.
    func peak() throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) })
    }
}

extension TestSpool {
    fileprivate func drop(_ name: String, bytes: [UInt8]) throws {
        let draft = path("inbox/.\(name).tmp")
        try Data(bytes).write(to: draft)
        try FileManager.default.moveItem(at: draft, to: path("inbox/\(name).json"))
    }
}
