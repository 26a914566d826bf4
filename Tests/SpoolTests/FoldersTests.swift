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
        let again = try Folders(path: spool.path)
        #expect(try names(in: again.root) == expected)
        #expect(try names(in: again.inbox) == ["cat.json"])
        let deep = try Folders(path: spool.path + "/a/b/c")
        #expect(try names(in: deep.root) == expected)
    }

    @Test("a path is told as it is from everywhere")
    func path() throws {
        #expect(try Folders(path: spool.path + "/hold/../").root.path == spool.path)
    }

    @Test("a file or a link in the place of a folder is refused", arguments: ["queue", "assets"])
    func noFolder(place: String) throws {
        #expect(rmdir("\(spool.path)/\(place)") == 0)
        #expect(symlink("/tmp", "\(spool.path)/\(place)") == 0)
        #expect(throws: SystemError.self) { try Folders(path: spool.path) }
        #expect(unlink("\(spool.path)/\(place)") == 0)
        try spool.write("", to: try name(place), in: spool.folders.root)
        #expect(throws: SystemError.self) { try Folders(path: spool.path) }
    }

    @Test("a spool that cannot be made says why")
    func impossible() throws {
        try spool.drop("file")
        let error = #expect(throws: SystemError.self) { try Folders(path: spool.path + "/inbox/file/spool") }
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
        let error = #expect(throws: SystemError.self) { try Folders(path: spool.path) }
        #expect(error?.code == EXDEV)
        #expect(error?.path == place)
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
        #expect(InFolder.job(try Ticket.test(text).name).description == expected)
    }
}
