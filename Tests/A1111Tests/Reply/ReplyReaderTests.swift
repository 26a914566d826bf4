import A1111API
import Foundation
import JSONText
import Linux
import Testing

@testable import A1111

@Suite("A reply that comes in pieces", .timeLimit(.minutes(60)))
struct ReplyReaderTests {
    /// What is left of a reply: the drafts' contents and whether each is a picture, and the text.
    struct Taken {
        var files: [Data] = []
        var isPicture: [Bool] = []
        var text = ""
    }

    static func read(
        _ body: Data, piece: Int, service: Endpoint.Service? = .txt2img, into folder: Scratch
    ) throws -> Taken {
        var reader = ReplyReader(stage: PictureStaging(folder: folder.directory), service: service, job: "cat")
        for start in stride(from: 0, to: body.count, by: piece) {
            // Slices, whose indices do not begin at 0.
            try reader.read(body[start..<min(start + piece, body.count)])
        }
        let (pictures, text) = try reader.finish()
        var taken = Taken()
        for picture in pictures {
            let file = try folder.content(picture.draft.description)
            #expect(file.count == picture.size)
            taken.files.append(file)
            taken.isPicture.append(picture.head != nil)
        }
        taken.text = String(decoding: text, as: UTF8.self)
        return taken
    }

    static func read(_ body: String, piece: Int, service: Endpoint.Service? = .txt2img) async throws -> Taken {
        try await inFolder { try read(Data(body.utf8), piece: piece, service: service, into: $0) }
    }

    static let fixtures: [(String, Endpoint.Service)] = [
        ("txt2img-1.json", .txt2img), ("txt2img-b2n2-save.json", .txt2img), ("ok-unicode.json", .txt2img),
        ("txt2img-jpg-norestore.json", .txt2img), ("xyz-script.json", .txt2img),
        ("extras-lanczos.json", .extraSingle), ("extras-batch.json", .extraBatch), ("i1-render.json", .txt2img),
    ]
    static let sizes = [1, 7, 4096, 1 << 30]

    @Test("becomes files to the byte, and a text that is otherwise as it was", arguments: fixtures, sizes)
    func real(fixture: (String, Endpoint.Service), piece: Int) async throws {
        try await inFolder { folder in
            let reply = try Fixture(fixture.0)
            let taken = try Self.read(reply.data, piece: piece, service: fixture.1, into: folder)
            let pictures = try reply.pictures
            #expect(taken.files == pictures)
            var expected = String(decoding: reply.data, as: UTF8.self)
            for (index, picture) in pictures.enumerated() {
                let suffix = try #require(PictureHead(picture)).format.suffix
                let range = try #require(expected.range(of: picture.base64EncodedString()))
                expected.replaceSubrange(range, with: "cat-\(index + 1).\(suffix)")
            }
            #expect(taken.text == expected)
        }
    }

    /// The least PNG that is one, in base64: 1 × 1.
    static let dot =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

