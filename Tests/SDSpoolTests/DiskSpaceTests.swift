// A disk without room for a result: one render finds that out at most, smaller jobs go on, and it goes on by itself.

import Foundation
import StandIn
import Testing

@Suite(.witnessed) struct DiskSpaceTests {
    /// The stand-in does not pack its pictures: three bytes a pixel.
    private static func job(_ prompt: String, side: Int) -> String {
        #"{"prompt": "\#(prompt)", "steps": 1, "width": \#(side), "height": \#(side)}"#
    }

    private static func renders(_ standIn: StandIn, _ prompt: String) -> Int {
        standIn.requests.count { String(decoding: $0.body, as: UTF8.self).contains("\"\(prompt)\"") }
    }

    @Test("jobs that do not fit wait, smaller ones go, and all are done when there is room")
    func full() async throws {
        if let lack = lack(["mount", "umount"], root: true) { return print("skipped, a full tmpfs: \(lack)") }
        guard let disk = try LoopDisk("tmpfs", options: "size=8m") else {
            return print("skipped, a full tmpfs: it cannot be mounted here")
        }
        let standIn = try StandIn.quick()
        let spool = try TestSpool(in: disk.mount.appendingPathComponent("full"))
        let daemon = try await spool.daemon(server: standIn.url)
        let filler = disk.mount.appendingPathComponent("filler")
        try Data(count: 7 << 20).write(to: filler)
        let large = ["l1", "l2", "l3", "l4"]
        for name in large { try spool.drop(name, Self.job(name, side: 768)) }
        try await daemon.says("no room for the result of l")
        for name in ["s1", "s2", "s3"] { try spool.drop(name, Self.job(name, side: 32)) }
        for name in ["s1", "s2", "s3"] { try await daemon.says("done \(name)") }
        #expect(spool.list("done") == ["s1", "s2", "s3"])
        // Those that were with the server then keep their answers there, and no other is sent.
        #expect(large.allSatisfy { Self.renders(standIn, $0) <= 1 })
        #expect(large.map { Self.renders(standIn, $0) }.reduce(0, +) <= 2)
        // Room for one, or two: what is told of next is not done.
        try FileHandle(forWritingTo: filler).truncate(atOffset: 4 << 20)
        try await daemon.says("done l1")
        try await daemon.says("done l2")
        try await spool.isSaid(state: "waiting", because: "no room for the result of l3")
        try FileManager.default.removeItem(at: filler)
        // Three of them fit at a time.
        for name in large.prefix(3) { try await daemon.says("done \(name)") }
        try FileManager.default.removeItem(at: spool.path("done/l1"))
        try await daemon.says("done l4")
        #expect(try await daemon.stop() == 0)
        #expect(large.map { Self.renders(standIn, $0) }.reduce(0, +) <= large.count + 1)
        #expect(spool.list("failed").isEmpty)
        await standIn.stop()
    }

    @Test("what an answer needs that stays with its server the others like it are expected to need, and are not sent")
    func held() async throws {
        if let lack = lack(["mount", "umount"], root: true) { return print("skipped, a full tmpfs: \(lack)") }
        guard let disk = try LoopDisk("tmpfs", options: "size=8m") else {
            return print("skipped, a full tmpfs: it cannot be mounted here")
        }
        // Far more than a picture of one pixel lets anybody expect.
        let answer = BareServer.picture + String(repeating: " ", count: 4 << 20)
        let server = try ScriptedServer { path, _ in
            path == "/sdapi/v1/txt2img" ? .text(200, answer, type: "application/json") : nil
        }
        let spool = try TestSpool(in: disk.mount.appendingPathComponent("held"))
        try Data().write(to: spool.path("PAUSE"))
        let daemon = try await spool.daemon(server: server.url, "--in-flight", "1")
        let filler = disk.mount.appendingPathComponent("filler")
        try Data(count: 5 << 20).write(to: filler)
        let names = ["a", "b", "c", "d", "e"]
        for name in names {
            try spool.drop(name, ScriptedServer.job(name))
            try await daemon.says("accepted", ".\(name)")
        }
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        try await daemon.says("no room for the result of a")
        try spool.drop("query", #"{"sdspool": {"endpoint": "/sdapi/v1/options"}}"#)
        try await daemon.says("done query")
        #expect(server.renders == ["a"])
        try FileManager.default.removeItem(at: filler)
        for name in names { try await daemon.says("done \(name)") }
        #expect(try await daemon.stop() == 0)
        #expect(server.renders == names)
        await server.stop()
    }

    @Test("a limit of the size of files is found out by one render, and keeps no smaller job and no end of the daemon")
    func limited() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        await spool.takeSlot()
        let words = [try Program.executable.path] + spool.arguments(server: standIn.url)
        // In blocks of 512 bytes: 1 MiB.
        let daemon = try Program(
            ["-c", #"ulimit -f 2048; exec "$@""#, "sh"] + words, executable: URL(fileURLWithPath: "/bin/sh"))
        try await daemon.says("ready:")
        let large = ["l1", "l2", "l3"]
        for name in large { try spool.drop(name, Self.job(name, side: 768)) }
        try await daemon.says("no room for the result of l", "File too large (EFBIG)")
        for name in ["s1", "s2"] { try spool.drop(name, Self.job(name, side: 32)) }
        for name in ["s1", "s2"] { try await daemon.says("done \(name)") }
        try await spool.isSaid(state: "waiting", because: "no room for the result of l")
        #expect(large.allSatisfy { Self.renders(standIn, $0) <= 1 })
        #expect(try await daemon.stop() == 0)
        #expect(spool.list("queue").count == large.count)
        #expect(spool.list("active").isEmpty)
        await standIn.stop()
    }
}
