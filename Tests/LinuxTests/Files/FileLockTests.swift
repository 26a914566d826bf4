import Foundation
import Testing

@testable import Linux

@Suite struct FileLockTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    private func take(_ note: String) throws -> FileLock.LockResult {
        try FileLock.take(".lock", in: scratch.directory, note: Data(note.utf8))
    }

    /// What the holder wrote, or `nil` where there was none.
    private func holder(_ outcome: FileLock.LockResult) -> String? {
        if case .taken(let note) = outcome { String(decoding: note, as: UTF8.self) } else { nil }
    }

    @Test("a second one is refused and told who holds it; when the holder goes it is free")
    func second() throws {
        do {
            let first = try take("process 1, a long note")
            #expect(holder(first) == nil)
            #expect(try holder(take("process 2")) == "process 1, a long note")
            #expect(try holder(take("process 3")) == "process 1, a long note")
            withExtendedLifetime(first) {}
        }
        // Other tests start processes, which hold on to what this one has open until their exec, the lock as well.
        var next = try take("process 4")
        let limit = ContinuousClock.now + .seconds(600)
        while holder(next) != nil, .now < limit { next = try take("process 4") }
        #expect(holder(next) == nil)
        // Nothing is left of the longer note.
        #expect(try holder(take("process 5")) == "process 4")
        withExtendedLifetime(next) {}
    }

    @Test(
        "where flock(2) is a record lock at a server, ours would collide with its own, and is taken alone",
        arguments: [
            ("nfs", true), ("nfs4", true), ("cifs", true), ("smb3", true), ("ext4", false), ("xfs", false),
            ("btrfs", false), ("fuse.sshfs", false), ("overlay", false), ("nfsd", false), ("local", false),
        ])
    func kinds(name: String, expected: Bool) { #expect(Filesystem(name: name).locksRecordsForFlock == expected) }

    @Test("a file that somebody left there is no lock")
    func leftover() throws {
        try scratch.write("a process of long ago", to: ".lock")
        let lock = try take("now")
        #expect(holder(lock) == nil)
        #expect(try holder(take("later")) == "now")
        withExtendedLifetime(lock) {}
    }
}