    static let shapes: [(String, Endpoint.Service?, files: Int, text: String)] = [
        // A picture as a data URL, with its slashes escaped, without its padding.
        (#"{"images":["data:image/png;base64,\#(dot)"]}"#, .txt2img, 1, #"{"images":["cat-1.png"]}"#),
        (
            #"{"images":["\#(dot.replacing("/", with: "\\/"))"], "a":1}"#, .txt2img, 1,
            #"{"images":["cat-1.png"], "a":1}"#
        ),
        (
            #"{"images":["data:image\/png;base64,\#(dot.prefix { $0 != "=" })"]}"#, .img2img, 1,
            #"{"images":["cat-1.png"]}"#
        ),
        (#"{"image": "\#(dot)" , "html_info":"<p>"}"#, .extraSingle, 1, #"{"image": "cat-1.png" , "html_info":"<p>"}"#),
        (#"{"images":[],"info":"{}"}"#, .txt2img, 0, #"{"images":[],"info":"{}"}"#),
        (#"{"images":null}"#, .txt2img, 0, #"{"images":null}"#),
        // What a middleman's server calls a picture, anywhere.
        (
            #"{"a":{"b":[["\#(dot)",1],"x"]},"current_image":"\#(dot)"}"#, nil, 2,
            #"{"a":{"b":[["cat-1.png",1],"x"]},"current_image":"cat-2.png"}"#
        ),
        (#"["data:image/png;base64,\#(dot)"]"#, nil, 1, #"["cat-1.png"]"#), (#""\#(dot)""#, nil, 1, #""cat-1.png""#),
        (#"{"images":["x"],"image":"y"}"#, nil, 0, #"{"images":["x"],"image":"y"}"#), ("null", nil, 0, "null"),
        // The same elsewhere in a service's reply; not in the echo of the request.
        (#"{"images":[],"detected_map":"\#(dot)"}"#, .txt2img, 1, #"{"images":[],"detected_map":"cat-1.png"}"#),
        (#"{"parameters":{"mask":"\#(dot)"}}"#, .txt2img, 0, #"{"parameters":{"mask":"\#(dot)"}}"#),
    ]

    @Test("has its pictures taken out wherever they are due", arguments: shapes, sizes)
    func shape(shape: (String, Endpoint.Service?, files: Int, text: String), piece: Int) async throws {
        let taken = try await Self.read(shape.0, piece: piece, service: shape.1)
        #expect(taken.files == Array(repeating: try #require(Data(base64Encoded: Self.dot)), count: shape.files))
        #expect(taken.text == shape.text)
    }

    static let texts = [
        "This is text, not an image.", "", "{\"a\": \"b\"}",
        String(repeating: "ControlNet: depth \"midas\"\n", count: 40),
        "VGhpcyBpcyB0ZXh0", String(repeating: "x", count: 64), String(repeating: "y", count: 65),
        "data:text/plain,hello",
        "a text of more than sixty-four characters, behind which stands " + dot,
        "sixty-four characters exactly, and behind them comes a picture: " + dot,
    ]

    @Test("may have a text in a picture's place, which becomes a file as well", arguments: texts, sizes)
    func element(text: String, piece: Int) async throws {
        let body = #"{"images":["\#(Self.dot)",\#(String(decoding: JSONString.encoded(text), as: UTF8.self))]}"#
        let taken = try await Self.read(body, piece: piece)
        #expect(taken.isPicture == [true, false])
        #expect(taken.files.last.map { String(decoding: $0, as: UTF8.self) } == text)
        #expect(taken.text == #"{"images":["cat-1.png","cat-2.txt"]}"#)
    }

    static let long = String(repeating: "iVBO", count: 64)
    static let kept = String(repeating: "a cat, ", count: 100)
    static let tags = String(repeating: "1girl,long_hair,blue_eyes,", count: 20)
    static let huge = String(repeating: "QUJD", count: 100_000)
    static let echoes: [(String, String)] = [
        (long, "256 characters of base64"), (String(long.dropLast()), String(long.dropLast())),
        ("data:image/png;base64," + long, "278 characters of base64"), (huge, "400000 characters of base64"),
        ("data:image/png;charset=utf-8;base64," + long, "292 characters of base64"),
        (kept, kept), (tags, tags),
        ("(" + long + ")", "(" + long + ")"),
    ]

    @Test("keeps no base64 that a server echoes, but prompts to the letter", arguments: echoes, sizes)
    func echo(echo: (String, String), piece: Int) async throws {
        let taken = try await Self.read(#"{"parameters":{"a": "\#(echo.0)","b":1}}"#, piece: piece)
        #expect(taken.text == #"{"parameters":{"a": "\#(echo.1)","b":1}}"#)
        #expect(taken.files.isEmpty)
    }

    @Test("keeps numbers, escapes and spaces as they were written", arguments: sizes)
    func verbatim(piece: Int) async throws {
        let text =
            "{ \"parameters\" : {\"seed\":-1,\"n\":123456789012345678901234567890,\"cfg\": 7.0,\"e\":1E5},\n\t"
            + #""info":"{\"prompt\": \"\\u732b \\/ 🐈 \\ud83d\\udc08\"}", "t":"\u0041\/", "images" : [ ] }"# + "\n "
        #expect(try await Self.read(text, piece: piece).text == text)
    }

    @Test(
        "is told from base64, and from a picture, by its first characters, whatever pieces it comes in",
        arguments: [1, 1000, 1 << 30])
    func pieces(piece: Int) async throws {
        let echo = String(repeating: "A", count: 70_000)
        #expect(
            try await Self.read(#"{"parameters":{"a":"\#(echo) b"}}"#, piece: piece).text
                == #"{"parameters":{"a":"70002 characters of base64"}}"#)
        // A head of a data URL that is longer than any is none.
        let text = "data:" + String(repeating: "x", count: 60) + "," + Self.dot
        let taken = try await Self.read(#"{"images":["\#(text)"]}"#, piece: piece)
        #expect(taken.isPicture == [false])
    }

    @Test("is refused where what stands in a picture's place is a text without an end")
    func longText() async throws {
        let body = #"{"images":["\#(String(repeating: "a text ", count: 200_000))"]}"#
        await #expect(throws: ReplyError.elementTooLong) { try await Self.read(body, piece: 1 << 16) }
    }

    @Test("is incomplete wherever it is cut")
    func truncated() async throws {
        let body = Data(#"{"images":["\#(Self.dot)","text"],"parameters":{"a":[1,true,null]},"info":"{\"a\":1}"}"#.utf8)
        for length in 0..<body.count {
            try await inFolder { folder in
                let error = #expect(throws: JSONSyntaxError.self, "\(length)") {
                    try Self.read(body.prefix(length), piece: 64, into: folder)
                }
                #expect(error?.kind == .incomplete)
            }
        }
    }

    @Test("is refused where a picture is not base64 to its end", arguments: sizes)
    func malformed(piece: Int) async throws {
        await #expect(throws: Base64Stream.Malformed.self) {
            try await Self.read(#"{"images":["\#(Self.dot)%%%%"]}"#, piece: piece)
        }
    }

    @Test("is refused where it has more text than any reply")
    func tooLong() async throws {
        let line = String(repeating: "a cat ", count: 1 << 18)
        let body = "{\"info\":\"" + String(repeating: line, count: 22) + "\"}"
        #expect(body.utf8.count > ReplyReader.textCap)
        await #expect(throws: ReplyError.textTooLong(cap: ReplyReader.textCap)) {
            try await Self.read(body, piece: 1 << 20)
        }
    }
}
