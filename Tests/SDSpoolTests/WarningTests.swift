// Trust but verify: a 200 is not yet what was asked for.

import Foundation
import StandIn
import Synchronization
import Testing

@Suite(.witnessed) struct WarningTests {
    private static let odd = #"{"prompt": "x", "steps": 1, "width": 63, "height": 64, "sampler_name": "Nope"}"#

    @Test("what came otherwise than it was asked for is named in the result and in the log")
    func warned() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        try spool.drop("odd", Self.odd)
        try spool.drop("even", smallJob(#""sampler_name": "Euler""#))
        try await daemon.says("done odd", "63 × 64 pixels")
        try await daemon.says("done even")
        #expect(try await daemon.stop() == 0)
        let warnings = try #require(try spool.document("done/odd/result.json")["warnings"] as? [String])
        #expect(warnings.contains("asked for 63 × 64 pixels, odd-1.png has 56 × 64"))
        #expect(warnings.contains { $0.hasPrefix("asked for the sampler \"Nope\", the server used ") })
        #expect(warnings.count == 2)
        #expect(try spool.document("done/even/result.json")["warnings"] == nil)
        await standIn.stop()
    }

    @Test(
        "a render that was stopped before its first picture is no less stopped; with another's flags it is a wrong result"
    )
    func stoppedAtOnce() async throws {
        let bare = try BareServer { path in
            switch path {
            case "/sdapi/v1/txt2img": #"{"images": [], "parameters": {}, "info": "{\"job_timestamp\": \"7\"}"}"#
            case "/sdapi/v1/img2img": #"{"images": [], "parameters": {}, "info": "{\"job_timestamp\": \"6\"}"}"#
            default:
                path.hasPrefix("/sdapi/v1/progress")
                    ? BareServer.idle.replacing("20261123153823", with: "7").replacing(": false", with: ": true") : nil
            }
        }
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: bare.url)
        try spool.drop("ours", smallJob())
        try await daemon.says("failed ours: the render was interrupted at the server before its first picture")
        try spool.drop("other", smallJob(#""init_images": []"#))
        try await daemon.says("failed other: the server answered 200, but sent no picture")
        #expect(try await daemon.stop() == 0)
        #expect(try spool.document("failed/ours/error.json")["class"] as? String == "interrupted")
        await bare.server.stop()
    }

    @Test("what somebody else's override left behind is warned of, what the owner has set is not")
    func leaks() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        try await post(standIn.url, "options", #"{"CLIP_stop_at_last_layers": 2}"#)
        let daemon = try await spool.daemon(server: standIn.url)
        func warnings(_ name: String) async throws -> [String] {
            try spool.drop(name, smallJob())
            try await daemon.says("done \(name)")
            return try spool.document("done/\(name)/result.json")["warnings"] as? [String] ?? []
        }
        #expect(try await warnings("before") == [])
        let leak =
            #""CLIP_stop_at_last_layers": 3, "samples_format": "jpg", "sd_model_checkpoint": "sketch-test-card-2""#
        try await post(
            standIn.url, "txt2img",
            smallJob(#""override_settings": {\#(leak)}, "override_settings_restore_afterwards": false"#))
        let after = try await warnings("after")
        for words in [
            "the server used clip skip 3, which was not asked for (it was set to 2)",
            "the server used the checkpoint \"sketch-test-card-2\", which was not asked for (it was set to "
                + "\"sketch-test-card.safetensors\")",
            "the server used the picture format jpeg, which was not asked for (it was set to png)",
        ] { #expect(after.contains(words), "\(words)") }
        // A job that changes them on purpose is the owner's word.
        try spool.drop(
            "set",
            #"{"samples_format": "png", "CLIP_stop_at_last_layers": 1, "sdspool": {"endpoint": "/sdapi/v1/options"}}"#)
        try await daemon.says("done set")
        #expect(try await warnings("set-on-purpose") == [])
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("a LoRA that came to the server after its list was read is no lack")
    func newLoRA() async throws {
        let hasCome = Mutex(false)
        let bare = try BareServer { path in
            switch path {
            case "/sdapi/v1/txt2img": BareServer.picture
            case "/sdapi/v1/loras": hasCome.withLock { $0 } ? #"[{"name": "ink"}]"# : "[]"
            default: nil
            }
        }
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: bare.url)
        let job = #"{"prompt": "<lora:ink:1>", "width": 1, "height": 1}"#
        try spool.drop("before", job)
        try await daemon.says("done before", "asked for the LoRA \"ink\", which the server has not")
        hasCome.withLock { $0 = true }
        for name in ["after", "later"] {
            try spool.drop(name, job)
            try await daemon.says("done \(name)")
            #expect(try spool.document("done/\(name)/result.json")["warnings"] == nil)
        }
        #expect(bare.paths.count { $0 == "/sdapi/v1/loras" } == 2)
        #expect(try await daemon.stop() == 0)
        await bare.server.stop()
    }

    @Test("a daemon that is strict fails such a job")
    func strict() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url, "--strict")
        try spool.drop("odd", Self.odd)
        try spool.drop("even", smallJob())
        try await daemon.says("failed odd")
        try await daemon.says("done even")
        #expect(try await daemon.stop() == 0)
        let error = try spool.document("failed/odd/error.json")
        #expect(error["class"] as? String == "wrong result")
        #expect((error["message"] as? String)?.contains("odd-1.png has 56 × 64") == true)
        #expect(spool.list("failed/odd") == ["error.json", "odd-1.png", "odd.json"])
        await standIn.stop()
    }

    @Test(
        "a render that somebody stops, which is answered 200, is failed, with what there is kept beside it",
        arguments: ["interrupt", "skip"])
    func stopped(stop: String) async throws {
        let standIn = try StandIn.start(options: .init(stepTime: .milliseconds(20)))
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        try spool.drop("long", smallJob().replacing(#""steps": 1"#, with: #""steps": 100000"#))
        // A skip that comes before the first batch begins is forgotten.
        while try await step(at: standIn.url) == 0 {}
        try await post(standIn.url, stop, "")
        try await daemon.says("failed long", stop == "skip" ? "skipped" : "interrupted")
        try spool.drop("next", smallJob())
        try await daemon.says("done next")
        #expect(try await daemon.stop() == 0)
        #expect(try spool.document("failed/long/error.json")["class"] as? String == "interrupted")
        #expect(spool.list("failed/long") == ["error.json", "long-1.png", "long.json"])
        await standIn.stop()
    }
}
