// Other programs of the same user have used up what the kernel tells of changes by.

import Foundation
import StandIn
import Testing

@Suite(.witnessed) struct WatchTests {
    private static func lackOfNamespaces() -> String? {
        if let lack = lack(["unshare", "nsenter"]) { return lack }
        let trial = try? Program(["-U", "-r", "true"], executable: URL(fileURLWithPath: "/usr/bin/unshare"))
        return trial == nil ? "no user namespaces" : nil
    }

    @Test(
        "where the inotify watches or instances are used up the daemon says what to raise, looks by itself, and listens again",
        arguments: [("watches", 2), ("watches", 0), ("instances", 0)])
    func usedUp(what: String, limit: Int) async throws {
        if let lack = Self.lackOfNamespaces() { return print("skipped, used up inotify watches: \(lack)") }
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        await spool.takeSlot()
        // A user namespace has limits of its own, so that no other test is without.
        let file = "/proc/sys/user/max_inotify_\(what)"
        let script = "echo \(limit) > \(file) || exit 99; exec \"$0\" \"$@\""
        let daemon = try Program(
            ["-U", "-r", "sh", "-c", script, try Program.executable.path] + spool.arguments(server: standIn.url),
            executable: URL(fileURLWithPath: "/usr/bin/unshare"))
        while !daemon.lines.contains(where: { $0.contains("ready:") }) {
            if !daemon.isRunning,
                try await daemon.exitCode() == 99 || !daemon.lines.contains(where: { $0.contains("sdspool") })
            {
                return print("skipped, used up inotify watches: no user namespaces here")
            }
            guard daemon.isRunning else { throw Missed(description: "\(daemon.lines)") }
            try await Task.sleep(for: .milliseconds(5))
        }
        try await daemon.says("the kernel does not tell of changes", "every 2.0 s", "fs.inotify.max_user_\(what)")
        // Found by looking, also what a job waits for.
        try spool.drop("img", #"{"init_images": ["late.png"], "steps": 1, "width": 64, "height": 64}"#)
        try spool.drop("cat", smallJob())
        try await daemon.says("done cat")
        try spool.put("", at: "PAUSE")
        try await daemon.says("paused")
        let raise = try Program(
            ["--target", "\(daemon.pid)", "--user", "--preserve-credentials", "sh", "-c", "echo 100 > \(file)"],
            executable: URL(fileURLWithPath: "/usr/bin/nsenter"))
        #expect(try await raise.exitCode() == 0, "\(raise.lines)")
        try await daemon.says("the kernel tells of changes again")
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        try await daemon.says("going on")
        try spool.drop("dog", smallJob())
        try await daemon.says("done dog")
        #expect(daemon.lines.count { $0.contains("the kernel does not tell of changes") } == 1, "it is said once")
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }
}
