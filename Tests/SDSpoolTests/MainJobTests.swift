// The main job: a file dropped in the inbox becomes pictures in done/.

import Foundation
import StandIn
import Testing

@Suite(.witnessed) struct MainJobTests {
    @Test("a dropped job ends in done/ with its own bytes, its pictures and its story")
    func dropped() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        let text =
            #"{"prompt": "a \"cat\"",  "width":64, "height" : 64.0, "steps": 2, "seed": 9007199254740993}"# + "\n"
        try spool.drop("cat", text)
        try await daemon.says("done cat: 1 picture")
        #expect(try await daemon.stop() == 0)

        #expect(spool.list("done/cat") == ["cat-1.png", "cat.json", "result.json"])
        #expect(try Data(contentsOf: spool.path("done/cat/cat.json")) == Data(text.utf8))
        let png = try Data(contentsOf: spool.path("done/cat/cat-1.png"))
        #expect(png.starts(with: [0x89, 0x50, 0x4e, 0x47]))
        let result = try spool.document("done/cat/result.json")
        #expect(result["status"] as? Int == 200)
        #expect(result["endpoint"] as? String == "/sdapi/v1/txt2img")
        #expect(result["server"] as? String == standIn.url)
        #expect((result["attempts"] as? [Any])?.count == 1)
        #expect((result["info"] as? [String: Any])?["seed"] as? Int == 9_007_199_254_740_993)
        #expect((result["parameters"] as? [String: Any])?["steps"] as? Int == 2)
        let image = try #require((result["images"] as? [[String: Any]])?.first)
        #expect(image["file"] as? String == "cat-1.png")
        #expect(image["width"] as? Int == 64)
        #expect(image["bytes"] as? Int == png.count)
        #expect(image["seed"] as? Int == 9_007_199_254_740_993)
        #expect((image["infotext"] as? String)?.contains("Seed: 9007199254740993") == true)
        for key in ["accepted", "started", "finished"] {
            let moment = try #require(result[key] as? String)
            #expect(moment.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/) != nil)
        }
        #expect(spool.list("inbox").isEmpty && spool.list("queue").isEmpty && spool.list("active").isEmpty)
        // The name by which the server is asked how far it is comes first; all else is as it was.
        let sent = String(decoding: try #require(standIn.requests.first).body, as: UTF8.self)
        #expect(sent.replacing(#/"force_task_id": "task\(sdspool-[0-9TZ.]+\)", /#, with: "") == text)
        #expect(sent != text && standIn.requests.count == 1)
        await standIn.stop()
    }

    @Test("what is sent is what was written, but for the seed that was drawn and the word to the queue")
    func sent() async throws {
        let standIn = try StandIn.nowebui()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        let odd =
            #""cfg_scale": 7.10, "steps": 1, "x_key": [1e2, 0.30000000000000004, "\u00e9"], "width": 64, "height":64"#
        try spool.drop("odd", #"{ "sdspool": {"priority": 2}, "seed" : -1, "prompt": "p", \#(odd) }"#)
        try await daemon.says("done odd")
        _ = try await daemon.stop()
        let result = try spool.document("done/odd/result.json")
        let seed = try #require(((result["images"] as? [[String: Any]])?.first)?["seed"] as? Int)
        #expect((0...4_294_967_293).contains(seed))
        let sent = try #require(standIn.requests.first).body
        #expect(String(decoding: sent, as: UTF8.self) == #"{ "seed" : \#(seed), "prompt": "p", \#(odd) }"#)
        await standIn.stop()
    }

    @Test("a thousand files dropped in one burst under random names are rendered in the order of their drop")
    func burst() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        // Longer than a file is empty before it is written.
        let daemon = try await spool.daemon(server: standIn.url, "--settle", "3600")
        let names = (1...1000).map { "\(UInt32.random(in: .min ... .max))-\($0)" }
        // By a process of its own: this one starts others all the time, which hold on to its open files for a moment,
        // and a file is whole when the last one lets go.
        let script = names.map { name in
            #"printf '{"prompt": "\#(name)", "steps": 1, "width": 8, "height": 8, "seed": 1}' > \#(name).json"#
        }
        try Data(script.joined(separator: "\n").utf8).write(to: spool.path("burst.sh"))
        let writer = try Program(
            [spool.path("burst.sh").path], executable: URL(fileURLWithPath: "/bin/sh"), in: spool.path("inbox"))
        #expect(try await writer.exitCode() == 0)
        await standIn.arrived(1000)
        try await daemon.says("done \(names[999]):")
        #expect(try await daemon.stop() == 0)
        #expect(prompts(of: standIn) == names)
        #expect(spool.list("done").count == 1000)
        await standIn.stop()
    }

