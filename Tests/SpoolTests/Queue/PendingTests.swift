import Foundation
import Linux
import Testing

@testable import Spool

@Suite("What is pending in a spool", .timeLimit(.minutes(5)))
struct PendingTests {
    private static let ticket = "5-20261123T151042.123456Z.cat"

    @Test(
        "is a job in inbox/, queue/ or active/, however much of it there is",
        arguments: [
            "inbox/cat.json", "inbox/CAT.JSON", "inbox/many.jsonl", "queue/\(ticket).json", "active/\(ticket)/cat.json",
        ])
    func pending(path: String) throws {
        let spool = try TestSpool()
        #expect(try !Pending(spool.folders).hasPending())
        let file = URL(fileURLWithPath: spool.path).appendingPathComponent(path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data("{\"prompt".utf8).write(to: file)
        #expect(try Pending(spool.folders).hasPending())
        try FileManager.default.removeItem(at: path.hasPrefix("active") ? file.deletingLastPathComponent() : file)
        #expect(try !Pending(spool.folders).hasPending())
    }

    @Test(
        "is not what no daemon takes: folders, links and FIFOs called like jobs, other files, what is held or has ended"
    )
    func leftAlone() throws {
        let spool = try TestSpool()
        let manager = FileManager.default
        try manager.createDirectory(
            at: URL(fileURLWithPath: spool.path).appendingPathComponent("inbox/folder.json"),
            withIntermediateDirectories: false)
        try manager.createSymbolicLink(
            at: URL(fileURLWithPath: spool.path).appendingPathComponent("inbox/link.json"),
            withDestinationURL: URL(fileURLWithPath: "/dev/null"))
        try #require(
            mkfifo(URL(fileURLWithPath: spool.path).appendingPathComponent("inbox/pipe.json").path, 0o600) == 0)
        for path in [
            "inbox/notes.txt", "inbox/.cat.json.part", "hold/\(Self.ticket).json", "hold/cat.json", "done/cat.json",
            "assets/cat.json", "queue/notes.txt", "inbox/.01234567-89ab-cdef-0123-456789abcdef.drop",
        ] { try Data("{}".utf8).write(to: URL(fileURLWithPath: spool.path).appendingPathComponent(path)) }
        #expect(try !Pending(spool.folders).hasPending())
    }

    @Test("is what a program is about to drop, as long as it writes it")
    func draft() throws {
        let spool = try TestSpool()
        do {
            let draft = try Inbox(spool.folders).draft()
            #expect(try Pending(spool.folders).hasPending())
            withExtendedLifetime(draft) {}
        }
        // Nobody has it open any more, when what other tests start has become a program of its own: a crash has left it.
        let end = ContinuousClock.now + .seconds(60)
        while try Pending(spool.folders).hasPending(), .now < end { usleep(500) }
        #expect(try !Pending(spool.folders).hasPending())
    }
}
