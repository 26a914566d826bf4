// What cannot be done says why, beside the job, and nothing else suffers.

import Foundation
import StandIn
import Testing

@Suite(.witnessed) struct FailureTests {
    @Test("what is no job goes to failed/ as it is, with the place where it is wrong")
    func noJobs() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url, "--max-job-size", "1")
        let cases: [(name: String, text: String, words: String)] = [
            ("garbage", "hello", "line 1, column 1"),
            ("comma", "{\n  \"prompt\": \"é\",\n  \"steps\": 20,\n}", "line 4, column 1"),
            ("array", "[1, 2]", "no object"),
            ("cut", #"{"prompt": "a c"#, "ends too early"),
            ("empty", "", "empty"),
            ("nuls", #"{"prompt""# + String(repeating: "\0", count: 50), "NUL"),
            ("huge", "{\"prompt\": \"\(String(repeating: "x", count: 1 << 20))\"}", "1048576 are read"),
            ("orders", #"{"prompt": "x", "sdspool": {"prioritty": 1}}"#, "prioritty"),
            ("number", #"{"prompt": "x", "sdspool": {"priority": true}}"#, "0 (first) to 9"),
            ("away", #"{"sdspool": {"endpoint": "http://example.org/x"}}"#, "a path on the server"),
            ("else", #"{"prompt": "x", "sdspool": {"server": "http://10.9.8.7:1"}}"#, "serves \(standIn.url) only"),
        ]
        for row in cases { try spool.drop(row.name, row.text) }
        try spool.drop("fine", smallJob())
        for row in cases {
            try await daemon.says("failed/\(row.name)")
            let error = try spool.document("failed/\(row.name)/error.json")
            #expect(error["class"] as? String == "not a job", "\(row.name)")
            let message = try #require(error["message"] as? String)
            #expect(message.contains(row.words), "\(row.name): \(message)")
            #expect(try Data(contentsOf: spool.path("failed/\(row.name)/\(row.name).json")) == Data(row.text.utf8))
            #expect(spool.list("failed/\(row.name)") == ["\(row.name).json", "error.json"].sorted())
        }
        #expect(try spool.document("failed/comma/error.json")["line"] as? Int == 4)
        try await daemon.says("done fine")
        #expect(try await daemon.stop() == 0)
        #expect(standIn.requests.count == 1)
        await standIn.stop()
    }

    static let classes: [(fault: String, class: String, attempts: Int, words: String)] = [
        ("oom", "out of memory", 2, "CUDA out of memory"),
        ("html", "wrong result", 1, "a web page"),
        ("no-images", "wrong result", 1, "no picture"),
        ("not-an-image", "wrong result", 1, "no PNG"),
        ("truncated-png", "wrong result", 1, "cut off: the end of the PNG is missing"),
        ("broken-png", "wrong result", 1, "damaged: the checksum of its IDAT chunk is wrong"),
        ("redirect", "permanent", 1, "redirect"),
        ("gzip", "wrong result", 1, "compressed"),
        ("500", "temporary", 3, "500"),
        ("hangup", "no answer", 3, "before it had answered"),
        ("reset", "no answer", 3, "before it had answered"),
        ("truncate", "no answer", 3, "in the middle"),
        ("truncate-unframed", "no answer", 3, "in its middle"),
    ]

    @Test("a failure is told apart by its class and tried as often as that deserves", arguments: classes)
    func failure(row: (fault: String, class: String, attempts: Int, words: String)) async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        try spool.drop("bad", smallJob(#""sketch": {"fault": "\#(row.fault)"}"#))
        try await daemon.says("failed bad")
        try spool.drop("good", smallJob())
        try await daemon.says("done good")
        #expect(try await daemon.stop() == 0)
        let error = try spool.document("failed/bad/error.json")
        #expect(error["class"] as? String == row.class)
        let message = try #require(error["message"] as? String)
        #expect(message.contains(row.words), "\(message)")
        let attempts = try #require(error["attempts"] as? [[String: Any]])
        #expect(attempts.count == row.attempts)
        #expect(attempts.allSatisfy { $0["failure"] as? String == row.class && $0["ended"] is String })
        // A broken picture is somebody's all the same.
        let kept = row.fault.hasSuffix("png") ? ["bad-1.png"] : []
        #expect(spool.list("failed/bad") == kept + ["bad.json", "error.json"])
        let bodies = standIn.requests.map(\.body).filter { String(decoding: $0, as: UTF8.self).contains("fault") }
        #expect(Set(bodies).count <= 1, "each attempt asks for the same picture")
        await standIn.stop()
    }

    @Test("the server's own words about a wrong request stand in error.json, with its answer")
    func words() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        try spool.drop("many", #"{"prompt": "x", "steps": "many"}"#)
        try await daemon.says("failed many")
        _ = try await daemon.stop()
        let error = try spool.document("failed/many/error.json")
        #expect(error["class"] as? String == "permanent")
        #expect(error["status"] as? Int == 422)
        #expect(error["message"] as? String == "the server refused it (422): steps: value is not a valid integer")
        #expect((error["answer"] as? [String: Any])?["detail"] is [Any])
        await standIn.stop()
    }

    @Test("a job that fails does not hold up the others, and one that recovers is done")
    func others() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        try spool.drop("shaky", smallJob(#""sketch": {"fault": "500", "times": 1, "step": 0}"#))
        await standIn.arrived(1)
        // It is at the server before the first one fails.
        try spool.drop("steady", smallJob())
        await standIn.arrived(2)
        standIn.release()
        try await daemon.says("shaky is tried again")
        try await daemon.says("done steady")
        try await daemon.says("done shaky")
        _ = try await daemon.stop()
        let isShaky = standIn.requests.map { String(decoding: $0.body, as: UTF8.self).contains("fault") }
        #expect(isShaky == [true, false, true])
        let attempts = try #require(try spool.document("done/shaky/result.json")["attempts"] as? [[String: Any]])
        #expect(attempts.map { $0["failure"] as? String } == ["temporary", nil])
        await standIn.stop()
    }

    @Test("three jobs in a row without memory pause the queue with the reason in PAUSE")
    func outOfMemory() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        for name in ["a", "b", "c"] { try spool.drop(name, smallJob(#""sketch": {"fault": "oom"}"#)) }
        try await daemon.says("paused")
        try spool.drop("d", smallJob())
        try await daemon.says("accepted", ".d")
        #expect(try String(contentsOf: spool.path("PAUSE"), encoding: .utf8).contains("ran out of memory"))
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        try await daemon.says("done d")
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }
}
