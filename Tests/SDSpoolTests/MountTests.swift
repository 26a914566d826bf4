// The folders of a spool as mounts of their own.

import Foundation
import Glibc
import StandIn
import Testing

@Suite(.witnessed) struct MountTests {
    @Test("a spool whose folders are mounted one by one is refused with the folder's name, and what to do")
    func oneByOne() async throws {
        if let lack = lack(["unshare", "mount"], root: true) { return print("skipped, bind mounts: \(lack)") }
        let spool = try TestSpool()
        try spool.makeFolders()
        let outside = spool.surroundings.appendingPathComponent("outside")
        try FileManager.default.createDirectory(at: outside, withIntermediateDirectories: true)
        let script = "mount --bind \"$0\" \"$1\" || exit 99; shift; exec \"$@\""
        let daemon = try Program(
            ["-m", "sh", "-c", script, outside.path, spool.path("done").path, try Program.executable.path]
                + spool.arguments(server: "http://127.0.0.1:9"), executable: URL(fileURLWithPath: "/usr/bin/unshare"))
        let code = try await daemon.exitCode()
        if code == 99 { return print("skipped, bind mounts: mount(8) may not do it here") }
        #expect(code == 78)
        try await daemon.says("\(spool.path("done").path) lies on another filesystem", "mount the spool as a whole")
    }

    @Test("a mount that comes over a folder is said once, and what is published meanwhile lies there when it is gone")
    func later() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url, "--poll", "0.05")
        let outside = spool.surroundings.appendingPathComponent("outside")
        try FileManager.default.createDirectory(at: outside, withIntermediateDirectories: true)
        let done = spool.path("done").path
        guard mount(outside.path, done, nil, UInt(MS_BIND), nil) == 0 else {
            return print("skipped, bind mounts: \(String(cString: strerror(errno)))")
        }
        defer { umount2(done, Int32(MNT_DETACH)) }
        try await daemon.says("\(done) lies on another filesystem than the spool now, or is a mount of its own")
        try spool.drop("cat", smallJob())
        try await daemon.says("done cat")
        try spool.drop("bad", "{]")
        try await daemon.says("refused bad")
        #expect(spool.list("done").isEmpty)
        // The daemon looks into it again and again, for an instant each.
        let end = ContinuousClock.now + deadline
        while umount2(done, 0) != 0 {
            let code = errno
            try #require(code == EBUSY && ContinuousClock.now < end, "umount2: errno \(code)")
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(spool.list("done") == ["cat"])
        try spool.drop("dog", smallJob())
        try await daemon.says("done dog")
        #expect(spool.list("done") == ["cat", "dog"])
        #expect(daemon.lines.count { $0.contains("is a mount of its own") } == 1)
        #expect(!daemon.lines.contains { $0.contains("trying again") })
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }
}
