// The spool over HTTP, with the real executable and real sockets.

import Foundation
import HTTP
import StandIn
import TestSupport
import Testing

@Suite(.witnessed) struct GatewayTests {
    @Test("a render is answered in the server's own shape, out of the files of its result")
    func dropIn() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let answer = try await visitor.post("/sdapi/v1/txt2img", smallJob(#""seed": 7, "batch_size": 2"#))
        #expect(answer.status == 200)
        let images = try #require(answer.json["images"] as? [String])
        #expect(images.count == 2)
        let info = try #require(answer.json["info"] as? String)
        let inside = try #require(try JSONSerialization.jsonObject(with: Data(info.utf8)) as? [String: Any])
        #expect(inside["seed"] as? Int == 7)
        #expect((answer.json["parameters"] as? [String: Any])?["prompt"] as? String == "a cat")
        let name = try #require(spool.list("done").first)
        #expect(name.hasPrefix("a-cat-"))
        #expect(answer.headers["sdspool-ticket"]?.hasSuffix(".\(name)") == true)
        for (index, image) in images.enumerated() {
            let file = try Data(contentsOf: spool.path("done/\(name)/\(name)-\(index + 1).png"))
            #expect(Data(base64Encoded: image) == file)
        }
        // The same as without anybody in between.
        let direct = try await Visitor(standIn.url).post("/sdapi/v1/txt2img", smallJob(#""seed": 7, "batch_size": 2"#))
        #expect(direct.json["images"] as? [String] == images)
        #expect(Set(direct.json.keys) == Set(answer.json.keys))
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("what was sent reaches the server as it was written, beside orders of the client's own")
    func unchanged() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let body = #"{ "prompt":"x }", "steps":1,"width":64,"height":64,"seed":9007199254740993, "cfg_scale": 7.10 }  "#
        #expect(try await visitor.post("/sdapi/v1/txt2img", body).status == 200)
        let jobOptions = #"{"prompt": "y", "steps": 1, "sdspool": {"priority": 2}, "width": 64, "height": 64}"#
        let answer = try await visitor.post("/sdapi/v1/txt2img", jobOptions)
        #expect(answer.headers["sdspool-ticket"]?.hasPrefix("2-") == true, "\(answer.text.prefix(300))")
        let bodies = standIn.requests.map { String(decoding: $0.body, as: UTF8.self) }
        #expect(bodies.first?.contains(#""seed":9007199254740993, "cfg_scale": 7.10"#) == true)
        #expect(bodies.allSatisfy { !$0.contains(#""sdspool":"#) })
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("extras are answered in their own shapes")
    func extras() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let picture = try #require(
            (try await visitor.post("/sdapi/v1/txt2img", smallJob()).json["images"] as? [String])?.first)
        let single = try await visitor.post(
            "/sdapi/v1/extra-single-image", #"{"image": "\#(picture)", "upscaling_resize": 2}"#)
        #expect(single.status == 200)
        #expect(Set(single.json.keys) == ["html_info", "image"])
        let batch = try await visitor.post(
            "/sdapi/v1/extra-batch-images", #"{"imageList": [{"data": "\#(picture)", "name": "a.png"}]}"#)
        #expect(Set(batch.json.keys) == ["html_info", "images"])
        let redrawn = try await visitor.post(
            "/sdapi/v1/img2img", smallJob(#""init_images": ["\#(picture)"]"#))
        #expect((redrawn.json["images"] as? [String])?.count == 1)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("a mistake is told in the server's words, and what is no job is dropped nowhere")
    func mistakes() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let wrong = try await visitor.post("/sdapi/v1/txt2img", #"{"steps": "many"}"#)
        #expect(wrong.status == 422)
        #expect(wrong.json["detail"] != nil)
        for body in ["", "{", "[1]", "hello", #"{"a": 1}}"#, #"{"sdspool": 3}"#] {
            let answer = try await visitor.post("/sdapi/v1/txt2img", body)
            #expect(answer.status == 422, "\(body): \(answer.text)")
        }
        #expect(spool.list("inbox").isEmpty)
        #expect(spool.list("failed").count == 1)
        #expect(try await visitor.get("/sdapi/v1/txt2img").status == 405)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("who does not wait is told where the job is, sees its state, its pictures and its end")
    func async() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let slow = smallJob(#""sketch": {"fault": "hold"}"#)
        let first = try await visitor.call(
            "POST", "/sdapi/v1/txt2img", slow, headers: ["Prefer": "respond-async"])
        #expect(first.status == 202)
        #expect(first.headers["preference-applied"] == "respond-async")
        let second = try await visitor.post("/sdapi/v1/txt2img?async=1", smallJob())
        #expect(second.status == 202)
        let place = try #require(second.headers["location"])
        #expect(place.hasPrefix("/spool/v1/jobs/a-cat-"))
        #expect(["queued", "active"].contains(second.json["state"] as? String))
        let queue = try await visitor.get("/spool/v1/queue")
        #expect((queue.json["jobs"] as? [Any])?.count == 2)
        standIn.release()
        let end = try await visitor.call("GET", place, headers: ["Prefer": "wait=3600"])
        #expect(end.json["state"] as? String == "done")
        let pictures = try #require(end.json["images"] as? [String])
        let picture = try await visitor.get(pictures[0])
        #expect(picture.headers["content-type"] == "image/png")
        #expect(picture.data.starts(with: [0x89, 0x50, 0x4e, 0x47]))
        #expect((end.json["result"] as? [String: Any])?["status"] as? Int == 200)
        #expect(try await visitor.get("\(place)/images/2").status == 404)
        #expect(try await visitor.get("/spool/v1/jobs/nobody").status == 404)
        #expect(try await visitor.call("DELETE", place).status == 409)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("a job that waits is cancelled by DELETE, and who waits for it is told")
    func cancel() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        try Data().write(to: spool.path("PAUSE"))
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let waiting = Task { try await visitor.post("/sdapi/v1/txt2img", smallJob()) }
        let line = try await daemon.says("accepted")
        let name = try #require(line.components(separatedBy: "Z.").last?.trimmingCharacters(in: .newlines))
        #expect(try await visitor.get("/spool/v1/jobs/\(name)").json["before"] as? Int == 0)
        #expect(try await visitor.call("DELETE", "/spool/v1/jobs/\(name)").status == 200)
        #expect(try await waiting.value.status == 410)
        #expect(try await visitor.get("/spool/v1/jobs/\(name)").status == 404)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("the same Idempotency-Key is the same job, at once, later and behind a restart")
    func idempotent() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let answers = try await withThrowingTaskGroup(of: DoorAnswer.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    try await visitor.call(
                        "POST", "/sdapi/v1/txt2img", smallJob(), headers: ["Idempotency-Key": "order/17"])
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.allSatisfy { $0.status == 200 && $0.data == answers[0].data })
        #expect(try await daemon.stop() == 0)
        let (again, other) = try await spool.gateway(server: standIn.url)
        let answer = try await other.call(
            "POST", "/sdapi/v1/txt2img", smallJob(), headers: ["Idempotency-Key": "order/17"])
        #expect(answer.data == answers[0].data)
        #expect(standIn.requests.count == 1)
        #expect(spool.list("done") == ["key-order%2f17"])
        let unlike = try await other.call(
            "POST", "/sdapi/v1/txt2img", smallJob(), headers: ["Idempotency-Key": "order%2f17"])
        #expect(unlike.status == 200)
        #expect(spool.list("done") == ["key-order%252f17", "key-order%2f17"], "two keys are two jobs")
        #expect(try await again.stop() == 0)
        await standIn.stop()
    }

    @Test("what is not the door's is passed on and comes back as 418, with --transparent as it came")
    func proxy() async throws {
        let port = try ReservedPort()
        let standIn = try StandIn.start(port: port.number, options: .init(stepTime: .zero))
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let direct = try await Visitor(standIn.url).get("/sdapi/v1/samplers")
        let passed = try await visitor.get("/sdapi/v1/samplers")
        #expect(passed.status == 418)
        #expect(passed.data == direct.data)
        #expect(passed.headers["content-type"] == direct.headers["content-type"])
        #expect(try await visitor.get("/nowhere").status == 404)
        #expect(try await visitor.post("/sdapi/v1/options", "{").status == 422)
        #expect(try await visitor.post("/sdapi/v1/server-kill", "").status == 403)
        #expect(try await visitor.post("/sdapi/v1/%73erver-kill", "").status == 403)
        #expect(try await daemon.stop() == 0)
        let (transparent, other) = try await spool.gateway(server: standIn.url, ["--transparent"])
        #expect(try await other.get("/sdapi/v1/progress").status == 200)
        await standIn.stop()
        #expect(try await other.get("/sdapi/v1/progress").status == 502)
        #expect(try await transparent.stop() == 0)
    }

    @Test("where the server sends somebody to itself, he stays at the door")
    func redirects() async throws {
        let server = try Server.own { request in
            let host = request.headers["host"] ?? ""
            let place = request.path == "/docs" ? "http://\(host)/docs/" : "http://other.example/x"
            return Response(status: 307, headers: ["Location": place, "Access-Control-Allow-Origin": "*"])
        }
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: "http://127.0.0.1:\(server.port)")
        for (path, location) in [("/docs", "/docs/"), ("/other", "http://other.example/x")] {
            let answer = try await Stranger.asks(visitor.url, "GET \(path) HTTP/1.1\r\nHost: localhost")
            #expect(Stranger.status(answer) == 307)
            #expect(answer.contains("\r\nLocation: \(location)\r\n"), "\(answer)")
            #expect(!answer.lowercased().contains("access-control"), "the door says who may read it")
        }
        #expect(try await daemon.stop() == 0)
        await server.stop()
    }

    @Test("the page and the pictures are there to be read, and nothing beside the spool")
    func files() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        _ = try await visitor.post("/sdapi/v1/txt2img", smallJob())
        let name = try #require(spool.list("done").first)
        #expect(try await visitor.get("/done/\(name)/\(name)-1.png").headers["content-type"] == "image/png")
        #expect(try await visitor.get("/done/\(name)/result.json").json["name"] as? String == name)
        try Data("<script>".utf8).write(to: spool.path("done/\(name)/x.html"))
        #expect(try await visitor.get("/done/\(name)/x.html").headers["content-type"]?.hasPrefix("text/plain") == true)
        try await spool.holds("index.html", inFolderOf: "..")
        #expect(try await visitor.get("/").headers["content-type"] == "text/html; charset=utf-8")
        try FileManager.default.createSymbolicLink(
            at: spool.path("done/\(name)/link"), withDestinationURL: URL(fileURLWithPath: "/etc/hostname"))
        try Data("secret".utf8).write(to: spool.surroundings.appendingPathComponent("secret"))
        for path in [
            "/done/%2e%2e/%2e%2e/secret", "/done/..%2f..%2fsecret", "/done/\(name)/link", "/done/\(name)", "/done/",
            "/pages/%2e%2e/.lock", "/done/\(name)/%2e%2e/%2e%2e/.lock",
        ] {
            let answer = try await visitor.get(path)
            #expect([404, 503].contains(answer.status), "\(path): \(answer.status) \(answer.text)")
        }
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("events tell of a job's way as it goes")
    func events() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let curl = try Program(
            ["-sN", "-o", "/dev/stderr", "\(visitor.url)/spool/v1/events"],
            executable: URL(fileURLWithPath: "/usr/bin/curl"))
        try await curl.says(": sdspool")
        _ = try await visitor.post("/sdapi/v1/txt2img", smallJob())
        for event in ["accepted", "started", "done"] { try await curl.says("event: \(event)") }
        _ = try await visitor.post("/sdapi/v1/txt2img", #"{"steps": "many"}"#)
        try await curl.says("event: failed")
        curl.kill(SIGTERM)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }
}
