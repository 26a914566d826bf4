import Foundation
import Glibc
import Linux
import Testing

@testable import Spool

@Suite struct FoldersTests {
    let spool: TestSpool

    init() throws {
        spool = try TestSpool()
    }

    @Test("a spool is made where it is missing, and is used as it is where it is not")
    func made() throws {
        let expected = ["active", "assets", "done", "failed", "hold", "inbox", "queue"]
        #expect(try names(in: spool.folders.root) == expected)
        try spool.drop("cat.json", "{}")
        let again = try Spool(path: spool.path)
        #expect(try names(in: again.root) == expected)
        #expect(try names(in: again.inbox) == ["cat.json"])
        let deep = try Spool(path: spool.path + "/a/b/c")
        #expect(try names(in: deep.root) == expected)
    }

    @Test("two that try the disk at once do not take each other's file away")
    func probes() async throws {
        let folders = spool.folders
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<2 { group.addTask { for _ in 0..<100 { try DiskProbe(folders).run(room: 1) } } }
            try await group.waitForAll()
        }
        #expect(try names(in: folders.active).isEmpty)
    }

    @Test("a path is told as it is from everywhere")
    func path() throws {
        #expect(try Spool(path: spool.path + "/hold/../").root.path == spool.path)
    }

    @Test("a file or a link in the place of a folder is refused", arguments: ["queue", "assets"])
    func noFolder(place: String) throws {
        #expect(rmdir("\(spool.path)/\(place)") == 0)
        #expect(symlink("/tmp", "\(spool.path)/\(place)") == 0)
        #expect(throws: SystemError.self) { try Spool(path: spool.path) }
        #expect(unlink("\(spool.path)/\(place)") == 0)
        try spool.write("", to: try name(place), in: spool.folders.root)
        #expect(throws: SystemError.self) { try Spool(path: spool.path) }
    }

    @Test("a spool that cannot be made says why")
    func impossible() throws {
        try spool.drop("file")
        let error = #expect(throws: SystemError.self) { try Spool(path: spool.path + "/inbox/file/spool") }
        #expect(error?.call == "mkdir")
        #expect(error?.code == ENOTDIR)
    }

    @Test("a folder on another filesystem is refused at the start: a job could not move there in one step")
    func otherFilesystem() throws {
        let place = spool.path + "/done"
        guard mount("sdspool-test", place, "tmpfs", 0, nil) == 0 else {
            try Test.cancel("mounting a tmpfs needs root: \(String(cString: strerror(errno)))")
        }
        defer { umount2(place, Int32(MNT_DETACH)) }
        let error = #expect(throws: SystemError.self) { try Spool(path: spool.path) }
        #expect(error?.code == EXDEV)
        #expect(error?.path == place)
    }
}

@Suite struct BindMountTests {
    let spool: TestSpool
    var elsewhere: String { spool.path + "/elsewhere" }

    init() throws {
        spool = try TestSpool()
        try spool.folders.root.makeDirectory("elsewhere")
    }

    /// Shows `source` at `place` too, for as long as `body` runs.
    private func bind(_ source: String, at place: String, _ body: () throws -> Void) throws {
        guard mount(source, place, nil, UInt(MS_BIND), nil) == 0 else {
            try Test.cancel("a bind mount needs root: \(String(cString: strerror(errno)))")
        }
        defer { umount2(place, Int32(MNT_DETACH)) }
        try body()
    }

    @Test(
        "a folder that is a mount of its own is refused at the start, though it lies on the same filesystem",
        arguments: ["inbox", "queue", "active", "done", "failed", "hold", "assets"])
    func refused(place: String) throws {
        try bind(elsewhere, at: "\(spool.path)/\(place)") {
            let error = #expect(throws: SystemError.self) { try Spool(path: spool.path) }
            #expect(error?.code == EXDEV)
            #expect(error?.path == "\(spool.path)/\(place)")
            // Who only looks and drops may well see the folders so.
            #expect(throws: Never.self) { try Spool(existing: spool.path) }
        }
        #expect(
            try names(in: spool.folders.root) == [
                "active", "assets", "done", "elsewhere", "failed", "hold", "inbox", "queue",
            ])
        #expect(throws: Never.self) { try Spool(path: spool.path) }
    }

    @Test("a spool that is mounted as a whole is one like any other")
    func whole() throws {
        try bind(spool.path, at: elsewhere) {
            let folders = try Spool(path: elsewhere)
            let ticket = try Ticket.test("cat")
            try spool.drop("cat.json")
            #expect(try Acceptance(folders).accept("cat.json", as: ticket))
            #expect(try names(in: spool.folders.queue) == ["\(ticket.file)"])
        }
    }

    @Test("a mount that comes over a folder while a daemon runs is told, and the others go on")
    func later() throws {
        let inotify = try Inotify()
        let hands = try ManualChangeWatcher(spool.folders, inotify)
        try bind(elsewhere, at: "\(spool.path)/done") {
            let ticket = try spool.queue("cat")
            guard case .folders(let refresh)? = try hands.everything().first else {
                Issue.record("nothing is told of the folders")
                return
            }
            #expect(refresh.trouble == SystemError(call: "rename", code: EXDEV, path: "\(spool.path)/done"))
            #expect(refresh.changed.isEmpty)
            let job = try #require(try Claims(spool.folders).claim(ticket))
            _ = try job.finish(with: Data("{}".utf8))
        }
        // Beneath the mount, and there when it is gone.
        #expect(try names(in: spool.folders.done) == ["cat"])
        guard case .folders(let refresh)? = try hands.everything().first else { return }
        #expect(refresh.trouble == nil)
    }
}

@Suite struct InFolderTests {
    @Test(
        "the job file keeps its name, but for one that is named like a file of ours",
        arguments: [
            ("cat", "cat.json"), ("result", "result.job.json"), ("Error", "Error.job.json"),
            ("ATTEMPTS", "ATTEMPTS.job.json"), ("progress", "progress.job.json"), ("result.job", "result.job.json"),
            ("results", "results.json"), ("result-1", "result-1.json"),
        ])
    func job(text: String, expected: String) throws {
        #expect(JobFolder.job(try Ticket.test(text).name).description == expected)
    }
}
