// Who waits at the door, what may happen meanwhile, and how many can.

import Foundation
import StandIn
import TestSupport
import Testing

@Suite(.witnessed) struct GatewayWaitingTests {
    private static let slow = smallJob().replacing(#""steps": 1"#, with: #""steps": 100000"#)

    private static func name(in line: String) throws -> String {
        try #require(line.components(separatedBy: "Z.").last?.trimmingCharacters(in: .newlines))
    }

    @Test("a client that is killed while it waits leaves its job, whose pictures come to done/")
    func killedClient() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        try Data().write(to: spool.path("PAUSE"))
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let client = try Program(
            ["-s", "-d", smallJob(), "\(visitor.url)/sdapi/v1/txt2img"],
            executable: URL(fileURLWithPath: "/usr/bin/curl"))
        let name = try Self.name(in: try await daemon.says("accepted"))
        client.kill(SIGKILL)
        #expect(try await client.exitCode() == 128 + SIGKILL)
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        try await daemon.says("done \(name)")
        #expect(spool.list("done/\(name)").contains("\(name)-1.png"))
        // The door is as it was.
        #expect(try await visitor.post("/sdapi/v1/txt2img", smallJob()).status == 200)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("a daemon that is killed under its clients is found again by Location and by Idempotency-Key")
    func killedDaemon() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        try Data().write(to: spool.path("PAUSE"))
        // A port that no other test is given between the two daemons.
        let address = "127.0.0.1:\(try ReservedPort().number)"
        let (daemon, visitor) = try await spool.gateway(server: standIn.url, at: address)
        let key = ["Idempotency-Key": "order-17"]
        let promise = try await visitor.post("/sdapi/v1/txt2img?async=1", smallJob(#""seed": 1"#))
        let place = try #require(promise.headers["location"])
        let waiting = Task {
            try await visitor.call("POST", "/sdapi/v1/txt2img", smallJob(#""seed": 2"#), headers: key)
        }
        try await daemon.says("accepted", "key-order-17")
        daemon.kill(SIGKILL)
        #expect(try await daemon.exitCode() == 128 + SIGKILL)
        await #expect(throws: (any Error).self) { try await waiting.value }
        let (again, _) = try await spool.gateway(server: standIn.url, at: address)
        let other = Visitor(visitor.url)
        async let second = other.call("POST", "/sdapi/v1/txt2img", smallJob(#""seed": 2"#), headers: key)
        async let first = other.call("GET", place, headers: ["Prefer": "wait=3600"])
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        let (found, answer) = try await (first, second)
        #expect(found.json["state"] as? String == "done")
        #expect(answer.status == 200)
        #expect((answer.json["info"] as? String)?.contains(#""seed":2"#) == true, "\(answer.text.suffix(500))")
        #expect(spool.list("done").count == 2)
        #expect(standIn.requests.count == 2)
        #expect(try await again.stop() == 0)
        await standIn.stop()
    }

    @Test("200 clients at once get each its own picture, and nobody is kept from asking meanwhile")
    func crowd() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let seeds = try await withThrowingTaskGroup(of: (Int, Int?).self) { group in
            for seed in 1...200 {
                group.addTask {
                    let answer = try await visitor.post("/sdapi/v1/txt2img", smallJob(#""seed": \#(seed)"#))
                    let info = Data((answer.json["info"] as? String ?? "").utf8)
                    let inside = (try? JSONSerialization.jsonObject(with: info)) as? [String: Any]
                    return (seed, answer.status == 200 ? inside?["seed"] as? Int : nil)
                }
            }
            let look = try await Visitor(visitor.url).get("/spool/v1/queue?limit=1")
            #expect(look.status == 200)
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(seeds.filter { $0 != $1 }.isEmpty)
        #expect(spool.list("done").count == 200)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("who waits for a job that is moved to hold/ waits on, and has it when it is moved back")
    func held() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        try Data().write(to: spool.path("PAUSE"))
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let waiting = Task { try await visitor.post("/sdapi/v1/txt2img", smallJob()) }
        let name = try Self.name(in: try await daemon.says("accepted"))
        let file = try #require(spool.list("queue").first)
        try FileManager.default.moveItem(at: spool.path("queue/\(file)"), to: spool.path("hold/\(file)"))
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        try await daemon.says("\(name) is gone from its folder")
        #expect(try await visitor.get("/spool/v1/jobs/\(name)").json["state"] as? String == "held")
        try FileManager.default.moveItem(at: spool.path("hold/\(file)"), to: spool.path("queue/\(file)"))
        #expect(try await waiting.value.status == 200)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("a job that is being rendered is stopped by DELETE, and who waits for it is told")
    func cancelled() async throws {
        let standIn = try StandIn.start(options: .init(stepTime: .milliseconds(100)))
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let waiting = Task { try await visitor.post("/sdapi/v1/txt2img", Self.slow) }
        let name = try Self.name(in: try await daemon.says("accepted"))
        await standIn.arrived(1)
        let answer = try await visitor.call("DELETE", "/spool/v1/jobs/\(name)")
        #expect(answer.status == 200 && answer.json["state"] as? String == "cancelled", "\(answer.text)")
        #expect(try await waiting.value.status == 410)
        #expect(try await visitor.get("/spool/v1/jobs/\(name)").status == 404)
        #expect(spool.list("active").isEmpty && spool.list("done").isEmpty && spool.list("failed").isEmpty)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test(
        "a render that is interrupted is answered as the server does: 200, the picture so far, and what it says of it")
    func interrupted() async throws {
        let standIn = try StandIn.start(options: .init(stepTime: .milliseconds(100)))
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let job = Self.slow.replacing(#""steps""#, with: #""seed": 9, "steps""#)
        let waiting = Task { try await visitor.post("/sdapi/v1/txt2img", job) }
        try await spool.holds("progress.json", inFolderOf: "active")
        #expect(try await visitor.post("/sdapi/v1/interrupt", "").status == 418)
        let answer = try await waiting.value
        #expect(answer.status == 200, "\(answer.text.prefix(300))")
        #expect(Set(answer.json.keys) == ["images", "parameters", "info"])
        let picture = (answer.json["images"] as? [String])?.first.flatMap { Data(base64Encoded: $0) }
        #expect(picture?.starts(with: [0x89, 0x50, 0x4e, 0x47]) == true)
        #expect((answer.json["parameters"] as? [String: Any])?["prompt"] as? String == "a cat")
        let info = try #require(answer.json["info"] as? String)
        #expect((try JSONSerialization.jsonObject(with: Data(info.utf8)) as? [String: Any])?["seed"] as? Int == 9)
        #expect(spool.list("failed").count == 1)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("who comes behind a file with many jobs is told of all of them, and so is who listens")
    func behindBatch() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        try Data().write(to: spool.path("PAUSE"))
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let curl = try Program(
            ["-sN", "-o", "/dev/stderr", "\(visitor.url)/spool/v1/events"],
            executable: URL(fileURLWithPath: "/usr/bin/curl"))
        try await curl.says(": sdspool")
        try spool.drop("many", "[\(smallJob()), \(smallJob()), \(smallJob())]")
        try await daemon.says("expanded many into 3")
        let place = try await visitor.post("/sdapi/v1/txt2img?async=1", smallJob()).json
        #expect(place["before"] as? Int == 3, "\(place)")
        // That the file has become its jobs is no render, from which could be told how long one takes.
        #expect(place["eta"] == nil, "\(place)")
        for part in ["many-001", "many-002", "many-003"] { try await curl.says("data: ", part) }
        #expect(curl.lines.count { $0 == "event: accepted" } >= 3)
        curl.kill(SIGTERM)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("who waits for what becomes many jobs is told which, and that none of them is rendered yet")
    func matrix() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        try Data().write(to: spool.path("PAUSE"))
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let matrix = smallJob(#""sdspool": {"matrix": {"seed": [1, 2]}}"#)
        for _ in 0..<2 {
            let answer = try await visitor.call(
                "POST", "/sdapi/v1/txt2img", matrix, headers: ["Idempotency-Key": "order-17"])
            #expect(answer.status == 202, "\(answer.text)")
            #expect(answer.headers["location"] == "/spool/v1/jobs/key-order-17")
            let parts = (answer.json["result"] as? [String: Any])?["parts"] as? [[String: Any]]
            #expect(parts?.map { $0["name"] as? String } == ["key-order-17-001", "key-order-17-002"])
        }
        #expect(spool.list("queue").count == 2 && standIn.requests.isEmpty)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("a key is itself: one that looks like the second result of another is another job")
    func likeKeys() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        for key in ["order.2", "order", "order.2", "order"] {
            let answer = try await visitor.call(
                "POST", "/sdapi/v1/txt2img", smallJob(), headers: ["Idempotency-Key": key])
            #expect(answer.status == 200)
        }
        #expect(spool.list("done") == ["key-order", "key-order.2"])
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("settings that a client changes at the door are known to the daemon, and nobody is warned of them")
    func settings() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        func warnings() async throws -> [String] {
            let answer = try await visitor.post("/sdapi/v1/txt2img", smallJob())
            let name = try #require(answer.headers["sdspool-ticket"]?.components(separatedBy: "Z.").last)
            return try spool.document("done/\(name)/result.json")["warnings"] as? [String] ?? []
        }
        #expect(try await warnings() == [])
        #expect(try await visitor.post("/sdapi/v1/options", #"{"CLIP_stop_at_last_layers": 2}"#).status == 418)
        #expect(try await warnings() == [])
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }
}
