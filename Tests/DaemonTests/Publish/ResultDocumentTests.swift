import A1111API
import Foundation
import Spool
import Testing

@testable import A1111
@testable import Daemon

@Suite("result.json")
struct ResultDocumentTests {
    static func result(_ path: String, _ method: String = "POST", reply: Reply) throws -> JobResult {
        let ticket = try #require(Ticket(entry: "5-20261123T151042.123456Z.cat.json"))
        var attempts = Attempts()
        let started = Timestamp(microseconds: ticket.arrival.microseconds + 1_000_000)
        let finished = Timestamp(microseconds: ticket.arrival.microseconds + 2_500_000)
        attempts.begin(server: "http://h:1", at: started)
        attempts.end(at: finished)
        return JobResult(
            ticket: ticket, endpoint: try Endpoint(named: path, method: method, bodyKeys: []),
            server: try #require(ServerAddress("http://user:secret@h:1")), attempts: attempts, started: started,
            finished: finished, reply: reply)
    }

    static func parsed(_ document: Data) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: document) as? [String: Any])
    }

    static let picture = Picture(
        file: "cat-1.png", kind: .picture, format: .png, size: 9926, width: 64, height: 56, seed: 9_007_199_254_740_993,
        subseed: nil, infotext: "a \"cat\"\nSteps: 1")

    @Test("of a service has the server's status, the pictures, and info as JSON")
    func service() throws {
        let text =
            #"{"images":["cat-1.png"], "parameters":{"big":123456789012345678901,"cfg":7.10},"info":"{\"a\": 1.50}"}"#
        let reply = Reply(
            status: 200, headers: ["server": "x"], pictures: [Self.picture], text: Data(text.utf8), unsynced: [])
        let document = try Self.result("/sdapi/v1/txt2img", reply: reply).document
        let lines = String(decoding: document, as: UTF8.self)
        #expect(lines.contains(#""parameters": {"big":123456789012345678901,"cfg":7.10}"#))
        #expect(lines.contains(#""info": {"a": 1.50}"#))
        #expect(lines.contains(#""seed": 9007199254740993"#))
        #expect(!lines.contains("secret"))
        let object = try Self.parsed(document)
        #expect(object["status"] as? Int == 200)
        #expect(object["reason"] == nil && object["upstream"] == nil)
        #expect(object["ticket"] as? String == "5-20261123T151042.123456Z.cat")
        #expect(object["name"] as? String == "cat")
        #expect(object["endpoint"] as? String == "/sdapi/v1/txt2img")
        #expect(object["method"] as? String == "POST")
        #expect(object["server"] as? String == "http://h:1")
        #expect(object["accepted"] as? String == "2026-11-23T15:10:42.123456Z")
        #expect(object["started"] as? String == "2026-11-23T15:10:43.123456Z")
        #expect(object["finished"] as? String == "2026-11-23T15:10:44.623456Z")
        #expect((object["attempts"] as? [[String: Any]])?.map { $0["number"] as? Int } == [1])
        let images = try #require(object["images"] as? [[String: Any]])
        #expect(images.count == 1)
        #expect(images[0]["file"] as? String == "cat-1.png")
        #expect(images[0]["kind"] as? String == "picture")
        #expect(images[0]["width"] as? Int == 64 && images[0]["height"] as? Int == 56)
        #expect(images[0]["bytes"] as? Int == 9926)
        #expect(images[0]["infotext"] as? String == "a \"cat\"\nSteps: 1")
        #expect(images[0]["subseed"] == nil)
    }

    @Test("of extras has html_info")
    func extras() throws {
        let reply = Reply(
            status: 200, headers: [:], pictures: [], text: Data(#"{"html_info":"<p>","image":"x"}"#.utf8), unsynced: [])
        let object = try Self.parsed(Self.result("/sdapi/v1/extra-single-image", reply: reply).document)
        #expect(object["html_info"] as? String == "<p>")
        #expect(object["info"] == nil && object["parameters"] == nil && object["image"] == nil)
    }

    static let answers: [(String, isJSON: Bool)] = [
        (#"{"samples_format": "png", "n": 1.0}"#, true), ("null", true), ("[1, 2]", true), ("\"text\"", true),
        ("17", true), ("", false), ("it works", false), ("{\"a\":", false), ("<html>\n\"</html>", false),
        ("{} {}", false),
    ]

    @Test("of a middleman is a teapot's, with the server's answer in it", arguments: answers)
    func proxy(text: String, isJSON: Bool) throws {
        let reply = Reply(
            status: 201, headers: ["content-type": "x/y", "x-a": "1"], pictures: [], text: Data(text.utf8), unsynced: []
        )
        let document = try Self.result("/sdapi/v1/options", "GET", reply: reply).document
        let object = try Self.parsed(document)
        #expect(object["status"] as? Int == 418)
        #expect(object["reason"] as? String == "I'm a teapot")
        let upstream = try #require(object["upstream"] as? [String: Any])
        #expect(upstream["status"] as? Int == 201)
        #expect(upstream["headers"] as? [String: String] == ["content-type": "x/y", "x-a": "1"])
        if isJSON {
            #expect(String(decoding: document, as: UTF8.self).contains("\"body\": \(text)\n"))
        } else {
            #expect(upstream["body"] as? String == text)
        }
    }

    @Test("is JSON whatever bytes a server has sent", arguments: [[0xff, 0xfe, 0x41], [0x22, 0xff, 0x22], [0x80]])
    func bytes(answer: [UInt8]) throws {
        let reply = Reply(status: 200, headers: [:], pictures: [], text: Data(answer), unsynced: [])
        let document = try Self.result("/sdapi/v1/x", reply: reply).document
        #expect(String(validating: document, as: UTF8.self) != nil)
        _ = try Self.parsed(document)
    }
}
