// Two jobs are with a server at once: the next render begins when the last one ends, and everything else stays as it was.

import Foundation
import FoundationNetworking
import HTTP
import StandIn
import Synchronization
import Testing

@Suite(.witnessed) struct PipelineTests {
    private static func job(_ name: String, steps: Int) -> String {
        #"{"prompt": "\#(name)", "steps": \#(steps), "width": 64, "height": 64}"#
    }

    @Test("the next job waits in the server while one is rendered, and begins before that one is answered")
    func next() async throws {
        let standIn = try StandIn.start(options: .init(stepTime: .milliseconds(10)))
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        for (name, fault) in [("a", "withhold"), ("b", "hold"), ("c", "hold")] {
            let job = Self.job(name, steps: 10)
            try spool.drop(name, #"\#(job.dropLast()), "sketch": {"fault": "\#(fault)"}}"#)
        }
        // The render of the first one has ended, and it is not answered.
        await standIn.wait { $0.count == 2 && $0[1].started != nil }
        #expect(spool.list("done").isEmpty)
        #expect(standIn.requests.count == 2, "one is rendered and one waits, no more")
        standIn.release("a")
        try await daemon.says("done a")
        standIn.release()
        for name in ["b", "c"] { try await daemon.says("done \(name)") }
        #expect(try await daemon.stop() == 0)
        let isFirst = standIn.requests.map { String(decoding: $0.body, as: UTF8.self).contains(#""prompt": "a""#) }
        #expect(isFirst == [true, false, false])
        // What it waited for is no part of a render.
        let result = try spool.document("done/b/result.json")
        let before = try spool.document("done/a/result.json")
        #expect(try #require(result["started"] as? String) >= #require(before["finished"] as? String))
        await standIn.stop()
    }

    @Test("with --in-flight 1 a request leaves when the one before it is answered")
    func single() async throws {
        let standIn = try StandIn.start(options: .init(stepTime: .milliseconds(10), encodeTime: .milliseconds(300)))
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url, "--in-flight", "1")
        for name in ["a", "b"] { try spool.drop(name, Self.job(name, steps: 10)) }
        for name in ["a", "b"] { try await daemon.says("done \(name)") }
        #expect(try await daemon.stop() == 0)
        let (first, second) = (standIn.requests[0], standIn.requests[1])
        #expect(try #require(second.started) - #require(first.ended) >= .milliseconds(300))
        await standIn.stop()
    }

    @Test(
        "a server that refuses a second request while it renders gets one at a time, and nothing counts as an attempt")
    func busy() async throws {
        let renders = Mutex((isBusy: false, refused: 0))
        let (refusals, refusal) = AsyncStream<Void>.makeStream()
        let server = try Server.own { request in
            guard request.path == "/sdapi/v1/txt2img" else {
                return Response(status: 404, headers: [:], body: .bytes(Array(#"{"detail":"Not Found"}"#.utf8)))
            }
            let isRefused = renders.withLock { renders in
                if renders.isBusy { renders.refused += 1 }
                defer { renders.isBusy = true }
                return renders.isBusy
            }
            guard !isRefused else {
                return Response(status: 503, headers: [:], body: .bytes(Array(#"{"detail":"busy"}"#.utf8)))
            }
            // The first one lasts until the refusal is understood, the others for as long as sending one may take.
            for await _ in refusals {}
            try? await Task.sleep(for: .milliseconds(200))
            renders.withLock { $0.isBusy = false }
            return Response(
                status: 200, headers: ["Content-Type": "application/json"], body: .bytes(Array(BareServer.picture.utf8))
            )
        }
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: "http://127.0.0.1:\(server.port)")
        let names = ["a", "b", "c", "d"]
        for name in names { try spool.drop(name, #"{"prompt": "\#(name)", "width": 1, "height": 1}"#) }
        try await daemon.says("takes no request while it renders")
        refusal.finish()
        for name in names { try await daemon.says("done \(name)") }
        #expect(try await daemon.stop() == 0)
        #expect(renders.withLock { $0.refused } == 1)
        for name in names {
            let attempts = try #require(try spool.document("done/\(name)/result.json")["attempts"] as? [[String: Any]])
            #expect(attempts.count == 1)
        }
        #expect(!daemon.lines.contains { $0.contains("waiting for") })
        await server.stop()
    }

    @Test("a job that waits in the server is cancelled without harm to the one that is rendered")
    func cancelled() async throws {
        let standIn = try StandIn.start(options: .init(stepTime: .milliseconds(20)))
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        try spool.drop("first", Self.job("first", steps: 100))
        try spool.drop("second", Self.job("second", steps: 100_000))
        await standIn.arrived(2)
        let cancel = try Program(["cancel", "--spool", spool.url.path, "second"])
        #expect(try await cancel.exitCode() == 0)
        try await daemon.says("done first")
        // It is stopped when it begins.
        try await daemon.says("second is gone from its folder: cancelled")
        try spool.drop("third", Self.job("third", steps: 1))
        try await daemon.says("done third")
        #expect(try await daemon.stop() == 0)
        #expect(spool.list("done") == ["first", "third"])
        #expect(spool.list("failed").isEmpty)
        await standIn.stop()
    }

    @Test("an interrupt that hits the next render, because its own had just ended, costs nobody a picture")
    func lateInterrupt() async throws {
        // Renders begin at "1", "2", …; the interrupt finds the second.
        let state = Mutex((render: 0, isInterrupted: false))
        let second = AsyncStream<Void>.makeStream()
        let first = AsyncStream<Void>.makeStream()
        let bare = try BareServer { path in
            switch path {
            case "/sdapi/v1/txt2img":
                let number = state.withLock { state in
                    state.render += 1
                    return state.render
                }
                if number == 1 { for await _ in first.stream {} }
                if number == 2 { for await _ in second.stream {} }
                if number > 2 { state.withLock { $0.isInterrupted = false } }
                return BareServer.picture.replacing(
                    #""info": "{}""#, with: #""info": "{\"job_timestamp\": \"\#(number)\"}""#)
            case "/sdapi/v1/interrupt":
                first.continuation.finish()
                state.withLock { $0.isInterrupted = true }
                second.continuation.finish()
                return "{}"
            case let path where path.hasPrefix("/sdapi/v1/progress"):
                let (render, isInterrupted) = state.withLock { $0 }
                guard render > 0 else { return BareServer.idle }
                let job = isInterrupted && render == 2 ? "" : "scripts_txt2img"
                let began = isInterrupted ? 2 : 1
                return #"""
                    {"progress": 0.5, "eta_relative": 1, "state": {"job": "\#(job)", "sampling_step": 1,
                    "sampling_steps": 2, "interrupted": \#(isInterrupted), "job_timestamp": "\#(began)"}}
                    """#
            default: return nil
            }
        }
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: bare.url)
        try spool.drop("a", #"{"prompt": "a", "width": 1, "height": 1}"#)
        try await daemon.says("rendering a")
        try spool.drop("b", #"{"prompt": "b", "width": 1, "height": 1}"#)
        try await daemon.says("rendering b")
        let cancel = try Program(["cancel", "--spool", spool.url.path, "a"])
        #expect(try await cancel.exitCode() == 0)
        try await daemon.says("a is gone from its folder: cancelled")
        try await daemon.says("done b")
        #expect(try await daemon.stop() == 0)
        #expect(spool.list("failed").isEmpty)
        #expect(bare.paths.count { $0 == "/sdapi/v1/txt2img" } == 3)
        await bare.server.stop()
    }

    @Test("a job that waited in the server when the daemon was killed is not taken for the cause")
    func innocent() async throws {
        let standIn = try StandIn.start(options: .init(stepTime: .milliseconds(10)))
        let spool = try TestSpool()
        try spool.drop("poison", Self.job("poison", steps: 100_000))
        try spool.drop(
            "bystander", #"{"prompt": "b", "steps": 1, "width": 8, "height": 8, "sdspool": {"priority": 6}}"#)
        for life in 1...3 {
            let seen = standIn.requests.count
            let daemon = try await spool.daemon(server: standIn.url)
            // The first time both are there, from then on the one that may be the cause is alone.
            await standIn.arrived(seen + (life == 1 ? 2 : 1))
            daemon.kill(SIGKILL)
            _ = try await daemon.exitCode()
            // Nothing of it is left at the server.
            while try await isBusy(standIn.url) { _ = try await post(standIn.url, "interrupt", "") }
        }
        let daemon = try await spool.daemon(server: standIn.url)
        try await daemon.says("failed poison")
        try await daemon.says("done bystander")
        #expect(try await daemon.stop() == 0)
        #expect(try spool.document("failed/poison/error.json")["class"] as? String == "poison")
        #expect(standIn.requests.count { String(decoding: $0.body, as: UTF8.self).contains("poison") } == 3)
        await standIn.stop()
    }

    @Test("SIGTERM puts back what waits to be sent, and holds it against nobody")
    func stopped() async throws {
        let standIn = try StandIn.start(options: .init(stepTime: .milliseconds(20)))
        let spool = try TestSpool()
        let other = Task { try await post(standIn.url, "txt2img", Self.job("other", steps: 100_000)) }
        await standIn.wait { $0.first?.started != nil }
        // One that was under way at a crash waits until the server is idle, and the others wait behind it.
        let attempts =
            #"{"drawn": {"seed": 1}, "list": [{"number": 1, "server": "x", "started": "2026-01-01T00:00:00Z"}]}"#
        let tried = "queue/5-20260101T000000.000001Z.tried"
        try spool.put(Self.job("tried", steps: 1), at: "\(tried)/tried.json")
        try spool.put(attempts, at: "\(tried)/attempts.json")
        try spool.put(Self.job("fresh", steps: 1), at: "queue/5-20260101T000000.000002Z.fresh.json")
        for life in 1...2 {
            let daemon = try await spool.daemon(server: standIn.url)
            try await spool.holds("attempts.json", inFolderOf: "active")
            #expect(try await daemon.stop() == 0)
            #expect(spool.list("active").isEmpty, "life \(life)")
            #expect(spool.list("queue").count == 2, "life \(life)")
        }
        _ = try await post(standIn.url, "interrupt", "")
        _ = try await other.value
        let daemon = try await spool.daemon(server: standIn.url)
        for name in ["tried", "fresh"] { try await daemon.says("done \(name)") }
        #expect(try await daemon.stop() == 0)
        let fresh = try #require(try spool.document("done/fresh/result.json")["attempts"] as? [[String: Any]])
        #expect(fresh.dropLast().allSatisfy { $0["failure"] as? String == "stopped" })
        #expect(standIn.requests.count == 3)
        await standIn.stop()
    }

    private func isBusy(_ server: String) async throws -> Bool {
        let url = try #require(URL(string: "\(server)/sdapi/v1/progress?skip_current_image=true"))
        let request = URLRequest(url: url, timeoutInterval: 3600)
        let answer =
            try await JSONSerialization.jsonObject(with: URLSession.shared.data(for: request).0) as? [String: Any]
        return (answer?["state"] as? [String: Any])?["job"] as? String != ""
    }
}
