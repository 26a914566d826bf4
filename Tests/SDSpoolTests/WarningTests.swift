// Trust but verify: a 200 is not yet what was asked for.

import Foundation
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
        await sketch.stop()
    }
}
