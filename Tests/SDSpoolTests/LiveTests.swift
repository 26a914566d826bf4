// The same jobs at a real server: `SDSPOOL_TEST_SERVER=http://127.0.0.1:7860 swift test --filter LiveTests`.
// Without that variable they run at the stand-in, so that the suite itself is known to work. A server that was started
// with --nowebui lacks /internal/…, and its rows fail there.

import Foundation
import StandIn
import Testing

@Suite(.witnessed) struct LiveTests {
    @Test("a real server's pictures, grid, upscaled picture, answers and refusals all end where they belong")
    func everything() async throws {
        let live = ProcessInfo.processInfo.environment["SDSPOOL_TEST_SERVER"]
        let standIn = live == nil ? try StandIn.quick() : nil
        let server = try #require(live ?? standIn?.url)
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: server)
        let patience = live == nil ? deadline : .seconds(600)

        try spool.drop("one", smallJob(#""seed": 9007199254740993"#))
        try spool.drop("grid", smallJob(#""batch_size": 2, "n_iter": 2, "save_images": true, "seed": -1"#))
        try spool.drop("models", #"{"sdspool": {"endpoint": "/sdapi/v1/sd-models"}}"#)
        try spool.drop("none", #"{"sdspool": {"endpoint": "/sdapi/v1/nope"}}"#)
        try spool.drop("wrong", smallJob(#""cfg_scale": "big""#))
        for word in ["done one", "done grid", "done models", "failed none", "failed wrong"] {
            try await daemon.says(word, within: patience)
        }
        let one = try spool.document("done/one/result.json")
        let image = try #require((one["images"] as? [[String: Any]])?.first)
        #expect(image["seed"] as? Int == 9_007_199_254_740_993)
        #expect(image["width"] as? Int == 64)
        #expect((image["infotext"] as? String)?.contains("Seed: 9007199254740993") == true)
        #expect(spool.list("done/one") == ["one-1.png", "one.json", "result.json"])

        let grid = try #require(try spool.document("done/grid/result.json")["images"] as? [[String: Any]])
        #expect(grid.map { $0["kind"] as? String } == ["grid", "picture", "picture", "picture", "picture"])
        let seeds = grid.dropFirst().compactMap { $0["seed"] as? Int }
        #expect(seeds == Array((seeds.first ?? 0)..<(seeds.first ?? 0) + 4))

        let models = try spool.document("done/models/result.json")
        #expect(models["status"] as? Int == 418)
        #expect((models["upstream"] as? [String: Any])?["body"] is [Any])
        let none = try #require(try spool.document("failed/none/error.json")["message"] as? String)
        #expect(none.hasPrefix("the server has no /sdapi/v1/nope"))
        #expect(try spool.document("failed/wrong/error.json")["status"] as? Int == 422)

        let picture = try Data(contentsOf: spool.path("done/one/one-1.png")).base64EncodedString()
        try spool.drop("again", smallJob(#""init_images": ["\#(picture)"], "denoising_strength": 0.5, "steps": 2"#))
        try spool.drop("big", #"{"image": "\#(picture)", "upscaling_resize": 2, "upscaler_1": "Lanczos"}"#)
        try await daemon.says("done again: 1 picture", within: patience)
        try await daemon.says("done big: 1 picture", within: patience)
        let big = try #require((try spool.document("done/big/result.json")["images"] as? [[String: Any]])?.first)
        #expect(big["width"] as? Int == 128)

        // What would change the server for others is left out.
        let rows = EndpointRow.all.filter { $0.isHarmless }
        try await spool.run(rows, picture: Data(base64Encoded: picture) ?? Data(), by: daemon, within: patience)
        for row in rows { try row.check(in: spool) }
        #expect(try await daemon.stop() == 0)
        await standIn?.stop()
    }
}
