// Trust but verify: a 200 is not yet what was asked for.

import Foundation
import FoundationNetworking
import Sketch
import Testing

@Suite struct WarningTests {
    private static let odd = #"{"prompt": "x", "steps": 1, "width": 63, "height": 64, "sampler_name": "Nope"}"#

    @Test("what came otherwise than it was asked for is named in the result and in the log")
    func warned() async throws {
        let sketch = try Sketch.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: sketch.url)
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
        await sketch.stop()
    }

    @Test("a daemon that is strict fails such a job")
    func strict() async throws {
        let sketch = try Sketch.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: sketch.url, "--strict")
        try spool.drop("odd", Self.odd)
        try spool.drop("even", smallJob())
        try await daemon.says("failed odd")
        try await daemon.says("done even")
        #expect(try await daemon.stop() == 0)
        let error = try spool.document("failed/odd/error.json")
        #expect(error["class"] as? String == "wrong result")
        #expect((error["message"] as? String)?.contains("odd-1.png has 56 × 64") == true)
        #expect(spool.list("failed/odd") == ["error.json", "odd-1.png", "odd.json"])
        await sketch.stop()
    }

    @Test("an interrupted render, which is answered 200, is failed, with what there is kept beside it")
    func interrupted() async throws {
        let sketch = try Sketch.start(options: .init(stepTime: .milliseconds(20)))
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: sketch.url)
        try spool.drop("long", smallJob().replacing(#""steps": 1"#, with: #""steps": 3000"#))
        await sketch.wait { $0.first?.started != nil }
        var interrupt = URLRequest(url: try #require(URL(string: sketch.url + "/sdapi/v1/interrupt")))
        interrupt.httpMethod = "POST"
        _ = try await URLSession.shared.data(for: interrupt)
        try await daemon.says("failed long", "interrupted")
        try spool.drop("next", smallJob())
        try await daemon.says("done next")
        #expect(try await daemon.stop() == 0)
        #expect(try spool.document("failed/long/error.json")["class"] as? String == "interrupted")
        #expect(spool.list("failed/long") == ["error.json", "long-1.png", "long.json"])
        await sketch.stop()
    }
}
