// A job that is cancelled: from the queue, at the server, and never somebody else's.

import Foundation
import StandIn
import Testing

@Suite(.witnessed) struct CancelTests {
    /// So many steps that only an interrupt ends them.
    private static let endless = smallJob().replacing(#""steps": 1"#, with: #""steps": 1000000"#)

    /// With a name that the daemon gives the render, without names, and with the job's own at a daemon that asks nothing
    /// before somebody cancels.
    private static let ways = [
        (hasWebUI: true, own: "", option: "--settle=0.2"), (false, "", "--settle=0.2"),
        (true, #""force_task_id": "mine""#, "--no-progress"),
    ]

    @Test(
        "a job that is being rendered is stopped at the server and is gone; the next one goes on", arguments: ways)
    func rendering(hasWebUI: Bool, own: String, option: String) async throws {
        var options = StandIn.Options(stepTime: .milliseconds(5))
        options.hasWebUI = hasWebUI
        let standIn = try StandIn.start(options: options)
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url, option)
        try spool.drop("long", smallJob(own).replacing(#""steps": 1"#, with: #""steps": 1000000"#))
        await standIn.wait { $0.first?.started != nil }
        try spool.drop("next", smallJob())
        let cancel = try Program(["cancel", "--spool", spool.url.path, "long"])
        #expect(try await cancel.exitCode() == 0)
        #expect(try cancel.printed() == "cancelling long, which is being rendered\n")
        try await daemon.says("long is gone from its folder: cancelled")
        try await daemon.says("done next")
        #expect(try await daemon.stop() == 0)
        #expect(spool.list("active").isEmpty && spool.list("queue").isEmpty && spool.list("failed").isEmpty)
        #expect(spool.list("done") == ["next"])
        #expect(standIn.requests.count == 2)
        await standIn.stop()
    }

    @Test("a folder that is taken out of active/ cancels its job, too")
    func folder() async throws {
        let standIn = try StandIn.start(options: .init(stepTime: .milliseconds(5)))
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        try spool.drop("long", Self.endless)
        await standIn.wait { $0.first?.started != nil }
        let folder = try #require(spool.list("active").first)
        // In one step: the daemon writes in it.
        try FileManager.default.moveItem(
            at: spool.path("active/\(folder)"), to: spool.surroundings.appendingPathComponent("taken"))
        try await daemon.says("long is gone from its folder: cancelled")
        #expect(try await daemon.stop() == 0)
        #expect(spool.list("done").isEmpty && spool.list("queue").isEmpty)
        await standIn.stop()
    }

    @Test("somebody else's render is never stopped: a job that waits at the server behind it is stopped when it begins")
    func others() async throws {
        let standIn = try StandIn.start(options: .init(stepTime: .milliseconds(10)))
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        let other = Task { try await post(standIn.url, "txt2img", Self.manyPictures) }
        await standIn.wait { $0.first?.started != nil }
        try spool.drop("long", Self.endless)
        await standIn.arrived(2)
        try spool.drop("next", smallJob())
        let cancel = try Program(["cancel", "--spool", spool.url.path, "long"])
        #expect(try await cancel.exitCode() == 0)
        #expect(try await other.value == 30, "it is whole")
        try await daemon.says("long is gone from its folder: cancelled")
        try await daemon.says("done next")
        #expect(try await daemon.stop() == 0)
        #expect(spool.list("done") == ["next"])
        await standIn.stop()
    }

    @Test("where it cannot be told whose render runs none is stopped, and the cancelled job's answer is thrown away")
    func unsure() async throws {
        let standIn = try StandIn.nowebui(stepTime: .milliseconds(10))
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        // It stands still at its end, so that the other one does not begin before it is cancelled.
        let other = Task {
            let still = #""sketch": {"fault": "hold", "step": 1000}"#
            return try await post(standIn.url, "txt2img", "\(Self.manyPictures.dropLast()), \(still)}")
        }
        await standIn.wait { $0.first?.started != nil }
        try spool.drop("cat", #"{"prompt": "x", "steps": 150, "width": 8, "height": 8}"#)
        await standIn.arrived(2)
        let folder = try #require(spool.list("active").first)
        try FileManager.default.removeItem(at: spool.path("active/\(folder)/cat.json"))
        standIn.release()
        #expect(try await other.value == 30, "it is whole")
        try await daemon.says("cat is gone from its folder: cancelled")
        #expect(try await daemon.stop() == 0)
        #expect(spool.list("done").isEmpty && spool.list("active").isEmpty)
        await standIn.stop()
    }

    /// Three seconds, at the pace of these tests; fewer pictures come where it is interrupted.
    private static let manyPictures = #"{"prompt": "y", "steps": 10, "n_iter": 30, "width": 8, "height": 8}"#

    @Test("a job that waits is gone, whether or not a daemon runs, by its name, its file's name or its ticket")
    func waiting() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        try Data().write(to: spool.path("PAUSE"))
        let daemon = try await spool.daemon(server: standIn.url)
        for name in ["a", "b", "c", "d", "d", "e"] {
            try spool.drop(name, smallJob())
            try await daemon.line("\(name) accepted") { line in line.contains("accepted") && line.hasSuffix(".\(name)")
            }
            while spool.list("inbox").contains("\(name).json") { await Task.yield() }
        }
        let tickets = spool.list("queue").map { String($0.dropLast(5)) }
        #expect(tickets.count == 6)
        func cancel(_ names: String...) async throws -> (code: Int32, printed: String, said: [String]) {
            let program = try Program(["cancel", "--spool", spool.url.path] + names)
            return (try await program.exitCode(), try program.printed(), program.lines)
        }
        let first = try await cancel("a", "b.json")
        #expect(first.code == 0)
        #expect(first.printed == "cancelled a, which waited\ncancelled b, which waited\n")
        let several = try await cancel("d")
        #expect(several.code == 65)
        #expect(
            several.said == ["sdspool cancel: 2 jobs are called d; name one by its ticket:"]
                + tickets[3...4].map { "  \($0)" })
        #expect(try await daemon.stop() == 0)
        let last = try await cancel(tickets[4], "nope", "c")
        #expect(last.code == 66)
        #expect(last.printed == "cancelled d, which waited\ncancelled c, which waited\n")
        #expect(last.said == ["sdspool cancel: no job nope waits in queue/ or is being rendered"])
        #expect(spool.list("queue").map { String($0.dropLast(5)) } == [tickets[3], tickets[5]])

        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        let next = try await spool.daemon(server: standIn.url)
        for name in ["d", "e"] { try await next.says("done \(name)") }
        #expect(try await next.stop() == 0)
        #expect(spool.list("done") == ["d", "e"])
        let ended = try await cancel("e")
        #expect(ended.code == 66)
        #expect(ended.said.first?.hasSuffix("; there is \(spool.url.path)/done/e") == true)
        await standIn.stop()
    }

    @Test("no spool is made where there is none")
    func noSpool() async throws {
        let spool = try TestSpool()
        let path = spool.path("nowhere").path
        let program = try Program(["cancel", "--spool", path, "cat"])
        #expect(try await program.exitCode() == 66)
        try await program.says("no spool at \(path)")
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}
