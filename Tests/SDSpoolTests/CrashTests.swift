// The crash suite: a daemon is struck at its file calls, one after the other, and whatever happens no job is lost, none is
// done twice, and nothing half-done is shown.
//
// Its quick part runs with all other tests; `SDSPOOL_CRASH=long swift test --filter CrashTests` adds the rest. What it
// strikes with is FaultSeam in the Linux module, strace(1), and the kernel's own switch for the power of a filesystem.

import Foundation
import Glibc
import Sketch
import Testing

private let environment = ProcessInfo.processInfo.environment
private let isLong = environment["SDSPOOL_CRASH"] == "long"
private let onlyLong = Comment("SDSPOOL_CRASH=long runs it")

/// Why something cannot be done here; `nil` where it can.
private func lack(_ programs: String..., root: Bool = false) -> String? {
    if root, geteuid() != 0 { return "only root can do that" }
    let folders = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"]
    let missing = programs.filter { program in
        !folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
    }
    return missing.isEmpty ? nil : "not installed: \(missing.joined(separator: ", "))"
}

@Suite struct CrashTests {
    @Test(
        "killed at any file call, a daemon loses nothing and does nothing twice",
        arguments: isLong ? CrashScenario.all : [CrashScenario.all[0]])
    func killed(scenario: CrashScenario) async throws {
        try await CrashRun(scenario).strikeEverywhere { .seam($0, "kill") }
    }

    @Test(
        "an error at any file call costs no job, and the daemon goes on by itself", .enabled(if: isLong, onlyLong),
        arguments: CrashScenario.all, ["ENOSPC", "EDQUOT", "EIO", "EROFS", "EMFILE", "done-EIO"])
    func failing(scenario: CrashScenario, error: String) async throws {
        // A start that fails says so and ends: of its errors one stands for all.
        guard !scenario.isAboutTheStart || error.hasSuffix("EIO") else { return }
        try await CrashRun(scenario).strikeEverywhere { .seam($0, error) }
    }

    @Test(
        "an error that stays is waited out", .enabled(if: isLong, onlyLong),
        arguments: CrashScenario.all.filter { !$0.isAboutTheStart }, ["ENOSPC", "EDQUOT", "EIO", "EROFS", "EMFILE"])
    func troubled(scenario: CrashScenario, error: String) async throws {
        try await CrashRun(scenario).strikeEverywhere { .lastingSeam($0, error) }
    }

    /// From outside, at the executable that SDSPOOL_BINARY names or at that of this test run.
    @Test("what strace does to a shipped executable does no harm", .enabled(if: isLong, onlyLong))
    func traced() async throws {
        if let lack = lack("strace") { return print("skipped, strikes by strace: \(lack)") }
        let run = try CrashRun(
            CrashScenario.all[0], executable: environment["SDSPOOL_BINARY"].map { URL(fileURLWithPath: $0) })
        let (_, picture) = try await run.undisturbed()
        var strikes: [Strike] = []
        for call in ["renameat", "fsync", "openat", "write", "mkdirat", "unlinkat", "close", "newfstatat"] {
            for number in 1...8 {
                strikes += ["signal=KILL", "error=EIO", "error=ENOSPC"].map { .strace(number, "\(call):\($0)") }
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, strike) in strikes.enumerated() {
                if number >= 10 { try await group.next() }
                group.addTask { await run.run(strike, in: try TestSpool(), picture: picture) }
            }
            try await group.waitForAll()
        }
        print("\(run.scenario), by strace: \(strikes.count) points")
    }

    @Test(
        "a loss of power at any file call loses nothing that was told", .enabled(if: isLong, onlyLong),
        arguments: ["ext4", "xfs"])
    func powerless(filesystem: String) async throws {
        if let lack = lack("mkfs.\(filesystem)", "mount", "umount", root: true) {
            return print("skipped, power cuts on \(filesystem): \(lack)")
        }
        guard let disk = try LoopDisk(filesystem) else {
            return print("skipped, power cuts on \(filesystem): it cannot be mounted here")
        }
        let run = try CrashRun(CrashScenario.all[0])
        let (calls, picture) = try await run.undisturbed()
        for call in calls {
            let spool = try TestSpool(in: disk.mount.appendingPathComponent("\(call)"))
            await run.run(.cut(call, mount: disk.mount.path), in: spool, picture: picture) { try disk.remount() }
        }
        print("\(run.scenario), power cuts on \(filesystem): \(calls.count) points")
    }

    @Test("a full disk is waited out, and costs at most one render", .enabled(if: isLong, onlyLong))
    func full() async throws {
        if let lack = lack("mount", "umount", root: true) { return print("skipped, a full tmpfs: \(lack)") }
        guard let disk = try LoopDisk("tmpfs", options: "size=8m") else {
            return print("skipped, a full tmpfs: it cannot be mounted here")
        }
        let sketch = try Sketch.quick()
        let spool = try TestSpool(in: disk.mount.appendingPathComponent("full"))
        let daemon = try await spool.daemon(server: sketch.url)
        let filler = disk.mount.appendingPathComponent("filler")
        try Data(count: 7 << 20).write(to: filler)
        try spool.drop("large", #"{"prompt": "x", "steps": 1, "width": 768, "height": 768}"#)
        try await daemon.says("trying again", "ENOSPC")
        try await daemon.says(".draft", "ENOSPC")
        // What of the status fits the disk is not promised; what is promised is in the log.
        try FileManager.default.removeItem(at: filler)
        try await daemon.says("done large")
        #expect(try await daemon.stop() == 0)
        #expect(sketch.requests.count == 2)
        try spool.checkAtTheEnd([], picture: nil)
        await sketch.stop()
    }
}
