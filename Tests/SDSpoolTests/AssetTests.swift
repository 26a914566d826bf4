// Pictures that a job names and does not bring.

import Foundation
import StandIn
import Testing

@Suite(.witnessed) struct AssetTests {
    private static let job =
        #"{"prompt": "x", "steps": 1, "width": 64, "height": 64, "seed": 1, "init_images": ["in/a.png"]}"#

    /// A daemon that waits for pictures. What is started beside a test may have one open, too, until it is a program of its
    /// own, and then it is still being written.
    private static func daemon(_ spool: TestSpool, _ server: String) async throws -> Program {
        try await spool.daemon(server: server, "--settle", "3600")
    }

    @Test("a picture in assets/ reaches the server in base64, and all else of the body as it was written")
    func sent() async throws {
        let (standIn, spool) = (try StandIn.quick(), try TestSpool())
        let daemon = try await Self.daemon(spool, standIn.url)
        let picture = try Data(contentsOf: Self.demo)
        try FileManager.default.createDirectory(at: spool.path("assets/in"), withIntermediateDirectories: true)
        try picture.write(to: spool.path("assets/in/a.png"))
        try spool.drop("a", Self.job)
        try await daemon.says("done a: 1 picture")
        try spool.drop("big", #"{"image": "assets/in/a.png", "upscaling_resize": 2, "upscaler_1": "Lanczos"}"#)
        try spool.drop("info", #"{"image": "in/a.png", "sdspool": {"endpoint": "/sdapi/v1/png-info"}}"#)
        try await daemon.says("done big: 1 picture")
        try await daemon.says("done info")
        #expect(try await daemon.stop() == 0)
        let sent = try #require(standIn.requests.first.map { String(decoding: $0.body, as: UTF8.self) })
        #expect(sent.contains(#""init_images": ["\#(picture.base64EncodedString())"]"#))
        #expect(try String(contentsOf: spool.path("done/a/a.json"), encoding: .utf8) == Self.job)
        await standIn.stop()
    }

    @Test("a job comes before its picture: it waits for it, and fails by its name when it never comes")
    func late() async throws {
        let (standIn, spool) = (try StandIn.quick(), try TestSpool())
        let daemon = try await Self.daemon(spool, standIn.url)
        try spool.drop("a", Self.job.replacing("in/a.png", with: "a.png"))
        try spool.drop("b", smallJob())
        try await daemon.says("done b")
        #expect(spool.list("inbox") == ["a.json"])
        try FileManager.default.copyItem(at: Self.demo, to: spool.path("assets/a.png"))
        try await daemon.says("done a")
        #expect(try await daemon.stop() == 0)
        let impatient = try await spool.daemon(server: standIn.url)
        try spool.drop("never", Self.job.replacing("in/a.png", with: "no.png"))
        try await impatient.says("refused never: it needs assets/no.png, which is not there")
        #expect(try spool.document("failed/never/error.json")["class"] as? String == "missing asset")
        #expect(try await impatient.stop() == 0)
        await standIn.stop()
    }

    @Test("a picture that has gone while its job waited fails the job by its name")
    func gone() async throws {
        let (standIn, spool) = (try StandIn.quick(), try TestSpool())
        try Data().write(to: spool.path("PAUSE"))
        let daemon = try await Self.daemon(spool, standIn.url)
        try FileManager.default.copyItem(at: Self.demo, to: spool.path("assets/a.png"))
        try spool.drop("a", Self.job.replacing("in/a.png", with: "a.png"))
        try await daemon.says("accepted", ".a")
        try FileManager.default.removeItem(at: spool.path("assets/a.png"))
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        try await daemon.says("failed a: it needs assets/a.png, which is not there")
        #expect(try await daemon.stop() == 0)
        #expect(standIn.requests.isEmpty)
        await standIn.stop()
    }

    private static let demo = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../examples/pictures/demo.png").standardizedFileURL
}
