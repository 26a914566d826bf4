// What is passed on by URLSession: whole, as it came, and not without end.

import Foundation
import HTTP
import Testing

@testable import A1111

@Suite(.timeLimit(.minutes(60))) struct ProxyAnswerTests {
    private static func answer(_ answer: Response, cap: Int = 100) async throws -> (text: String, status: Int) {
        let canned = try Canned(answer)
        let client = try canned.client()
        let proxied = ProxyRequest(method: "POST", target: "/a?b=c", headers: [("X-Y", "z")], body: Data("{}".utf8))
        let whole = try await client.wholeAnswer(to: proxied, cap: cap)
        let request = try #require(canned.requests.first)
        #expect(request.target == "/a?b=c" && request.body == Array("{}".utf8) && request.headers["x-y"] == "z")
        await canned.server.stop()
        return (String(decoding: whole.body, as: UTF8.self), try #require(whole.status))
    }

    private static func response(_ status: Int, _ headers: Headers = [:], length: Int) -> Response {
        Response(status: status, headers: headers, body: .bytes([UInt8](repeating: 0x78, count: length)))
    }

    @Test("an answer comes whole up to the limit, and is given up beyond it")
    func cap() async throws {
        let whole = try await Self.answer(Self.response(200, length: 100))
        #expect(whole.status == 200 && whole.text.count == 100)
        for length in [101, 5 << 20] {
            let failure = await #expect(throws: Failure.self) {
                try await Self.answer(Self.response(200, length: length))
            }
            #expect(failure?.message.contains("longer than 100 bytes") == true)
        }
    }

    @Test("a redirect is an answer, and so is the wish for credentials")
    func answers() async throws {
        #expect(try await Self.answer(Self.response(307, ["Location": "/x"], length: 3)).status == 307)
        let wish: Headers = ["WWW-Authenticate": "Basic realm=\"x\""]
        #expect(try await Self.answer(Self.response(401, wish, length: 3)).status == 401)
    }

    @Test("what comes packed is told as what it is here: unpacked, and of that length; of a HEAD nobody knows it")
    func packed() async throws {
        let canned = try Canned(
            Response(status: 200, headers: ["Content-Encoding": "gzip", "X-Y": "z"], body: .bytes(Array(Self.gzip))))
        let client = try canned.client()
        for (method, length) in [("GET", "380"), ("HEAD", nil)] {
            let answer = try await client.wholeAnswer(
                to: ProxyRequest(method: method, target: "/", headers: [], body: nil))
            let fields = answer.fields(to: method)
            #expect(answer.body.count == (method == "GET" ? 380 : 0))
            #expect(fields["content-length"] == length && fields["content-encoding"] == nil && fields["x-y"] == "z")
        }
        await canned.server.stop()
    }

    @Test("a HEAD of what comes as it is keeps the length that GET would have")
    func head() async throws {
        let canned = try Canned(Self.response(200, length: 12))
        let client = try canned.client()
        let answer = try await client.wholeAnswer(
            to: ProxyRequest(method: "HEAD", target: "/", headers: [], body: nil))
        #expect(answer.fields(to: "HEAD")["content-length"] == "12")
        await canned.server.stop()
    }

    /// 380 bytes of JSON.
    private static let gzip =
        Data(base64Encoded: "H4sIAAAAAAACA4uuVspLzE1VslJQci3NSS1Sqo2NHhWijxAAprSmkXwBAAA=") ?? Data()

    @Test("who is cancelled does not wait for the server")
    func cancelled() async throws {
        let canned = try Canned { _ in
            try? await Task.sleep(for: .seconds(3600))
            return Response(status: 200)
        }
        let client = try canned.client()
        let task = Task {
            _ = try await client.wholeAnswer(
                to: ProxyRequest(method: "GET", target: "/", headers: [], body: nil))
        }
        await canned.arrival()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        await canned.server.stop()
    }
}
