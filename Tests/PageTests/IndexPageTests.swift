import Foundation
import Linux
import Spool
import Testing

@testable import Page

@Suite struct IndexPageTests {
    /// What somebody may have called a thing.
    static let hostile: [(said: String, shown: String)] = [
        ("</script><script>document.title = 1</script>", "&lt;/script&gt;&lt;script&gt;document.title = 1"),
        (#""><img src=x onerror="document.title = 1">"#, "&quot;&gt;&lt;img src=x onerror=&quot;"),
        ("' onload='x", "&#39; onload=&#39;x"), ("a & b &lt; c", "a &amp; b &amp;lt; c"),
        ("javascript:alert(1)", "javascript:alert(1)"), ("</style><!--", "&lt;/style&gt;&lt;!--"),
        ("cat\u{202e}gnp.exe", "cat\u{fffd}gnp.exe"),
        ("a\u{2066}b\u{0}c\u{1b}[2J\u{85}d", "a\u{fffd}b\u{fffd}c\u{fffd}[2J\u{fffd}d"),
        ("<!--newer-->", "&lt;!--newer--&gt;"),
        ("قط على سطح", "قط على سطح"), ("猫 🐈", "猫 🐈"),
    ]

    @Test("what others say is text, wherever it stands", arguments: hostile)
    func text(said: String, shown: String) throws {
        let json = try JSONSerialization.data(withJSONObject: said, options: .fragmentsAllowed)
        let words = String(decoding: json, as: UTF8.self)
        let result = ResultCard(
            folder: "cat", job: "cat.json", ended: .now,
            document: Data(
                #"""
                {"endpoint": \#(words), "method": \#(words), "images": [{"file": \#(words), "infotext": \#(words)}],
                "warnings": [\#(words)], "parameters": {"prompt": \#(words)}, "started": \#(words)}
                """#.utf8))
        let failure = FailureCard(
            folder: "dog", job: nil, ended: .now,
            document: Data(#"{"class": \#(words), "message": \#(words)}"#.utf8))
        let sheet = IndexPage(version: "1", results: [result], failures: [failure], lastPage: 0).document
        let now = NowPage(
            sheet: "1", state: said, reason: said, servers: [.init(url: said, reason: said)], renders: [],
            queue: ([], 0))
        let archive = Archive(number: 2, through: .now, results: [result])
        for page in [sheet, now.document, archive.document] {
            let html = String(decoding: page, as: UTF8.self)
            let body = try #require(html.range(of: "<body>")).upperBound
            #expect(html[body...].contains(shown))
            #expect(!html[body...].contains("<script") && !html[body...].contains("onerror=\""))
            // The style, the script and what keeps others out come once, and before all that is said.
            #expect(html.components(separatedBy: "</script>").count == 2)
            #expect(html.components(separatedBy: "</style>").count == 2)
        }
        let html = String(decoding: archive.document, as: UTF8.self)
        #expect(html.components(separatedBy: "<!--newer-->").count == 2)
    }

    @Test("names are bytes: addresses are made of them, and lead nowhere else")
    func addresses() throws {
        let names: [([UInt8], String)] = [
            (Array("a b".utf8), "done/a%20b"), (Array("javascript:x".utf8), "done/javascript%3Ax"),
            (Array(#"a"><b"#.utf8), "done/a%22%3E%3Cb"), (Array("50%25?#".utf8), "done/50%2525%3F%23"),
            ([0x63, 0xff, 0xfe], "done/c%FF%FE"), (Array("//host".utf8).filter { $0 != 0x2f }, "done/host"),
            (Array("\\\\host".utf8), "done/%5C%5Chost"), (Array("é".utf8), "done/%C3%A9"),
        ]
        for (bytes, address) in names {
            let name = try #require(FileName(bytes: bytes))
            #expect(Link(.root, "done", name).text == address)
            #expect(Link(.pages, "done", name, "x.png").text == "../\(address)/x.png")
        }
    }

    @Test(
        "a picture of another folder is none",
        arguments: ["../../etc/passwd", "/etc/passwd", "..", "", "a/b", "a\u{0}b"])
    func otherFolders(file: String) throws {
        let json = try JSONSerialization.data(withJSONObject: ["images": [["file": file]]])
        let result = ResultCard(folder: "cat", job: nil, ended: .now, document: json)
        #expect(result.pictures.isEmpty)
    }

    @Test(
        "a document that is none, or is no result, is shown by its name",
        arguments: [
            "", "null", "[1, 2]", "{", #"{"images": 3}"#, #"{"images": [3, null, {"file": 1}]}"#,
            #"{"parameters": []}"#,
            #"{"images": [{"file": "x.png", "width": 1e999, "height": -3.5, "seed": "x"}]}"#, "\u{0}\u{1}",
            #"{"started": "now", "finished": "2026-01-01T00:00:00Z"}"#, String(repeating: "[", count: 5_000),
        ])
    func nonsense(document: String) {
        let result = ResultCard(folder: "cat", job: nil, ended: .now, document: Data(document.utf8))
        let html = String(
            decoding: IndexPage(version: "", results: [result], failures: [], lastPage: 0).document, as: UTF8.self)
        #expect(html.contains(">cat</h3>"))
        _ = FailureCard(folder: "cat", job: nil, ended: .now, document: Data(document.utf8))
        #expect(RenderCard.prompt(ofJob: Data(document.utf8)) == nil)
    }

    @Test("of a result that is too large the beginning is shown")
    func large() {
        let document =
            #"{"status": 200, "images": [{"file": "cat-1.png", "width": 64, "height": 32, "seed": 7, "#
            + #""infotext": "a cat\nNegative prompt: dogs\nSteps: 20"}], "parameters": {"image": "iVBOR"#
        let result = ResultCard(folder: "cat", job: nil, ended: .now, document: Data(document.utf8))
        #expect(result.prompt == "a cat")
        #expect(result.pictures.first?.seed == "7")
    }

    @Test("a page says what it is, with prompt, seed, size, time and the job to drop again")
    func card() {
        let document = #"""
            {"endpoint": "/sdapi/v1/txt2img", "method": "POST", "status": 200, "started": "2026-11-23T15:10:42.100000Z",
            "finished": "2026-11-23T15:10:54.600000Z", "parameters": {"prompt": "a cat"}, "images":
            [{"file": "cat-1.png", "width": 512, "height": 768, "seed": 1822}]}
            """#
        let result = ResultCard(
            folder: "cat", job: "cat.json", ended: Timestamp(microseconds: 1_795_446_654_600_000),
            document: Data(document.utf8))
        let html = String(
            decoding: IndexPage(version: "7", results: [result], failures: [], lastPage: 3).document, as: UTF8.self)
        for part in [
            #"<a href="done/cat/cat-1.png"><img src="done/cat/cat-1.png" alt="a cat" width="512" height="768""#,
            #"<span title="seed">1822</span>"#, "<span>512×768</span>", "<span>13 s</span>",
            #"<a href="done/cat/cat.json" download="cat.json""#, #"href="pages/00003.html""#,
            #"<meta name="sdspool-sheet" content="7">"#,
        ] { #expect(html.contains(part), "\(part)") }
    }

    @Test("a page of older results tells through when it goes, and gets a link to the next one once")
    func archive() throws {
        let stamp = Timestamp(microseconds: 1_795_446_654_600_001)
        let page = Archive(number: 7, through: stamp, results: []).document
        #expect(Archive.through(page) == stamp)
        #expect(Archive.through(page.dropLast(3)) == nil)
        #expect(Archive.through(Data("<html></html>\n".utf8)) == nil)
        let linked = try #require(Archive.linked(page, number: 7))
        #expect(String(decoding: linked, as: UTF8.self).contains(#"<a href="00008.html" rel="prev">Newer</a>"#))
        #expect(Archive.through(linked) == stamp)
        #expect(Archive.linked(linked, number: 7) == nil)
    }

    @Test("the policy names the style and the script that are there, and nothing else")
    func policy() throws {
        for (text, hash) in [(Style.text, Style.hash), (Script.text, Script.hash)] {
            #expect(try "sha256-\(sha256(Data(text.utf8)).base64EncodedString())" == hash)
            #expect(!text.contains("</"))
        }
        let html = String(
            decoding: IndexPage(version: "", results: [], failures: [], lastPage: 0).document, as: UTF8.self)
        let policy = try #require(html.range(of: "Content-Security-Policy"))
        for name in ["<style", "<script", "<img"] {
            if let place = html.range(of: name) { #expect(place.lowerBound > policy.upperBound) }
        }
        #expect(html.contains("default-src &#39;none&#39;; script-src &#39;sha256-") && !html.contains("unsafe-"))
        #expect(!html.contains(" style=") && !html.contains(" onclick"))
    }

    /// By sha256sum(1), which every Linux has.
    private func sha256(_ bytes: Data) throws -> Data {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("sdspool-\(UUID())")
        try bytes.write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["sha256sum", file.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let digits = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).prefix(64)
        let bytes = stride(from: 0, to: 64, by: 2).compactMap { UInt8(digits.dropFirst($0).prefix(2), radix: 16) }
        return Data(bytes)
    }
}
