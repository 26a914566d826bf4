import Foundation
import Testing

@testable import StandIn

@Suite("A fault on request", .timeLimit(.minutes(60)))
struct FaultTests {
    static func body(_ fault: String) -> String {
        #"{"prompt":"a","width":64,"height":64,"steps":2,"seed":1,"sketch":{"fault":"\#(fault)","seconds":0.0001}}"#
    }

    static let answered: [(String, Int, String)] = [
        ("oom", 500, #"{"error":"OutOfMemoryError","detail":"","body":"","errors":"CUDA out of memory."#),
        ("nan", 500, #"{"error":"NansException","#), ("500", 500, #"{"error":"RuntimeError","#),
        ("503", 503, #"{"detail":"#), ("429", 429, #"{"detail":"#),
        ("401", 401, #"{"error":"HTTPException","detail":"Not auth"#),
        ("404", 404, #"{"detail":"Not Found"}"#), ("html", 200, "<!doctype html>"),
        ("redirect", 404, #"{"detail":"Not Found"}"#),
        ("truncate-unframed", 200, #"{"images":["iVBOR"#), ("gzip", 200, #"{"images":["iVBOR"#),
        ("drip", 200, #"{"images":["iVBOR"#), ("no-images", 200, #"{"images":[],"#),
        ("not-an-image", 200, #"{"images":["VGhpcyBpcyB0ZXh0"#),
        ("delay", 200, #"{"images":["iVBOR"#), ("slow", 200, #"{"images":["iVBOR"#),
        ("nonsense", 422, #"{"detail":[{"loc":["body","sketch","fault"]"#),
    ]

    @Test("is answered as what it imitates", arguments: answered)
    func imitated(fault: String, status: Int, start: String) async throws {
        let caller = try Caller()
        var body = Self.body(fault)
        if fault == "drip" { body = body.replacing("64", with: "8") }
        let answer = try await caller.txt2img(body)
        #expect(answer.status == status)
        #expect(answer.text.hasPrefix(start), "\(answer.text.prefix(200))")
        #expect(answer.json.isEmpty == (fault == "html" || fault == "truncate-unframed"))
        #expect(caller.standIn.requests.map { String(decoding: $0.body, as: UTF8.self) } == [body])
        await caller.standIn.stop()
    }

    @Test("cuts the connection", arguments: ["hangup", "reset", "truncate"])
    func cut(fault: String) async throws {
        let caller = try Caller()
        await #expect(throws: (any Error).self) { try await caller.txt2img(Self.body(fault)) }
        // A client may well try again by itself: every attempt got its render.
        #expect(caller.standIn.requests.allSatisfy { $0.ended != nil })
        await caller.standIn.stop()
    }

    @Test("a render or its answer stands still until it is let go on, by its id", arguments: ["hold", "withhold"])
    func still(fault: String) async throws {
        let caller = try Caller()
        func job(_ id: String) -> String {
            #"{"width":8,"height":8,"steps":2,"sketch":{"fault":"\#(fault)","id":"\#(id)"}}"#
        }
        let first = Task { try await caller.txt2img(job("one")) }
        await caller.standIn.wait { $0.first?.started != nil }
        let second = Task { try await caller.txt2img(job("two")) }
        // The lock is let go before an answer, and not before a render.
        await caller.standIn.wait { $0.count == 2 && (fault == "hold" || $0[1].ended != nil) }
        #expect(caller.standIn.requests.allSatisfy { ($0.ended != nil) == (fault == "withhold") })
        caller.standIn.release("one")
        #expect(try await first.value.images.count == 1)
        await caller.standIn.wait { $0[1].started != nil }
        caller.standIn.release()
        #expect(try await second.value.images.count == 1)
        await caller.standIn.stop()
    }

    @Test("a render stands still behind the step that is named, whatever else is to go wrong")
    func step() async throws {
        let caller = try Caller()
        let fault = #""sketch":{"fault":"oom","step":3}"#
        let render = Task { try await caller.txt2img(#"{"width":8,"height":8,"steps":2,"n_iter":2,\#(fault)}"#) }
        while try await caller.progress().value("state", "sampling_step") != "1" {}
        let progress = try await caller.progress()
        #expect(progress.value("state", "job_no") == "1")
        #expect(caller.standIn.requests.first?.ended == nil)
        #expect(caller.standIn.looks > 1)
        caller.standIn.release()
        #expect(try await render.value.status == 500)
        await caller.standIn.stop()
    }

    @Test("spoils the picture", arguments: ["broken-png", "truncated-png"])
    func spoilt(fault: String) async throws {
        let caller = try Caller()
        let answer = try await caller.txt2img(Self.body(fault))
        let file = try #require(answer.images.first)
        #expect(file.starts(with: PNG.signature))
        #expect(Taken(file) == nil)
        await caller.standIn.stop()
    }

    @Test("is over after so many times, counted by its id")
    func times() async throws {
        let caller = try Caller()
        func status(_ id: String) async throws -> Int {
            try await caller.txt2img(
                #"{"width":8,"height":8,"steps":1,"sketch":{"fault":"oom","times":2,"id":"\#(id)"}}"#
            ).status
        }
        #expect(
            try await [status("a"), status("a"), status("b"), status("a"), status("b"), status("b")] == [
                500, 500, 500, 200, 500, 200,
            ])
        await caller.standIn.stop()
    }

    @Test("may never end, and does when the server stops")
    func endless() async throws {
        let caller = try Caller()
        let render = Task { try await caller.txt2img(Self.body("endless")) }
        await caller.standIn.wait { $0.first?.ended != nil }
        await caller.standIn.stop()
        await #expect(throws: (any Error).self) { try await render.value }
    }

    @Test("happens to the other renders as well")
    func extras() async throws {
        let caller = try Caller()
        let picture = Data(PNG.encode(Canvas(width: 8, height: 8), text: "")).base64EncodedString()
        let body = "{\"image\":\"\(picture)\",\"sketch\":{\"fault\":\"no-images\"}}"
        #expect(
            try await caller.post("/sdapi/v1/extra-single-image", body).text
                == #"{"html_info":"<p></p>","image":""}"#)
        let oom = "{\"imageList\":[{\"data\":\"\(picture)\"}],\"sketch\":{\"fault\":\"oom\"}}"
        #expect(try await caller.post("/sdapi/v1/extra-batch-images", oom).status == 500)
        await caller.standIn.stop()
    }
}
