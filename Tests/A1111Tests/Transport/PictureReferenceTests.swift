import Foundation
import JSONText
import Linux
import TestSupport
import Testing

@testable import A1111
@testable import A1111API

@Suite("Pictures by name")
struct PictureReferenceTests {
    static let bodies: [(String, names: [String])] = [
        (#"{"init_images": ["a.png", "people/ann.jpeg"], "mask": "m.webp"}"#, ["a.png", "people/ann.jpeg", "m.webp"]),
        (#"{"image": "a.png", "upscaler_1": "Lanczos.png"}"#, ["a.png"]),
        (
            #"{"imageList": [{"data": "a.png", "name": "b.png"}, {"data": "c.png"}], "data": "d.png"}"#,
            ["a.png", "c.png"]
        ),
        (
            #"{"alwayson_scripts": {"controlnet": {"args": [{"image": "p.png", "model": "x.pth"}, {"image": {"image": "q.png", "mask": "r.png"}}]}}}"#,
            ["p.png", "q.png", "r.png"]
        ),
        (#"{"controlnet_input_images": ["a.png"], "x": [{}], "images": [[], "b.png"]}"#, ["a.png", "b.png"]),
        (#"{"image": "assets/noending"}"#, ["assets/noending"]),
        (#"{"image": "../../etc/x.png"}"#, ["../../etc/x.png"]),
        (#"{"image": "/etc/x.png"}"#, ["/etc/x.png"]), (#"{"\u0069mage": "\u0061.png"}"#, ["a.png"]),
        (#"{"image": "iVBORw0KGgoAAAANSUhEUgAA/+=="}"#, []), (#"{"image": "data:image/png;base64,iVBO.png"}"#, []),
        (#"{"image": "http://host/a.png"}"#, []), (#"{"image": "not base64 at all"}"#, []), (#"{"image": ""}"#, []),
        (#"{"image": 1, "mask": null, "init_images": true}"#, []),
        (#"{"prompt": "a.png", "styles": ["b.png"], "script_args": ["c.png"]}"#, []),
        (#"{"sdspool": {"image": "a.png"}, "override_settings": {"image": "b.png"}}"#, []),
    ]

    @Test("are found wherever a picture is due, and nowhere else", arguments: bodies)
    func found(body: String, names: [String]) throws {
        let found = PictureReference.all(in: try ObjectText(Data(body.utf8)), without: "sdspool")
        #expect(found.map(\.name) == names)
        let text = Data(body.utf8)
        for reference in found {
            let name = try JSONDecoder().decode(String.self, from: text[reference.place])
            #expect(name == reference.name)
        }
    }

    @Test(
        "stand in the body as base64, whatever the pieces that it is sent in",
        arguments: [1, 2, 3, 4, 5, 1000, 100_001])
    func pieces(size: Int) async throws {
        try await inFolder { folder in
            var random = SeededGenerator(state: UInt64(size))
            let content = Data((0..<size).map { _ in UInt8.random(in: 0...255, using: &random) })
            let draft = try folder.directory.createFile("a.png")
            try draft.write(content)
            try draft.close()
            let picture = try PictureFile(folder.directory.file("a.png"))
            let object = try ObjectText(Data(#"{"image": "a.png", "sdspool": {}, "n": 1.0}"#.utf8))
            let place = try #require(PictureReference.all(in: object, without: "sdspool").first?.place)
            let body = RequestBody(of: object, without: "sdspool", drawn: ["seed": 7], pictures: [place: picture])
            let expected = #"{"seed": 7, "image": "\#(content.base64EncodedString())", "n": 1.0}"#
            #expect(try String(decoding: body.whole, as: UTF8.self) == expected)
            for _ in 0..<20 {
                let stride = Int.random(in: 1...max(2, size / 3), using: &random)
                var sent: [UInt8] = []
                for piece in body.pieces {
                    for start in Swift.stride(from: 0, to: piece.length, by: stride) {
                        sent += try piece.read(start..<min(start + stride, piece.length))
                    }
                }
                #expect(String(decoding: sent, as: UTF8.self) == expected)
            }
        }
    }

    @Test("that become shorter while they are sent fail the attempt and say so")
    func shorter() async throws {
        try await inFolder { folder in
            let draft = try folder.directory.createFile("a.png")
            try draft.write(Data(count: 1000))
            try draft.close()
            let picture = try PictureFile(folder.directory.file("a.png"))
            #expect(truncate("\(folder.directory.path)/a.png", 10) == 0)
            let failure = #expect(throws: Failure.self) { try picture.piece.read(0..<picture.piece.length) }
            #expect(failure?.class == .temporary)
            #expect(failure?.message.hasSuffix("a.png became shorter while it was sent") == true)
        }
    }
}
