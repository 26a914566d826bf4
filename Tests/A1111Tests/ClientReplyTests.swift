import Foundation
import HTTP
import Linux
import StandIn
import Testing

@testable import A1111

@Suite("A client that is answered", .timeLimit(.minutes(60)))
struct ClientReplyTests {
    static let fixtures: [(String, path: String, files: [String], seeds: [Int64?], subseeds: [Int64?])] = [
        ("txt2img-1.json", "txt2img", ["cat-1.png"], [42], [3_620_252_316]),
        ("i1-render.json", "txt2img", ["cat-1.png"], [42], [782_784_324]),
        ("ok-unicode.json", "txt2img", ["cat-1.png"], [3_927_117_203], [520_014_909]),
        ("txt2img-jpg-norestore.json", "txt2img", ["cat-1.jpg"], [42], [2_298_879_339]),
        ("xyz-script.json", "txt2img", ["cat-grid.png", "cat-1.png"], [nil, 42], [nil, 3_077_281_762]),
        (
            "txt2img-b2n2-save.json", "txt2img",
            ["cat-grid.png", "cat-1.png", "cat-2.png", "cat-3.png", "cat-4.png"], [nil, 42, 43, 44, 45],
            [nil, 3_854_580_646, 3_854_580_647, 3_854_580_648, 3_854_580_649]
        ),
        ("extras-lanczos.json", "extra-single-image", ["cat-1.png"], [nil], [nil]),
        ("extras-batch.json", "extra-batch-images", ["cat-1.png", "cat-2.png"], [nil, nil], [nil, nil]),
    ]

    @Test("has the pictures in files under their names, and knows what they are", arguments: fixtures)
    func recorded(name: String, path: String, files: [String], seeds: [Int64?], subseeds: [Int64?]) async throws {
        let fixture = try Fixture(name)
        let canned = try Canned(json(fixture.data))
        try await inFolder { folder in
            let reply = try await canned.client().send(
                Data("{}".utf8), to: endpoint("/sdapi/v1/\(path)"), picturesInto: folder.directory, job: "cat")
            #expect(reply.status == 200)
            #expect(reply.headers["content-type"] == "application/json")
            #expect(reply.headers["content-length"] == nil && reply.headers["connection"] == nil)
            #expect(reply.pictures.map(\.file) == files)
            #expect(try folder.names == files.sorted())
            #expect(reply.pictures.map(\.seed) == seeds)
            #expect(reply.pictures.map(\.subseed) == subseeds)
            if path == "txt2img" {
                #expect(try reply.pictures.map(\.infotext) == fixture.infotexts)
            } else {
                #expect(reply.pictures.allSatisfy { $0.infotext?.contains("Seed: 42") == true })
                #expect(reply.member("html_info") != nil)
            }
            for (picture, bytes) in zip(reply.pictures, try fixture.pictures) {
                #expect(try folder.content(picture.file) == bytes)
                #expect(picture.size == bytes.count)
                let size = try #require(PictureHead(bytes)?.size)
                #expect(picture.width == size.width && picture.height == size.height)
            }
        }
        await canned.server.stop()
    }

