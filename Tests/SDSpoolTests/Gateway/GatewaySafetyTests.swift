// Who is let in at the door, and what stays a secret.

import Foundation
import HTTP
import StandIn
import Synchronization
import Testing

@Suite(.witnessed) struct GatewaySafetyTests {
    @Test("a page under a name of its own, or from elsewhere, gets nothing done")
    func foreigners() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let url = visitor.url
        for head in [
            "GET /spool/v1/queue HTTP/1.1\r\nHost: evil.example", "GET / HTTP/1.1\r\nHost: evil.example:7861",
            "POST /sdapi/v1/txt2img HTTP/1.1\r\nHost: evil.example",
            "GET /sdapi/v1/options HTTP/1.1\r\nHost: evil.example",
        ] {
            let answer = try await Stranger.asks(url, head, head.hasPrefix("POST") ? smallJob() : "")
            #expect(Stranger.status(answer) == 421, "\(answer)")
        }
        for head in [
            "POST /sdapi/v1/txt2img HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example",
            "POST /sdapi/v1/interrupt HTTP/1.1\r\nHost: localhost\r\nOrigin: null",
            "OPTIONS /sdapi/v1/txt2img HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n"
                + "Access-Control-Request-Method: POST",
        ] {
            let answer = try await Stranger.asks(url, head, head.hasPrefix("POST") ? smallJob() : "")
            #expect(Stranger.status(answer) == 403, "\(answer)")
            #expect(!answer.contains("Access-Control-Allow"))
        }
        let look = try await Stranger.asks(
            url, "GET /spool/v1/queue HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example")
        #expect(Stranger.status(look) == 200 && !look.contains("Access-Control-Allow"))
        #expect(standIn.requests.isEmpty)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("a page of an origin that is named asks for leave, gets it, asks, and may read the answer")
    func cors() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url, ["--cors", "http://127.0.0.1:3000"])
        let leave = try await visitor.call(
            "OPTIONS", "/sdapi/v1/txt2img",
            headers: [
                "Origin": "http://127.0.0.1:3000", "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "content-type",
            ])
        #expect(leave.status == 204)
        #expect(leave.headers["access-control-allow-origin"] == "http://127.0.0.1:3000")
        #expect(leave.headers["access-control-allow-methods"] == "POST")
        #expect(leave.headers["access-control-allow-headers"] == "content-type")
        let answer = try await visitor.call(
            "POST", "/sdapi/v1/txt2img", smallJob(), headers: ["Origin": "http://127.0.0.1:3000"])
        #expect(answer.status == 200)
        #expect(answer.headers["access-control-allow-origin"] == "http://127.0.0.1:3000")
        #expect(answer.headers["vary"] == "Origin")
        let other = try await visitor.call(
            "POST", "/sdapi/v1/txt2img", smallJob(), headers: ["Origin": "http://127.0.0.1:3001"])
        #expect(other.status == 403)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("without user and password nobody gets past the door, and nobody else learns them")
    func credentials() async throws {
        let heads = Mutex<[String]>([])
        let server = try Server.own { request in
            heads.withLock { $0.append("\(request.target) \(request.headers.lines)") }
            guard request.path == "/sdapi/v1/txt2img" else {
                return Response(status: 200, body: .bytes(Array("{}".utf8)))
            }
            return Response(
                status: 200, headers: ["Content-Type": "application/json"], body: .bytes(Array(BareServer.picture.utf8))
            )
        }
        let spool = try TestSpool()
        let told = spool.surroundings.appendingPathComponent("told")
        let (daemon, visitor) = try await spool.gateway(
            server: "http://127.0.0.1:\(server.port)",
            [
                "--api-auth", "ann:geheim17", "--on-done",
                "/bin/sh -c 'env > \(told.path).part; mv \(told.path).part \(told.path)'",
            ],
            environment: ["SDSPOOL_API_AUTH": "bob:geheim18"])
        for (method, path) in [
            ("GET", "/"), ("GET", "/index.html"), ("GET", "/done/x/x-1.png"), ("GET", "/spool/v1/queue"),
            ("GET", "/spool/v1/events"), ("DELETE", "/spool/v1/jobs/x"), ("POST", "/sdapi/v1/txt2img"),
            ("GET", "/sdapi/v1/options"), ("OPTIONS", "/sdapi/v1/options"), ("GET", "/nowhere"),
        ] {
            // By hand: URLSession has ideas of its own about 401.
            for wrong in [nil, "ann:geheim1", "ann:geheim177", "bob:geheim18"] {
                let authorization = wrong.map { "\r\nAuthorization: Basic \(Data($0.utf8).base64EncodedString())" }
                let answer = try await Stranger.asks(
                    visitor.url,
                    "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nAccess-Control-Request-Method: POST"
                        + (authorization ?? ""), method == "POST" ? smallJob() : "")
                #expect(Stranger.status(answer) == 401, "\(method) \(path) \(wrong ?? ""): \(answer)")
                #expect(answer.contains("WWW-Authenticate: Basic"))
            }
        }
        #expect(!heads.withLock { $0 }.contains { $0.contains("OPTIONS") || $0.hasPrefix("/nowhere") })
        let right = ["Authorization": "Basic \(Data("ann:geheim17".utf8).base64EncodedString())"]
        let answer = try await visitor.call("POST", "/sdapi/v1/txt2img", smallJob(), headers: right)
        #expect(answer.status == 200)
        #expect(try await visitor.call("GET", "/nowhere", headers: right).status == 418)
        try await spool.holds(1, in: "done")
        let end = ContinuousClock.now + deadline
        while !FileManager.default.fileExists(atPath: told.path), ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(5))
        }
        let secrets = ["geheim", Data("ann:geheim17".utf8).base64EncodedString()]
        func isClean(_ text: String) -> Bool { !secrets.contains { text.contains($0) } }
        let commandLine = try Data(contentsOf: URL(fileURLWithPath: "/proc/\(daemon.pid)/cmdline"))
        #expect(isClean(String(decoding: commandLine, as: UTF8.self)))
        #expect(isClean(try String(contentsOf: told, encoding: .utf8)))
        #expect(heads.withLock { $0 }.allSatisfy(isClean))
        #expect(try await daemon.stop() == 0)
        #expect(daemon.lines.allSatisfy(isClean))
        for file in try #require(FileManager.default.subpaths(atPath: spool.url.path)) {
            let content = (try? Data(contentsOf: spool.path(file))) ?? Data()
            #expect(isClean(String(decoding: content, as: UTF8.self)), "\(file)")
        }
        await server.stop()
    }

    @Test("a door that others could reach is not opened without credentials, and a wish that makes no sense is told")
    func refusals() async throws {
        let spool = try TestSpool()
        func put(_ text: String) throws -> String {
            let file = spool.surroundings.appendingPathComponent("auth-\(text.utf8.count)")
            try Data(text.utf8).write(to: file)
            return file.path
        }
        for (options, code, words) in [
            (["--listen", "0.0.0.0:0"], 78, "--api-auth"), (["--listen", "192.0.2.1:0"], 78, "--api-auth"),
            (["--listen", "0.0.0.0:0", "--api-auth", try put("")], 78, "USER:PASSWORD"),
            (["--listen", "0.0.0.0:0", "--api-auth", try put("nobody\n")], 78, "USER:PASSWORD"),
            (["--listen", "0.0.0.0:0", "--api-auth", "/nowhere"], 66, "cannot be read"),
            (["--listen", "::1:0"], 64, "IPv4"), (["--listen", "7861x"], 64, "IPv4"),
            (["--listen", "127.0.0.1:65536"], 64, "IPv4"), (["--cors", "http://a"], 64, "--listen"),
            (["--transparent"], 64, "--listen"), (["--api-auth", "a:b"], 64, "--listen"),
        ] as [([String], Int32, String)] {
            let program = try Program(spool.arguments(server: "http://127.0.0.1:1") + options)
            #expect(try await program.exitCode() == code, "\(options)")
            #expect(program.lines.contains { $0.contains(words) }, "\(options): \(program.lines)")
        }
        #expect(!FileManager.default.fileExists(atPath: spool.path("queue").path))
    }
}
