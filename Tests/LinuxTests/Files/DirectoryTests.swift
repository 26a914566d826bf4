import Foundation
import Glibc
import Testing

@testable import Linux

@Suite struct DirectoryTests {
    let scratch: Scratch
    var directory: Directory { scratch.directory }

    init() throws {
        scratch = try Scratch()
    }

    /// The errno that a call fails with.
    private func code(_ body: () throws -> Void) -> Int32? {
        (#expect(throws: SystemError.self, performing: body))?.code
    }

    @Test("entries are all names but . and .., in any bytes and of any length, and can be listed again")
    func entries() throws {
        let names = try [Array("a".utf8), Array(".b".utf8), [0xff, 0x0a], [UInt8](repeating: 0x78, count: 255)].map {
            try #require(FileName(bytes: $0))
        }
        for name in names { try scratch.write("", to: name) }
        #expect(try directory.entries().sorted() == names.sorted())
        #expect(try directory.entries().count == 4)
    }

    @Test("a status tells what an entry is itself, and nothing of one that is not there")
    func status() throws {
        try scratch.write("abc", to: "file")
        try directory.makeDirectory("folder")
        #expect(symlink("file", scratch.path + "/symlink") == 0)
        #expect(mkfifo(scratch.path + "/fifo", 0o600) == 0)
        #expect(link(scratch.path + "/file", scratch.path + "/second") == 0)
        #expect(try directory.status(of: "file")?.kind == .file)
        #expect(try directory.status(of: "file")?.size == 3)
        #expect(try directory.status(of: "file")?.links == 2)
        #expect(try directory.status(of: "file") == directory.status(of: "second"))
        #expect(try directory.status(of: "folder")?.kind == .directory)
        #expect(try directory.status(of: "symlink")?.kind == .symbolicLink)
        #expect(try directory.status(of: "fifo")?.kind == .other)
        #expect(try directory.status(of: "nobody") == nil)
        #expect(try directory.status().kind == .directory)
    }

    @Test("a link is not followed, and a FIFO does not block")
    func links() throws {
        try scratch.write("abc", to: "file")
        try directory.makeDirectory("folder")
        #expect(symlink("file", scratch.path + "/tofile") == 0)
        #expect(symlink("folder", scratch.path + "/tofolder") == 0)
        #expect(mkfifo(scratch.path + "/fifo", 0o600) == 0)
        #expect(code { _ = try directory.file("tofile") } == ELOOP)
        #expect(code { _ = try directory.directory("tofolder") } == ENOTDIR)
        #expect(try directory.file("fifo").status().kind == .other)
    }

    @Test("making is refused where the name is taken")
    func taken() throws {
        try scratch.write("abc", to: "file")
        #expect(code { _ = try directory.createFile("file") } == EEXIST)
        #expect(code { try directory.makeDirectory("file") } == EEXIST)
        #expect(try directory.file("file").read(upTo: 10) == Data("abc".utf8))
    }

    @Test("a folder takes the place of an empty one, but of nothing else")
    func rename() throws {
        for name: FileName in ["new", "empty", "full"] { try directory.makeDirectory(name) }
        try scratch.write("", to: "file")
        let full = try directory.directory("full")
        try full.createFile("x").close()
        #expect(code { try directory.rename("new", to: directory, as: "full") } == ENOTEMPTY)
        #expect(code { try directory.rename("new", to: directory, as: "file") } == ENOTDIR)
        #expect(code { try directory.rename("nobody", to: directory, as: "x") } == ENOENT)
        try directory.rename("new", to: directory, as: "empty")
        try directory.rename("file", to: full, as: "file")
        #expect(try directory.entries().sorted() == ["empty", "full"])
        #expect(try full.entries().sorted() == ["file", "x"])
    }

    @Test("a file is unlinked, an empty folder is removed")
    func remove() throws {
        try directory.makeDirectory("folder")
        try scratch.write("", to: "file")
        #expect(code { try directory.unlink("folder") } == EISDIR)
        #expect(code { try directory.removeDirectory("file") } == ENOTDIR)
        try directory.unlink("file")
        try directory.removeDirectory("folder")
        #expect(code { try directory.unlink("file") } == ENOENT)
        #expect(try directory.entries().isEmpty)
    }

    @Test("it stays the same directory when its path is another's")
    func swapped() throws {
        try directory.makeDirectory("folder")
        let held = try directory.directory("folder")
        try directory.rename("folder", to: directory, as: "moved")
        try directory.makeDirectory("folder")
        try held.createFile("x").close()
        #expect(try directory.directory("moved").entries() == ["x"])
        #expect(try directory.directory("folder").entries().isEmpty)
    }

    @Test("errors name the path, escaped")
    func path() throws {
        let error = #expect(throws: SystemError.self) { _ = try directory.file("a\nb") }
        #expect(error == SystemError(call: "openat", code: ENOENT, path: scratch.path + "/a\\x0ab"))
    }

    @Test("a file is read whole, but never beyond the cap", arguments: [0, 1, 2, 5, 6, 7, 100])
    func cap(cap: Int) throws {
        try scratch.write("abcdef", to: "file")
        #expect(try directory.file("file").read(upTo: cap) == Data("abcdef".utf8.prefix(cap)))
    }

    @Test("a file that says that it is as long as can be is read as far as it is asked for")
    func endless() throws {
        // The folder's filesystem may know no such file.
        let path = "/dev/shm/sdspool-linux-\(UUID())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let memory = try Directory(path: path)
        try memory.createFile("file").close()
        guard truncate(path + "/file", off_t.max) == 0 else { try Test.cancel("no file is as long as that here") }
        #expect(try memory.file("file").read(upTo: 5) == Data(count: 5))
    }

    @Test("a time that has no room is the last or the first that has", arguments: [(Int.max, Int64.max), (.min, .min)])
    func times(seconds: Int, expected: Int64) {
        var raw = stat()
        raw.st_mtim.tv_sec = seconds
        raw.st_ctim.tv_sec = seconds
        #expect(FileStatus(raw).modified == expected && FileStatus(raw).changed == expected)
    }

    @Test("an entry goes to another folder under a name that is free there, and under no other")
    func renameNew() throws {
        try directory.makeDirectory("folder")
        let folder = try directory.directory("folder")
        try scratch.write("1", to: "a")
        try directory.renameNew("a", to: folder, as: "b")
        try scratch.write("2", to: "a")
        #expect(code { try directory.renameNew("a", to: folder, as: "b") } == EEXIST)
        #expect(try folder.file("b").read(upTo: 9) == Data("1".utf8))
        #expect(try directory.file("a").read(upTo: 9) == Data("2".utf8))
    }

    @Test("large files are written and read without a byte lost, and written at the end of what was there")
    func large() throws {
        let bytes = Data((0..<3_000_001).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) })
        let file = try directory.createFile("file")
        try file.write(bytes.prefix(1_000_000))
        try file.write(Data())
        try file.write(bytes.dropFirst(1_000_000))
        try file.sync()
        try file.close()
        #expect(try directory.file("file").read(upTo: 1 << 30) == bytes)
        #expect(try directory.file("file").status().size == 3_000_001)
    }
}
