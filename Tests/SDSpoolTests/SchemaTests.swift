// What the daemon writes, and what it takes, is what examples/schema/ says.

import A1111
import A1111API
import Foundation
import StandIn
import TestSupport
import Testing

@Suite(.witnessed) struct SchemaTests {
    private static func check(_ file: URL, against schema: String, _ comment: Comment? = nil) throws {
        #expect(try Schema(schema).problems(with: Data(contentsOf: file)) == [], comment)
    }

    @Test("results of renders, of questions and of files with many jobs")
    func results() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        let jobs = [
            ("many:1", smallJob(#""batch_size": 2, "n_iter": 2, "save_images": true"#)),
            ("warned", smallJob(#""sampler_name": "Eulr""#)),
            ("upscaled", #"{"image": "\#(Self.picture)", "upscaler_1": "Lanczos", "upscaling_resize": 2}"#),
            ("question", #"{"sdspool": {"endpoint": "/sdapi/v1/samplers"}}"#),
            ("matrix", smallJob(#""sdspool": {"matrix": {"seed": [1, 2], "prompt": ["a", "b"]}}"#)),
            ("list", "[\(smallJob()), \(smallJob())]"),
            ("twice", smallJob(#""sketch": {"fault": "500", "times": 1}"#)),
        ]
        for (name, text) in jobs { try spool.drop(name, text) }
        try await spool.holds(jobs.count + 4 + 2, in: "done")
        #expect(try await daemon.stop() == 0)
        for name in spool.list("done") {
            try Self.check(spool.path("done/\(name)/result.json"), against: "result", "\(name)")
        }
        #expect(try spool.document("done/warned/result.json")["warnings"] != nil)
        #expect(try spool.document("done/many%3a1/result.json")["dropped"] as? String == "many:1.json")
        #expect(try (spool.document("done/twice/result.json")["attempts"] as? [Any])?.count == 2)
        await standIn.stop()
    }

    @Test("errors of the file, of its pictures, of the request and of the server")
    func errors() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url, "--strict")
        let jobs = [
            ("comma", #"{"prompt": "x",}"#, "not a job"), ("order", #"{"sdspool": {"prio": 1}}"#, "not a job"),
            ("asset", #"{"init_images": ["none.png"]}"#, "missing asset"),
            ("path", #"{"sdspool": {"endpoint": "/sdapi/v1/sampler", "method": "POST"}}"#, "permanent"),
            ("type", #"{"prompt": "x", "steps": "many"}"#, "permanent"),
            ("empty", smallJob(#""sketch": {"fault": "no-images"}"#), "wrong result"),
            ("other", smallJob(#""sampler_name": "Eulr""#), "wrong result"),
            ("memory", smallJob(#""sketch": {"fault": "oom"}"#), "out of memory"),
        ]
        for (name, text, _) in jobs { try spool.drop(name, text) }
        try await spool.holds(jobs.count, in: "failed")
        #expect(try await daemon.stop() == 0)
        for (name, _, kind) in jobs {
            try Self.check(spool.path("failed/\(name)/error.json"), against: "error", "\(name)")
            #expect(try spool.document("failed/\(name)/error.json")["class"] as? String == kind)
        }
        await standIn.stop()
    }

    @Test("the state of the daemon in each of its states, and the progress of a render")
    func states() async throws {
        // Nobody else is given the port when the server is gone.
        let port = try ReservedPort()
        let standIn = try StandIn.start(port: port.number, options: .init(stepTime: .milliseconds(10)))
        let spool = try TestSpool()
        let manager = try ServiceManager("@sdspool-\(UUID())")
        await spool.takeSlot()
        let daemon = try Program(spool.arguments(server: standIn.url), environment: ["NOTIFY_SOCKET": manager.name])
        /// The service manager is told just before the file is written, so the file may be the one before.
        func status(_ state: String) async throws {
            try await manager.hears("STATUS=\(state)")
            try await spool.isSaid(state: state)
            try Self.check(spool.path("status.json"), against: "status", "\(state)")
        }
        try await status("idle")
        try Data().write(to: spool.path("PAUSE"))
        try await status("paused")
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        try spool.drop("cat", smallJob(#""n_iter": 2"#).replacing(": 1,", with: ": 100000,"))
        try await status("rendering")
        try await spool.holds("progress.json", inFolderOf: "active")
        let folder = try #require(spool.list("active").first)
        try Self.check(spool.path("active/\(folder)/progress.json"), against: "progress")
        await standIn.stop()
        try await status("waiting for the server")
        #expect(try await daemon.stop() == 0)
        #expect(try spool.document("status.json")["state"] as? String == "stopped")
        try Self.check(spool.path("status.json"), against: "status")
    }

    @Test("the jobs of examples/ are jobs")
    func examples() throws {
        let folder = Schema.folder.appendingPathComponent("../jobs").standardizedFileURL
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(files.count >= 7)
        for file in files { try Self.check(file, against: "job", "\(file.lastPathComponent)") }
    }

    @Test("what the schema of a job refuses, the queue refuses, too")
    func refused() async throws {
        let texts: [(String, isJob: Bool)] = [
            ("{}", true), (#"{"prompt": "x", "of an extension": 1}"#, true), ("[]", false), ("[{}, {}]", true),
            (#"[1]"#, false), (#""x""#, false), (#"{"sdspool": []}"#, false), (#"{"sdspool": {}}"#, true),
            (#"{"sdspool": {"priority": 0}}"#, true), (#"{"sdspool": {"priority": 10}}"#, false),
            (#"{"sdspool": {"priority": "1"}}"#, false), (#"{"sdspool": {"prio": 1}}"#, false),
            (#"{"sdspool": {"endpoint": "/x", "method": "get"}}"#, true),
            (#"{"sdspool": {"endpoint": "x"}}"#, false), (#"{"sdspool": {"endpoint": "/x", "method": "HEAD"}}"#, false),
            (#"{"sdspool": {"wait": true}}"#, true), (#"{"sdspool": {"wait": 1}}"#, false),
            (#"{"sdspool": {"server": 1}}"#, false), (#"{"sdspool": {"matrix": {"seed": [1, "x"]}}}"#, true),
            (#"{"sdspool": {"matrix": {}}}"#, false), (#"{"sdspool": {"matrix": {"seed": 1}}}"#, false),
            (#"{"sdspool": {"matrix": {"seed": []}}}"#, false),
        ]
        let schema = try Schema("job")
        let spool = try TestSpool()
        let gone = try ReservedPort()
        for (index, (text, isJob)) in texts.enumerated() {
            let data = Data(text.utf8)
            #expect(try schema.problems(with: data).isEmpty == isJob, "\(text)")
            try data.write(to: spool.path("\(index).json"))
        }
        let check = try Program(
            ["check", "--server", gone.url] + texts.indices.map { "\($0).json" }, in: spool.url)
        #expect(try await check.exitCode() == 65)
        let said = try check.printed().split(separator: "\n")
        for (index, (text, isJob)) in texts.enumerated() {
            #expect(said.contains { $0.hasPrefix("\(index).json:") } == isJob, "\(text)")
        }
    }

    @Test("keys that the schema of a job describes are keys that A1111 knows")
    func keys() throws {
        guard case .object(let members) = try Schema("job").part("$defs", "job", "properties") else {
            throw Missed(description: "the schema has no properties")
        }
        let known = Endpoint.Service.allCases.reduce(into: Set(["sdspool"])) { $0.formUnion($1.knownKeys) }
        #expect(Set(members.keys).subtracting(known).isEmpty)
    }

    private static let picture =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
}
