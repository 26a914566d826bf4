// Several servers: each job goes to whichever is free, or to the one that it names.

import Foundation
import StandIn
import TestSupport
import Testing

@Suite(.witnessed) struct ServersTests {
    private static func job(steps: Int, server: String? = nil) -> String {
        smallJob(server.map { #""sdspool": {"server": "\#($0)"}"# } ?? "")
            .replacing(#""steps": 1"#, with: #""steps": \#(steps)"#)
    }

    /// One that stands still at its server until that is told to go on.
    private static func still(_ id: String = "") -> String { smallJob(#""sketch": {"fault": "hold", "id": "\#(id)"}"#) }

    @Test("two jobs at two servers are rendered at once, and the others follow in order")
    func both() async throws {
        let sketches = try [1, 2].map { _ in try StandIn.start(options: .init(stepTime: .milliseconds(20))) }
        let spool = try TestSpool()
        try Data().write(to: spool.path("PAUSE"))
        let daemon = try await spool.daemon(server: sketches[0].url, "--server", sketches[1].url)
        for name in ["a", "b", "c", "d"] {
            try spool.drop(name, Self.still())
            try await daemon.says("accepted", ".\(name)")
        }
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        for standIn in sketches { await standIn.wait { $0.first?.started != nil } }
        #expect(sketches.allSatisfy { $0.requests.first?.ended == nil }, "both at once")
        // The others wait behind them.
        for standIn in sketches { await standIn.arrived(2) }
        for standIn in sketches { standIn.release() }
        for name in ["a", "b", "c", "d"] { try await daemon.says("done \(name)") }
        #expect(try await daemon.stop() == 0)
        #expect(sketches.map(\.requests.count) == [2, 2])
        for name in ["a", "b"] {
            let result = try spool.document("done/\(name)/result.json")
            #expect(sketches.map(\.url).contains(try #require(result["server"] as? String)))
        }
        for standIn in sketches { await standIn.stop() }
    }

    @Test("a job goes to the server that it names, also behind others and after a restart")
    func named() async throws {
        let sketches = try [1, 2].map { _ in try StandIn.start(options: .init(stepTime: .milliseconds(20))) }
        let spool = try TestSpool()
        try Data().write(to: spool.path("PAUSE"))
        let first = try await spool.daemon(server: sketches[0].url, "--server", sketches[1].url)
        for name in ["a", "b", "c"] {
            try spool.drop(name, Self.job(steps: 5, server: sketches[1].url))
            try await first.says("accepted", ".\(name)")
        }
        #expect(try await first.stop() == 0)
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        let second = try await spool.daemon(server: sketches[0].url, "--server", sketches[1].url)
        try spool.drop("d", Self.job(steps: 5, server: sketches[1].url))
        try spool.drop("e", Self.job(steps: 5, server: "http://10.1.2.3:7860"))
        for name in ["a", "b", "c", "d"] { try await second.says("done \(name)") }
        try await second.says("failed e", "this daemon serves \(sketches[0].url), \(sketches[1].url) only")
        #expect(try await second.stop() == 0)
        #expect(sketches.map(\.requests.count) == [0, 4])
        for standIn in sketches { await standIn.stop() }
    }

    @Test("a server that goes away gives its jobs back to the others, and gets new ones when it answers again")
    func away() async throws {
        let stays = try StandIn.start(options: .init(stepTime: .milliseconds(20)))
        let port = try ReservedPort()
        let goes = try StandIn.start(port: port.number, options: .init(stepTime: .milliseconds(20)))
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: goes.url, "--server", stays.url)
        for name in ["a", "b"] { try spool.drop(name, Self.still("first")) }
        for standIn in [stays, goes] { await standIn.wait { $0.first?.started != nil } }
        await goes.stop()
        stays.release("first")
        for name in ["a", "b"] { try await daemon.says("done \(name)") }
        // It is found away by the next job at the latest: the other one stands still at the server that stays.
        for name in ["c", "d"] { try spool.drop(name, Self.still("third")) }
        try await daemon.says("waiting for \(goes.url)")
        stays.release("third")
        for name in ["c", "d"] { try await daemon.says("done \(name)") }
        // Also while there is nothing to do.
        let back = try StandIn.start(port: port.number, options: .init(stepTime: .milliseconds(20)))
        try await daemon.says("\(goes.url) is back")
        // That is said a moment before others' jobs may go there; behind one of its own they may.
        try spool.drop("g", Self.job(steps: 1, server: goes.url))
        try await daemon.says("done g")
        // The first one at either of them lasts until there is one at the other.
        let before = stays.requests.count
        for name in ["e", "f"] { try spool.drop(name, Self.still("second")) }
        await stays.arrived(before + 1)
        await back.arrived(2)
        for standIn in [stays, back] { standIn.release() }
        for name in ["e", "f"] { try await daemon.says("done \(name)") }
        #expect(try await daemon.stop() == 0)
        #expect(back.requests.count == 2)
        #expect(spool.list("failed").isEmpty)
        for standIn in [stays, back] { await standIn.stop() }
    }

    @Test("the same server twice, or too many in flight, is said to be a mistake")
    func mistakes() async throws {
        for (options, word) in [
            (["--server", "http://a", "--server", "http://a/"], "twice"), (["--in-flight", "5"], "from 1 to 4"),
            (["--in-flight", "x"], "from 1 to 4"),
        ] {
            let program = try Program(["run"] + options)
            #expect(try await program.exitCode() == 64)
            try await program.says(word)
        }
    }
}