    @Test("files that lay in the inbox before the start come first, in the order in which they got there")
    func before() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        for name in ["z", "m", "a", "q"] {
            try spool.drop(name, #"{"prompt": "\#(name)", "steps": 1, "width": 8, "height": 8}"#)
            try await nextTick(in: spool)
        }
        let daemon = try await spool.daemon(server: standIn.url)
        try spool.drop("0", #"{"prompt": "0", "steps": 1, "width": 8, "height": 8}"#)
        try await daemon.says("done 0")
        _ = try await daemon.stop()
        #expect(prompts(of: standIn) == ["z", "m", "a", "q", "0"])
        await standIn.stop()
    }

    @Test("a lower priority number goes first, and equal ones in order of arrival")
    func priority() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        try Data().write(to: spool.path("PAUSE"))
        let daemon = try await spool.daemon(server: standIn.url)
        for (name, priority) in [("a", 5), ("b", 9), ("c", 0), ("d", 5)] {
            try spool.drop(name, smallJob(#""sdspool": {"priority": \#(priority)}"#).replacing("a cat", with: name))
            try await daemon.says("accepted \(priority)-", ".\(name)")
        }
        #expect(standIn.requests.isEmpty)
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        try await daemon.says("going on")
        try await daemon.says("done b")
        _ = try await daemon.stop()
        #expect(prompts(of: standIn) == ["c", "a", "d", "b"])
        await standIn.stop()
    }

    @Test("the same name dropped again is another job with a folder of its own")
    func again() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        for number in 1...3 {
            try spool.drop("cat", smallJob(#""seed": \#(number)"#))
            try await daemon.says("done cat", number == 1 ? "done/cat," : "done/cat.\(number),")
        }
        _ = try await daemon.stop()
        #expect(spool.list("done") == ["cat", "cat.2", "cat.3"])
        #expect(spool.list("done/cat.3") == ["cat-1.png", "cat.json", "result.json"])
        await standIn.stop()
    }

    @Test("a grid, a batch, an upscaled picture and a question each have their own files")
    func shapes() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        try spool.drop("grid", smallJob(#""batch_size": 2, "n_iter": 2, "save_images": true"#))
        try spool.drop("samplers", #"{"sdspool": {"endpoint": "/sdapi/v1/samplers", "method": "GET"}}"#)
        try await daemon.says("done grid: 5 pictures")
        try await daemon.says("done samplers")
        let picture = try Data(contentsOf: spool.path("done/grid/grid-1.png")).base64EncodedString()
        try spool.drop("big", #"{"image": "\#(picture)", "upscaling_resize": 2, "upscaler_1": "Lanczos"}"#)
        try spool.drop("again", smallJob(#""init_images": ["\#(picture)"]"#))
        try await daemon.says("done big: 1 picture")
        try await daemon.says("done again: 1 picture")
        _ = try await daemon.stop()
        #expect(
            spool.list("done/grid") == [
                "grid-1.png", "grid-2.png", "grid-3.png", "grid-4.png", "grid-grid.png", "grid.json", "result.json",
            ])
        let big = try spool.document("done/big/result.json")
        #expect(((big["images"] as? [[String: Any]])?.first)?["width"] as? Int == 128)
        #expect(try spool.document("done/again/result.json")["endpoint"] as? String == "/sdapi/v1/img2img")
        let answer = try spool.document("done/samplers/result.json")
        #expect(answer["status"] as? Int == 418)
        #expect(answer["reason"] as? String == "I'm a teapot")
        let upstream = try #require(answer["upstream"] as? [String: Any])
        #expect(upstream["status"] as? Int == 200)
        #expect((upstream["body"] as? [[String: Any]])?.contains { $0["name"] as? String == "Euler" } == true)
        await standIn.stop()
    }

    private func prompts(of standIn: StandIn) -> [String] {
        standIn.requests.compactMap { request in
            let object = try? JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any]
            return object?["prompt"] as? String
        }
    }

    /// Returns when the kernel's clock for files has moved on, so that two files cannot share a time.
    private func nextTick(in spool: TestSpool) async throws {
        let probe = spool.path(".tick")
        func time() throws -> timespec {
            try Data().write(to: probe)
            var status = stat()
            guard stat(probe.path, &status) == 0 else { throw Missed(description: "no time of \(probe.path)") }
            return status.st_mtim
        }
        let start = try time()
        while try time().tv_nsec == start.tv_nsec { await Task.yield() }
    }
}
