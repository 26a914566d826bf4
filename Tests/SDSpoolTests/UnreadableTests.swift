// Files of others, which the daemon can move and cannot read.

import Foundation
import Glibc
import StandIn
import Testing

@Suite(.witnessed) struct UnreadableTests {
    /// The user "nobody", nearly everywhere.
    private let stranger: uid_t = 65534

    /// A daemon that is not root, for whom no file is unreadable; `nil` where this user has none. The spool is its own.
    private func daemon(_ spool: TestSpool, server: String) async throws -> Program? {
        await spool.takeSlot()
        let arguments = spool.arguments(server: server)
        guard geteuid() == 0 else { return try Program(arguments) }
        for path in [spool.surroundings.path, spool.url.path, spool.path("inbox").path] {
            try #require(chown(path, stranger, stranger) == 0)
        }
        let words = ["--reuid", "\(stranger)", "--regid", "\(stranger)", "--clear-groups"]
        let setpriv = URL(fileURLWithPath: "/usr/bin/setpriv")
        let trial = try Program(words + ["test", "-x", try Program.executable.path], executable: setpriv)
        guard try await trial.exitCode() == 0 else { return nil }
        return try Program(words + [try Program.executable.path] + arguments, executable: setpriv)
    }

    /// A file that only its owner may read, who is not the daemon's user.
    private func unreadable(_ path: URL, _ text: String = smallJob()) throws {
        let draft = path.deletingLastPathComponent().appendingPathComponent(".\(path.lastPathComponent).draft")
        try Data(text.utf8).write(to: draft)
        try #require(chmod(draft.path, 0) == 0)
        try FileManager.default.moveItem(at: draft, to: path)
    }

    @Test("a drop that cannot be read fails with the reason and what to do, and keeps nobody from anything")
    func drop() async throws {
        if let lack = lack(geteuid() == 0 ? ["setpriv"] : []) { return print("skipped, unreadable files: \(lack)") }
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        guard let daemon = try await daemon(spool, server: standIn.url) else {
            return print("skipped, unreadable files: another user cannot run \(try Program.executable.path)")
        }
        try await daemon.says("ready:")
        try unreadable(spool.path("inbox/secret.json"))
        // Its name is to be kept beside it: it goes another way.
        try unreadable(spool.path("inbox/a:b.json"))
        try await daemon.says("refused secret: it cannot be read: Permission denied (EACCES)")
        try await daemon.says("refused a%3ab: it cannot be read")
        try spool.drop("cat", smallJob())
        try await daemon.says("done cat")
        #expect(spool.list("failed/secret") == ["error.json", "secret.json"])
        let error = try spool.document("failed/secret/error.json")
        #expect(error["class"] as? String == "not a job")
        #expect((error["message"] as? String)?.contains("chmod a+r") == true)
        // As somebody else who may not read it either, and as what the command line shows of it.
        #expect(spool.list("active").isEmpty)
        #expect(!daemon.lines.contains { $0.contains("trying again") })
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("what an earlier daemon left in active/ and cannot be read is moved on by the next one")
    func recovery() async throws {
        if let lack = lack(geteuid() == 0 ? ["setpriv"] : []) { return print("skipped, unreadable files: \(lack)") }
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        try spool.makeFolders()
        let ticket = "5-20260101T000000.000000Z.left"
        let folder = spool.path("active/\(ticket)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try unreadable(folder.appendingPathComponent("left.json"))
        try Data(#"{"message": "it cannot be read"}"#.utf8).write(to: folder.appendingPathComponent("error.json"))
        // And one whose message somebody has kept to himself.
        try FileManager.default.createDirectory(at: spool.path(".outbox"), withIntermediateDirectories: true)
        try unreadable(spool.path(".outbox/5-20260101T000000.000001Z.told.json"))
        try unreadable(spool.path("PAUSE"), "no reason")
        for place in ["queue", "active", "active/\(ticket)", "done", "failed", "hold", "assets", ".outbox"]
        where geteuid() == 0 {
            try #require(chown(spool.path(place).path, stranger, stranger) == 0)
        }
        guard let daemon = try await daemon(spool, server: standIn.url) else {
            return print("skipped, unreadable files: another user cannot run \(try Program.executable.path)")
        }
        try await daemon.says("ready:")
        try await daemon.says("left had failed and is now in")
        #expect(spool.list("failed/left") == ["error.json", "left.json"])
        try await daemon.says("paused")
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        try spool.drop("cat", smallJob())
        try await daemon.says("done cat")
        #expect(!daemon.lines.contains { $0.contains("trying again") })
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }
}
