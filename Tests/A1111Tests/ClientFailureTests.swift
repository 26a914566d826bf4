import A1111API
import Foundation
import HTTP
import Linux
import StandIn
import TestSupport
import Testing

@testable import A1111

@Suite("A client that gets no result", .timeLimit(.minutes(60)))
struct ClientFailureTests {
    static let faults: [(String, Failure.Class, status: Int?, words: String)] = [
        ("503", .unclear, 503, "busy"), ("429", .notNow, 429, "too often"),
        ("401", .unclear, 401, "--credentials"), ("404", .unclear, 404, "--api"),
        ("redirect", .unclear, 307, "redirects to /elsewhere (307)"), ("html", .unclear, 200, "a web page (text/html"),
        ("oom", .outOfMemory, 500, "CUDA out of memory"), ("nan", .temporary, 500, "NansException"),
        ("500", .temporary, 500, "RuntimeError: a fault on request"),
        ("hangup", .ambiguous, nil, "before it had answered"),
        ("reset", .ambiguous, nil, "before it had answered"),
        ("truncate", .ambiguous, 200, "in the middle of its answer"),
        ("truncate-unframed", .ambiguous, 200, "ended in its middle"), ("gzip", .unclear, 200, "compressed (gzip)"),
        ("no-images", .wrongResult, 200, "sent no picture"), ("not-an-image", .wrongResult, 200, "element 1"),
        ("nonsense", .permanent, 422, "sketch.fault: one of"),
    ]

    static func body(_ fault: String, seconds: Double = 0.001, count: Int = 1) -> String {
        #"{"prompt":"a","width":64,"height":64,"steps":1,"seed":1,"n_iter":\#(count),"#
            + #""sketch":{"fault":"\#(fault)","seconds":\#(seconds)}}"#
    }

    @Test("knows whose fault it is", arguments: faults)
    func fault(name: String, expected: Failure.Class, status: Int?, words: String) async throws {
        let standIn = try StandIn.start(options: .init(stepTime: .zero))
        let failure = try await failure(client(port: standIn.port), Self.body(name), to: endpoint())
        #expect(failure.class == expected)
        #expect(failure.status == status)
        #expect(failure.message.contains(words), "\(failure.message)")
        // Not sent again in silence: it would render twice.
        #expect(standIn.requests.count == 1)
        await standIn.stop()
    }

    @Test("is not content with one picture of two")
    func half() async throws {
        let standIn = try StandIn.start(options: .init(stepTime: .zero))
        let failure = try await failure(
            client(port: standIn.port), Self.body("not-an-image", count: 2), to: endpoint())
        #expect(failure.class == .wrongResult)
        #expect(failure.message.contains("element 2"))
        await standIn.stop()
    }

