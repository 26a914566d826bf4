// While a job renders, its folder in active/ tells how far it is.

import Foundation
import HTTP
import StandIn
import Synchronization
import Testing

@Suite(.witnessed) struct ProgressTests {
    @Test(
        "progress.json and a preview lie beside the job while it renders, and not in its result",
        arguments: [true, false])
    func shown(hasWebUI: Bool) async throws {
        var options = StandIn.Options(stepTime: .milliseconds(10))
        options.hasWebUI = hasWebUI
        let standIn = try StandIn.start(options: options)
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        // Named like a file of ours.
        let still = #""sketch": {"fault": "hold", "step": 100}"#
        try spool.drop("preview", #"{"prompt": "x", "steps": 200, "n_iter": 2, "width": 64, "height": 64, \#(still)}"#)
        try await spool.holds("progress.json", inFolderOf: "active")
        let folder = "active/\(try #require(spool.list("active").first))"
        var progress = try spool.document("\(folder)/progress.json")
        // The first one may be of a render that waits, or is before its first step.
        let end = ContinuousClock.now + deadline
        while progress["preview"] == nil {
            guard ContinuousClock.now < end else { throw Missed(description: "no preview: \(progress)") }
            try await Task.sleep(for: .milliseconds(5))
            progress = try spool.document("\(folder)/progress.json")
        }
        #expect(progress["state"] as? String == "rendering")
        #expect((0.01...1).contains(try #require(progress["progress"] as? Double)))
        #expect(progress["steps"] as? Int == 200)
        #expect((1...200).contains(try #require(progress["step"] as? Int)))
        #expect(progress["picture"] as? Int == 1)
        #expect(progress["pictures"] as? Int == 2)
        #expect(try #require(progress["eta"] as? Double) > 0)
        #expect(progress["preview"] as? String == "preview.png")
        #expect((progress["updated"] as? String)?.wholeMatch(of: /\d{4}-\d\d-\d\dT[0-9:.]{15}Z/) != nil)
        #expect(try Data(contentsOf: spool.path("\(folder)/preview.png")).starts(with: [0x89, 0x50, 0x4e, 0x47]))
        standIn.release()
        try await daemon.says("done preview: 2 pictures")
        #expect(try await daemon.stop() == 0)
        #expect(spool.list("done/preview") == ["preview-1.png", "preview-2.png", "preview.json", "result.json"])
        await standIn.stop()
    }

    @Test("a job that waits at the server behind somebody else's says so, and tells nothing of the other's progress")
    func waits() async throws {
        let standIn = try StandIn.start(options: .init(stepTime: .milliseconds(10)))
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        let other = Task { try await post(standIn.url, "txt2img", smallJob().replacing(": 1,", with: ": 1000000,")) }
        await standIn.wait { $0.first?.started != nil }
        try spool.drop("cat", smallJob())
        try await spool.holds("progress.json", inFolderOf: "active")
        let folder = "active/\(try #require(spool.list("active").first))"
        let progress = try spool.document("\(folder)/progress.json")
        #expect(progress["state"] as? String == "waiting at the server")
        #expect(progress.keys.sorted() == ["state", "updated"])
        #expect(spool.list(folder) == ["attempts.json", "cat.json", "progress.json"])
        _ = try await post(standIn.url, "interrupt", "")
        _ = try await other.value
        try await daemon.says("done cat")
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("a server that does not answer is not asked a second time, and its render is not held up by that")
    func hanging() async throws {
        let (asked, hear) = AsyncStream<Void>.makeStream()
        let bare = try BareServer { path in
            switch path {
            case "/sdapi/v1/txt2img":
                for await _ in asked { break }
                return BareServer.picture
            case "/sdapi/v1/progress":
                hear.yield()
                try? await Task.sleep(for: .seconds(3600))
                return nil
            default: return path.hasPrefix("/sdapi/v1/progress") ? BareServer.idle : nil
            }
        }
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: bare.url)
        try spool.drop("cat", smallJob())
        try await daemon.says("done cat")
        #expect(bare.paths.count { $0 == "/sdapi/v1/progress" } == 1)
        #expect(try await daemon.stop() == 0)
        await bare.server.stop()
    }

    @Test("a server that does not tell whether a render was stopped holds up no second one")
    func silentBehind() async throws {
        let asked = Mutex<[ContinuousClock.Instant]>([])
        let bare = try BareServer { path in
            if path == "/sdapi/v1/txt2img" { return BareServer.picture }
            if path.hasPrefix("/sdapi/v1/progress") {
                asked.withLock { $0.append(.now) }
                try? await Task.sleep(for: .seconds(3600))
            }
            return nil
        }
        let spool = try TestSpool()
        await spool.takeSlot()
        // It is given up within the test.
        let daemon = try Program(spool.arguments(server: bare.url), environment: ["SDSPOOL_PATIENCE": "5"])
        for name in ["a", "b", "c"] { try spool.drop(name, smallJob()) }
        try await daemon.says("done c")
        let moments = asked.withLock { $0 }
        #expect(!moments.isEmpty && zip(moments, moments.dropFirst()).allSatisfy { $1 - $0 >= .seconds(60) })
        #expect(try await daemon.stop() == 0)
        await bare.server.stop()
    }

    @Test("what a server lacks is asked for once; --no-progress asks for nothing while a render is under way")
    func once() async throws {
        for progress in [true, false] {
            let bare = try BareServer { path in
                guard path == "/sdapi/v1/txt2img" else { return nil }
                // Longer than the time to the first look.
                try? await Task.sleep(for: .milliseconds(700))
                return BareServer.picture
            }
            let spool = try TestSpool()
            let daemon = try await spool.daemon(
                server: bare.url, "--in-flight=1", progress ? "--settle=0.2" : "--no-progress")
            for name in ["a", "b"] { try spool.drop(name, smallJob(#""sampler_name": "Euler", "seed": 1"#)) }
            try await daemon.says("done b")
            #expect(try await daemon.stop() == 0)
            for path in ["options", "samplers", "schedulers", "upscalers", "loras", "sd-models", "prompt-styles"] {
                #expect(bare.paths.count { $0 == "/sdapi/v1/\(path)" } == 1, "\(path), progress: \(progress)")
            }
            #expect(bare.paths.count { $0 == "/openapi.json" } == 1)
            #expect(bare.paths.count { $0.hasPrefix("/sdapi/v1/progress") } == 1)
            #expect(!bare.paths.contains { $0 == "/sdapi/v1/progress" || $0.hasPrefix("/internal") })
            if !progress {
                // Only when the answer has come: was it interrupted?
                let first = bare.paths.prefix { $0 != "/sdapi/v1/txt2img" }
                #expect(Array(first) == ["/openapi.json", "/sdapi/v1/options"])
            }
            await bare.server.stop()
        }
    }
}

/// A server that has what a test gives it, and nothing else.
final class BareServer: Sendable {
    let server: Server
    private let asked: RequestedRender

    private final class RequestedRender: Sendable {
        let paths = Mutex<[String]>([])
    }

    /// - Parameter answer: to a path with its query; `nil` is 404.
    init(_ answer: @escaping @Sendable (String) async -> String?) throws {
        let asked = RequestedRender()
        self.asked = asked
        server = try Server.own { request in
            let path = request.path + (request.query.map { "?\($0)" } ?? "")
            asked.paths.withLock { $0.append(path) }
            let body = await answer(path)
            return Response(
                status: body == nil ? 404 : 200, headers: ["Content-Type": "application/json"],
                body: .bytes(Array((body ?? #"{"detail":"Not Found"}"#).utf8)))
        }
    }

    var url: String { "http://127.0.0.1:\(server.port)" }
    /// What was asked for, in order.
    var paths: [String] { asked.paths.withLock { $0 } }

    static let picture = #"""
        {"images": ["iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="],
        "parameters": {}, "info": "{}"}
        """#
    static let idle = #"""
        {"progress": 0, "eta_relative": 0, "state": {"job": "", "sampling_step": 0, "sampling_steps": 0,
        "interrupted": false, "job_timestamp": "20261123153823"}}
        """#
}
