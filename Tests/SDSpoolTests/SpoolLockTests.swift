// Who else holds the lock: another version of the daemon, or one on another machine.

import Foundation
import Glibc
import Testing

/// A process that holds a lock on `.lock` until it is ended, as another program would, or another version of this one.
private func locker(_ call: String, on file: URL) async throws -> Program {
    let script = """
        import fcntl, sys, time
        file = open(sys.argv[1], "a+")
        fcntl.\(call)(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        print("locked", file=sys.stderr, flush=True)
        time.sleep(3600)
        """
    return try Program(["python3", "-c", script, file.path], executable: URL(fileURLWithPath: "/usr/bin/env"))
}

@Suite(.witnessed) struct SpoolLockTests {
    /// flock(2) is what older daemons take. A record lock is what an NFS server takes for a daemon on one of its clients.
    static let calls = ["flock", "lockf"]

    @Test("a daemon starts on no spool that another process has locked, in either way", arguments: calls)
    func taken(call: String) async throws {
        if let lack = lack(["python3"]) { return print("skipped, a foreign lock: \(lack)") }
        let spool = try TestSpool()
        try Data(#"{"pid": 7, "host": "nas", "since": "2026-01-01T00:00:00.000000Z"}"#.utf8).write(
            to: spool.path(".lock"))
        let other = try await locker(call, on: spool.path(".lock"))
        try await other.says("locked")
        try spool.makeFolders()
        // Nor is it said that nobody serves it.
        let status = try Program(["status", "--spool", spool.url.path])
        #expect(try await status.exitCode() != 69)
        #expect(try status.printed().contains("process 7 on nas"))
        await spool.takeSlot()
        let daemon = try Program(spool.arguments(server: "http://127.0.0.1:9"))
        #expect(try await daemon.exitCode() == 75)
        try await daemon.says("is served by process 7 on nas")
        other.kill(SIGTERM)
        _ = try await other.exitCode()
    }

    @Test("nobody else can lock a spool that is served, in either way", arguments: calls)
    func held(call: String) async throws {
        if let lack = lack(["python3"]) { return print("skipped, a foreign lock: \(lack)") }
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: "http://127.0.0.1:9")
        let other = try await locker(call, on: spool.path(".lock"))
        #expect(try await other.exitCode() == 1)
        try await other.says("BlockingIOError")
        let status = try Program(["status", "--spool", spool.url.path])
        #expect(try await status.exitCode() == 0)
        #expect(try status.printed().contains("process \(daemon.pid) on "))
        #expect(try await daemon.stop() == 0)
        let next = try await locker(call, on: spool.path(".lock"))
        try await next.says("locked")
        next.kill(SIGTERM)
        _ = try await next.exitCode()
    }
}
