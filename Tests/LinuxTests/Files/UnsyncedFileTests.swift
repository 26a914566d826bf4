import Foundation
import Glibc
import Testing

@testable import Linux

@Suite struct UnsyncedFileTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    @Test("a file has a writer as long as somebody holds it open for writing, also through another name")
    func writer() throws {
        try #require(try scratch.hasLeases, "this filesystem has no leases")
        let name: FileName = "a"
        let writer = try scratch.directory.createFile(name)
        #expect(try scratch.directory.file(name).hasWriter == true)
        try FileManager.default.linkItem(atPath: "\(scratch.path)/a", toPath: "\(scratch.path)/b")
        #expect(try scratch.directory.file("b").hasWriter == true)
        try writer.close()
        // What other tests start has it open, too, until it is a program of its own.
        let end = ContinuousClock.now + .seconds(600)
        while try scratch.directory.file(name).hasWriter == true, .now < end { usleep(500) }
        #expect(try scratch.directory.file(name).hasWriter == false)
        #expect(try scratch.directory.file(name).hasWriter == false, "the lease was given back")
    }

    @Test("a whole filesystem can be synced through any directory of it")
    func syncs() throws {
        try scratch.write("x", to: "a")
        try scratch.directory.filesystemSync().run()
    }
}

extension Scratch {
    /// Whether the kernel gives leases here: not on every filesystem.
    fileprivate var hasLeases: Bool {
        get throws {
            try write("", to: "lease")
            return try directory.file("lease").hasWriter != nil
        }
    }
}
