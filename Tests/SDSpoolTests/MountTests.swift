// The folders of a spool as mounts of their own.

import Foundation
import Testing

@Suite struct MountTests {
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
        #expect(daemon.lines.contains { $0.contains("\(spool.path("done").path) lies on another filesystem") })
        #expect(daemon.lines.contains { $0.contains("mount the spool as a whole") })
    }
}