    @Test("has info as the JSON that it is, and parameters as they were")
    func texts() async throws {
        let fixture = try Fixture("txt2img-1.json")
        let canned = try Canned(json(fixture.data))
        try await inFolder { folder in
            let reply = try await canned.client().send(
                Data("{}".utf8), to: endpoint(), picturesInto: folder.directory, job: "cat")
            #expect(try reply.info == Data(#require(try fixture.object["info"] as? String).utf8))
            let parameters = String(decoding: try #require(reply.member("parameters")), as: UTF8.self)
            #expect(parameters.utf8.count > 100)
            #expect(String(decoding: fixture.data, as: UTF8.self).contains("\"parameters\":" + parameters))
        }
        await canned.server.stop()
    }

    @Test("has no bytes that are no UTF-8, whatever the server has put between the quotes")
    func encoding() async throws {
        let canned = try Canned(
            json(Array(#"{"images":[],"parameters":{"prompt":"caf"#.utf8) + [0xe9] + #""},"info":""}"#.utf8))
        try await inFolder { folder in
            let reply = try await canned.client().send(
                Data("{}".utf8), to: endpoint(), picturesInto: folder.directory, job: "cat", wantsPictures: false)
            #expect(reply.member("parameters") == Data(#"{"prompt":"caf\#u{fffd}"}"#.utf8))
        }
        await canned.server.stop()
    }

    @Test("takes no pictures for a result where the job wants none")
    func unwanted() async throws {
        let canned = try Canned(json(#"{"images":[],"parameters":{},"info":"{\"infotexts\":[\"a\"]}"}"#.utf8))
        try await inFolder { folder in
            let reply = try await canned.client().send(
                Data("{}".utf8), to: endpoint(), picturesInto: folder.directory, job: "cat", wantsPictures: false)
            #expect(reply.pictures.isEmpty)
            #expect(try folder.names == [])
        }
        let failure = try await failure(canned.client(), to: endpoint())
        #expect(failure.class == .wrongResult)
        #expect(failure.message == "the server answered 200, but sent no picture")
        await canned.server.stop()
    }

    @Test("waits for a render that is silent for longer than a connection may take to be made")
    func slow() async throws {
        let fixture = try Fixture("txt2img-1.json").data
        let canned = try Canned { _ in
            try? await Task.sleep(for: Client.connectTimeout + .seconds(1))
            return json(fixture)
        }
        try await inFolder { folder in
            let reply = try await canned.client(timeout: nil).send(
                Data("{}".utf8), to: endpoint(), picturesInto: folder.directory, job: "cat")
            #expect(reply.pictures.count == 1)
        }
        await canned.server.stop()
    }

    static let answers: [(String?, String)] = [
        ("text/plain; charset=utf-8", "it works, \"quoted\" and {not json"), ("text/html", "<!doctype html><p>hello"),
        ("text/plain", ReplyReaderTests.dot), (nil, "{}"), ("application/json", "null"),
        ("application/problem+json; charset=utf-8", "[1, 2.50]"), ("Application/JSON", #"{"a": 1.0}"#),
    ]

    @Test("keeps a middleman's answer as it is, JSON or not", arguments: answers)
    func proxy(type: String?, text: String) async throws {
        var response = Response(status: 202, headers: ["X-Note": "1"], body: .bytes(Array(text.utf8)))
        if let type { response.headers.append("Content-Type", type) }
        let canned = try Canned(response)
        try await inFolder { folder in
            let reply = try await canned.client().send(
                nil, to: endpoint("/x", method: "GET"), picturesInto: folder.directory, job: "cat")
            #expect(reply.status == 202)
            #expect(String(decoding: reply.text, as: UTF8.self) == text)
            #expect(reply.headers["x-note"] == "1" && reply.headers["content-type"] == type)
            #expect(reply.pictures.isEmpty)
            #expect(try folder.names == [])
        }
        await canned.server.stop()
    }

    @Test("puts a middleman's answer that is a picture into a file", arguments: ["image/png", "application/x", nil])
    func middlemansPicture(type: String?) async throws {
        let picture = try #require(try Fixture("txt2img-1.json").pictures.first)
        var response = Response(status: 200, body: .bytes(Array(picture)))
        if let type { response.headers.append("Content-Type", type) }
        let canned = try Canned(response)
        try await inFolder { folder in
            let reply = try await canned.client().send(
                nil, to: endpoint("/file=a.png", method: "GET"), picturesInto: folder.directory, job: "cat")
            #expect(reply.pictures.map(\.file) == ["cat-1.png"])
            #expect(reply.pictures.first?.infotext?.contains("Seed: 42") == true)
            #expect(try folder.content("cat-1.png") == picture)
            #expect(String(decoding: reply.text, as: UTF8.self) == #""cat-1.png""#)
        }
        await canned.server.stop()
    }

    @Test("reads lists of megabytes")
    func longLists() async throws {
        let notes = String(repeating: "x", count: 3 << 20)
        let canned = try Canned(json(#"[{"name": "ink", "metadata": {"notes": "\#(notes)"}}]"#.utf8))
        let lists = try await canned.client().lists()
        #expect(lists.loras?.map(\.name) == ["ink"])
        await canned.server.stop()
    }

    @Test("finds the pictures of a middleman's answer under the names that its text has for them")
    func middlemansPictures() async throws {
        let picture = try #require(try Fixture("txt2img-1.json").pictures.first).base64EncodedString()
        let info = #"{\"index_of_first_image\": 1, \"infotexts\": [\"g\", \"a\"]}"#
        let body = #"{"images":["\#(picture)","\#(ReplyReaderTests.dot)"],"info":"\#(info)"}"#
        let canned = try Canned(json(body.utf8))
        try await inFolder { folder in
            let reply = try await canned.client().send(
                Data("{}".utf8), to: endpoint("/controlnet/detect"), picturesInto: folder.directory, job: "cat")
            #expect(reply.pictures.map(\.file) == ["cat-1.png", "cat-2.png"])
            #expect(try folder.names == ["cat-1.png", "cat-2.png"])
            #expect(String(decoding: reply.text, as: UTF8.self).hasPrefix(#"{"images":["cat-1.png","cat-2.png"],"#))
        }
        await canned.server.stop()
    }

    @Test("does not take the beginning of a long text for the whole")
    func longText() async throws {
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 20)
        let server = try Canned { request in
            Response(
                status: 200, headers: ["Content-Type": "text/plain"],
                body: .bytes(request.path == "/whole" ? text : text + [UInt8(ascii: "b")]))
        }
        try await inFolder { folder in
            let reply = try await server.client().send(
                nil, to: endpoint("/whole", method: "GET"), picturesInto: folder.directory, job: "cat")
            #expect(reply.text.count == text.count)
        }
        #expect(try await failure(server.client(), to: endpoint("/more", method: "GET")).class == .unclear)
        await server.server.stop()
    }

    @Test("gets on with the stand-in, many at once")
    func standIn() async throws {
        let standIn = try StandIn.start(options: .init(stepTime: .zero))
        let client = try client(port: standIn.port)
        try await inFolder { folder in
            try await withThrowingTaskGroup { group in
                for number in 0..<8 {
                    let directory = folder.directory
                    group.addTask {
                        let body =
                            #"{"prompt":"\#(number)","width":64,"height":64,"steps":1,"seed":\#(number),"n_iter":2}"#
                        let reply = try await client.send(
                            Data(body.utf8), to: endpoint(),
                            picturesInto: Scratch.subfolder("\(number)", of: directory),
                            job: "job\(number)")
                        #expect(reply.pictures.map(\.file) == ["job\(number)-1.png", "job\(number)-2.png"])
                        #expect(reply.pictures.map(\.seed) == [Int64(number), Int64(number + 1)])
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(standIn.requests.count == 8)
        let progress = try await client.progress(within: .seconds(3600))
        #expect(progress.isIdle && !progress.state.interrupted)
        await standIn.stop()
    }
}