    /// What is no JSON object may come from whatever stands before the API.
    static let replies: [(String, Failure.Class, words: String)] = [
        (#"{"images":[""],"info":"{}"}"#, .wrongResult, "element 1"),
        (#"{"images":["%%%"]}"#, .wrongResult, "element 1"),
        ("{}", .wrongResult, "no picture"), ("[]", .unclear, "JSON, but no object"),
        (#"{"images":["\#(ReplyReaderTests.dot.dropLast(3))!==="]}"#, .wrongResult, "not base64"),
        ("null", .unclear, "JSON, but no object"), (#"{"images":["\#(ReplyReaderTests.dot)"],}"#, .unclear, "no JSON"),
        ("<html>", .unclear, "no JSON"), ("starting, please wait", .unclear, "no JSON"),
    ]

    @Test("finds fault with a 200 that is none", arguments: replies)
    func wrong(body: String, class: Failure.Class, words: String) async throws {
        let canned = try Canned(json(body.utf8))
        let failure = try await failure(canned.client(), to: endpoint())
        #expect(failure.class == `class`)
        #expect(try failure.clarified(for: endpoint()).class == .wrongResult)
        #expect(failure.status == 200)
        #expect(failure.message.contains(words), "\(failure.message)")
        await canned.server.stop()
    }

    @Test("may be refused", arguments: ["POST", "GET"])
    func refused(method: String) async throws {
        let gone = try ReservedPort()
        let client = Client(server: try #require(ServerAddress(gone.url)), renderTimeout: nil)
        let failure = try await inFolder { folder in
            await #expect(throws: Failure.self) {
                try await client.send(
                    method == "GET" ? nil : RequestBody(Data("{}".utf8)), to: endpoint("/x", method: method),
                    picturesInto: folder.directory, job: "cat")
            }
        }
        #expect(failure?.class == .serverDown)
        #expect(failure?.status == nil)
        #expect(failure?.message.contains("nobody listens at \(gone.url)") == true)
    }

    @Test("may find that the name is nobody's")
    func unresolved() async throws {
        let address = try #require(ServerAddress("http://no-such-host.invalid:7860"))
        let failure = try await failure(Client(server: address, renderTimeout: nil), to: endpoint())
        #expect(failure.class == .serverDown)
    }

    @Test("may find something that does not speak HTTP, or TLS")
    func babel() async throws {
        // More than it takes for a head: it refuses that at once, in plain words.
        let canned = try Canned(head: 16, answer: silence)
        let address = try #require(ServerAddress("https://127.0.0.1:\(canned.server.port)"))
        let failure = try await failure(Client(server: address, renderTimeout: nil), to: endpoint())
        #expect(failure.class == .serverDown)
        #expect(canned.requests.isEmpty)
        await canned.server.stop()
    }

    static let codes = [301, 302, 303, 307, 308]

    @Test("follows no redirect", arguments: codes, ["/elsewhere", "http://127.0.0.1:1/", nil])
    func redirect(status: Int, location: String?) async throws {
        var response = Response(status: status)
        if let location { response.headers.append("Location", location) }
        let canned = try Canned(response)
        let failure = try await failure(canned.client(credentials: "u:p"), to: endpoint())
        #expect(failure.class == .unclear)
        #expect(failure.status == status)
        #expect(canned.requests.map(\.target) == ["/sdapi/v1/txt2img"])
        await canned.server.stop()
    }

    @Test("asks once where it is not let in", arguments: [nil, "Basic realm=\"x\"", "Digest realm=\"x\", nonce=\"y\""])
    func unauthorized(challenge: String?) async throws {
        var response = json(#"{"detail":"Not authenticated"}"#.utf8, status: 401)
        if let challenge { response.headers.append("WWW-Authenticate", challenge) }
        let canned = try Canned(response)
        let failure = try await failure(canned.client(credentials: "user:wrong"), to: endpoint())
        #expect(failure.class == .unclear)
        #expect(failure.status == 401)
        #expect(!failure.message.contains("wrong"))
        #expect(canned.requests.count == 1)
        await canned.server.stop()
    }

    @Test("cannot know what became of a render that took too long")
    func timeout() async throws {
        let canned = try Canned(answer: silence)
        let start = ContinuousClock.now
        let failure = try await failure(canned.client(timeout: .seconds(2)), to: endpoint())
        #expect(failure.class == .ambiguous)
        #expect(failure.message.contains("within 2.0 seconds"))
        #expect(ContinuousClock.now - start >= .seconds(1.9))
        // Once at most: a machine that is busy may not even have come to it.
        #expect(canned.requests.count <= 1)
        await canned.server.stop()
    }

    @Test(
        "does not take for whole what is cut, however it is framed",
        arguments: [Response.Framing.chunked, .length(99_999)])
    func cut(framing: Response.Framing) async throws {
        let fixture = try Fixture("txt2img-1.json").data
        for reset in [false, true] {
            let canned = try Canned(
                Response(
                    status: 200, headers: ["Content-Type": "application/json"],
                    body: .stream(framing) { writer in
                        try await writer.write(fixture.dropLast(5))
                        throw AbortResponse(reset: reset)
                    }))
            let failure = try await failure(canned.client(), to: endpoint())
            #expect(failure.class == .ambiguous)
            await canned.server.stop()
        }
    }

    @Test("says of a disk that fails what the kernel says")
    func disk() async throws {
        let canned = try Canned(json(try Fixture("txt2img-1.json").data))
        try await inFolder { folder in
            _ = try folder.directory.createFile(".picture-1")
            let error = await #expect(throws: SystemError.self) {
                try await canned.client().send(
                    Data("{}".utf8), to: endpoint(), picturesInto: folder.directory, job: "cat")
            }
            #expect(error?.isTaken == true)
        }
        await canned.server.stop()
    }

    @Test(
        "a server that does not tell its paths is not asked again, whatever it says instead",
        arguments: [(404, "{}"), (500, "Internal Server Error"), (200, "<html>"), (400, "{}")])
    func noPaths(status: Int, body: String) async throws {
        let canned = try Canned(json(body.utf8, status: status))
        #expect(try await canned.client().paths() == nil)
        await canned.server.stop()
    }

    /// Answers to a question about the API, and whether they are the API's.
    static let probes: [(Int, String, isThere: Bool)] = [
        (200, "{}", true), (200, "<html><title>Sign in</title>", false), (200, "null", false),
        (404, #"{"detail":"Not Found"}"#, false), (404, #"{"error":"no route","src":"llama-swap"}"#, true),
        (500, #"{"error":"RuntimeError","detail":"","body":"","errors":"x"}"#, true), (502, "", false),
        (302, "", false), (401, #"{"detail":"Not authenticated"}"#, false), (429, "", false), (403, "<html>", false),
    ]

    @Test("finds out whether the API is there at all", arguments: probes)
    func probe(status: Int, body: String, isThere: Bool) async throws {
        let canned = try Canned(json(body.utf8, status: status))
        #expect((try await canned.client().probe() == nil) == isThere)
        #expect(canned.requests.map(\.target) == ["/sdapi/v1/options"])
        await canned.server.stop()
    }

    @Test("finds out that nobody is there whom it could ask")
    func probeAway() async throws {
        let gone = try #require(ServerAddress(try ReservedPort().url))
        #expect(try await Client(server: gone, renderTimeout: nil).probe()?.class == .serverDown)
    }

    static let progresses: [(Int, String, Failure.Class?)] = [
        (
            200,
            #"{"progress":0.5,"eta_relative":1e9,"state":{"job":"x","sampling_step":1,"sampling_steps":2,"interrupted":false}}"#,
            nil
        ),
        (200, "{}", .temporary), (200, "<html>", .temporary), (404, #"{"detail":"Not Found"}"#, .unclear),
        (401, "{}", .unclear), (500, "{}", .unclear),
    ]

    @Test("learns what the server is doing, or why not", arguments: progresses)
    func progress(status: Int, body: String, expected: Failure.Class?) async throws {
        let canned = try Canned(json(body.utf8, status: status))
        do {
            let progress = try await canned.client().progress(within: .seconds(3600))
            #expect(expected == nil && !progress.isIdle && progress.progress == 0.5)
        } catch let failure as Failure {
            #expect(failure.class == expected)
        }
        #expect(canned.requests.map(\.target) == ["/sdapi/v1/progress?skip_current_image=true"])
        await canned.server.stop()
    }
}
