// Somebody else is faster: a daemon, or a second command. That is no error.

import Foundation
import Glibc
import Linux
import Testing

@testable import Spool

@Suite struct FasterTests {
    let spool: TestSpool
    var folders: Spool { spool.folders }

    init() throws { spool = try TestSpool() }

    /// A job that has failed.
    private func failed(_ more: [FileName] = []) throws -> Directory {
        try folders.failed.makeDirectory("cat")
        let folder = try folders.failed.directory("cat")
        for entry in ["cat.json", "error.json"] + more { try spool.write("first", to: entry, in: folder) }
        return folder
    }

    /// What may happen behind the move of the job's file into the inbox.
    enum Meanwhile: CaseIterable {
        case nothing, errorIsGone, folderIsGone, folderIsMoved, failedAgain, failedAgainAndAgain
    }

    @Test("a retry ends well in every order in which a daemon may be faster", arguments: Meanwhile.allCases)
    func retry(meanwhile: Meanwhile) throws {
        let folder = try failed()
        try folder.rename("cat.json", to: folders.inbox, as: "cat.json")
        func failsAgain() throws {
            // The daemon's rename, onto the folder that was emptied.
            try folders.active.makeDirectory("ticket")
            try spool.write("second", to: "error.json", in: folders.active.directory("ticket"))
            try folders.active.rename("ticket", to: folders.failed, as: "cat")
        }
        switch meanwhile {
        case .nothing: break
        case .errorIsGone: try folder.unlink("error.json")
        case .folderIsGone: try folders.failed.removeAll("cat")
        case .folderIsMoved: try folders.failed.rename("cat", to: folders.done, as: "collected")
        case .failedAgain:
            try folder.unlink("error.json")
            try failsAgain()
        case .failedAgainAndAgain:
            // Somebody retries that one, too, and it fails once more.
            try folder.unlink("error.json")
            try failsAgain()
            try folders.failed.removeAll("cat")
            try failsAgain()
        }
        try HeldJobs(folders).tidy(folder, "cat")
        #expect(try names(in: folders.inbox) == ["cat.json"])
        switch meanwhile {
        case .failedAgain, .failedAgainAndAgain:
            #expect(try spool.tree("failed") == ["cat", "cat/error.json: second"], "the new failure stays")
        default: #expect(try names(in: folders.failed).isEmpty)
        }
    }

    @Test("pictures that were kept stay with a job that is tried again")
    func kept() throws {
        _ = try failed(["cat-1.png"])
        #expect(try HeldJobs(folders).retry("cat"))
        #expect(try spool.tree("failed") == ["cat", "cat/cat-1.png: first"])
        #expect(try !HeldJobs(folders).retry("cat"), "there is nothing left to drop")
    }

    @Test("two who pause the queue in the same moment both do")
    func pause() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for hand in 0..<2 {
                group.addTask { [folders] in
                    for _ in 0..<300 { try PauseFile(folders).layDown(because: "hand \(hand)") }
                }
            }
            try await group.waitForAll()
        }
        #expect(try names(in: folders.root).contains("PAUSE"))
        #expect(try !folders.root.entries().contains(".PAUSE"))
    }

    @Test("two who remove the same folder in the same moment both do")
    func remove() async throws {
        for _ in 0..<100 {
            try folders.queue.makeDirectory("folder")
            let folder = try folders.queue.directory("folder")
            for number in 0..<8 { try spool.write("x", to: name("\(number)"), in: folder) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 { group.addTask { [folders] in try folders.queue.removeAll("folder") } }
                try await group.waitForAll()
            }
            #expect(try names(in: folders.queue).isEmpty)
        }
    }
}

@Suite struct SillyRenameTests {
    let spool: TestSpool
    var folders: Spool { spool.folders }
    private let silly: FileName = ".nfs00000000018c2f5d00000003"

    init() throws { spool = try TestSpool() }

    /// A file that cannot be removed (EBUSY) until `body` has returned: here because something is mounted there, on NFS
    /// because somebody has it open.
    private func keeping(_ entry: FileName, in folder: Directory, _ body: () throws -> Void) throws {
        try spool.write("open", to: entry, in: folder)
        if try folders.root.status(of: "anything") == nil { try spool.write("", to: "anything", in: folders.root) }
        let place = folder.path(of: entry)
        guard mount("\(spool.path)/anything", place, nil, UInt(MS_BIND), nil) == 0 else {
            try Test.cancel("a bind mount needs root: \(String(cString: strerror(errno)))")
        }
        do { try body() } catch {
            umount2(place, Int32(MNT_DETACH))
            throw error
        }
        // Its folder may have moved with it.
        let moved = ["active", "done", "queue"].flatMap { place in
            ((try? FileManager.default.subpathsOfDirectory(atPath: "\(spool.path)/\(place)")) ?? []).map {
                "\(spool.path)/\(place)/\($0)"
            }
        }
        for path in moved where path.hasSuffix("/\(entry)") { umount2(path, Int32(MNT_DETACH)) }
    }

    @Test("a folder that holds such a file is left until it is gone, and everything else in it goes")
    func removeAll() throws {
        try folders.active.makeDirectory("folder")
        let folder = try folders.active.directory("folder")
        try folder.makeDirectory("parts")
        try spool.write("x", to: "a", in: folder)
        try keeping(silly, in: folder.directory("parts")) { () throws in
            #expect(try !folders.active.removesAll("folder"))
            #expect(try spool.tree("active") == ["folder", "folder/parts", "folder/parts/\(silly): "])
        }
        #expect(try folders.active.removesAll("folder"))
        // What is busy for another reason is told.
        try folders.active.makeDirectory("folder")
        try keeping("other", in: folders.active.directory("folder")) {
            let error = #expect(throws: SystemError.self) { try folders.active.removeAll("folder") }
            #expect(error?.code == EBUSY)
        }
    }

    @Test("a job is put back although its folder cannot be removed yet; a later round removes it")
    func requeue() throws {
        let hands = try ManualChangeWatcher(folders, Inotify())
        let job = try spool.claim("cat")
        try keeping(silly, in: job.folder) {
            #expect(try job.requeue() == .queued)
            #expect(try names(in: folders.queue) == ["\(job.ticket.file)"])
            _ = try hands.everything()
            #expect(try names(in: folders.active) == ["\(job.ticket.folder)"])
        }
        _ = try hands.everything()
        #expect(try names(in: folders.active).isEmpty)
    }

    @Test("a job that is claimed again keeps its folder")
    func claimed() throws {
        let hands = try ManualChangeWatcher(folders, Inotify())
        let job = try spool.claim("cat")
        try keeping(silly, in: job.folder) { () throws in #expect(try job.requeue() == .queued) }
        _ = try #require(try Claims(folders).claim(job.ticket))
        _ = try hands.everything()
        #expect(try spool.tree("active").contains("\(job.ticket.folder)/cat.json: {}"))
    }

    @Test("a job is published although a file in its folder cannot be removed yet")
    func publish() throws {
        let job = try spool.claim("cat")
        try keeping(silly, in: job.folder) { _ = try job.discardStage() }
        try spool.write("open", to: ".nfs00000000018c2f5d00000004", in: job.folder)
        _ = try job.finish(with: Data("{}".utf8))
        #expect(try names(in: folders.done) == ["cat"])
        #expect(try names(in: folders.done.directory("cat")) == ["cat.json", "result.json"])
    }
}
