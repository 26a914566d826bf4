// What people do by hand while the daemon runs.

import Foundation
import Glibc
import Linux
import Testing

@testable import Spool

private func words(_ change: ManualChangeWatcher.Change) -> String {
    switch change {
    case .queued(let ticket): "queued \(ticket)"
    case .paused(let isPaused): isPaused ? "paused" : "goes on"
    case .folders(let refresh): "folders \(refresh.changed), inbox \(refresh.inbox)"
    }
}

/// A watch and what wakes it.
private struct Watcher {
    let inotify: Inotify
    let hands: ManualChangeWatcher

    init(_ folders: Spool) throws {
        inotify = try Inotify()
        hands = try ManualChangeWatcher(folders, inotify)
    }

    func collect() throws -> [ManualChangeWatcher.Change] { try hands.changes(inotify.readAll().filter(hands.owns)) }
}

@Suite struct ManualChangeWatcherTests {
    let spool: TestSpool
    let hold: Directory
    var folders: Spool { spool.folders }

    init() throws {
        spool = try TestSpool()
        hold = try spool.folders.root.directory("hold")
    }

    @Test("what somebody moves into the queue is told, what we move there is not")
    func queued() throws {
        let watch = try Watcher(folders)
        let new = try spool.claim("ours", at: 1)
        let tried = try spool.claim("tried", at: 2)
        // Both were written into queue/ by this test, which is somebody.
        #expect(try watch.collect().map(words) == ["queued \(new.ticket)", "queued \(tried.ticket)"])
        // Put back by us, as a file and as a folder.
        #expect(try new.requeue() == .queued)
        try tried.record(Attempts())
        #expect(try tried.requeue() == .queued)
        #expect(try watch.collect().map(words).isEmpty)
        // Held and released by a person.
        let held = try Ticket.test("held", at: 3)
        try spool.write("{}", to: held.file, in: hold)
        try hold.rename(held.file, to: folders.queue, as: held.file)
        #expect(try watch.collect().map(words) == ["queued \(held)"])
        #expect(try watch.collect().map(words).isEmpty)
    }

    @Test("a job that was ours to move, held and released, is told")
    func released() throws {
        let watch = try Watcher(folders)
        for wasTried in [false, true] {
            let job = try spool.claim(wasTried ? "tried" : "new")
            #expect(try watch.collect().map(words) == ["queued \(job.ticket)"])
            if wasTried { try job.record(Attempts()) }
            #expect(try job.requeue() == .queued)
            #expect(try watch.collect().isEmpty)
            let entry = wasTried ? job.ticket.folder : job.ticket.file
            try folders.queue.rename(entry, to: hold, as: entry)
            try hold.rename(entry, to: folders.queue, as: entry)
            #expect(try watch.collect().map(words) == ["queued \(job.ticket)"])
        }
    }

    @Test("a job that recovery put back before the watch was armed, held and released, is told")
    func recovered() throws {
        let job = try spool.claim("cat")
        #expect(try Recovery(folders).recover().count == 1)
        let watch = try Watcher(folders)
        try folders.queue.rename(job.ticket.file, to: hold, as: job.ticket.file)
        try hold.rename(job.ticket.file, to: folders.queue, as: job.ticket.file)
        #expect(try watch.collect().map(words) == ["queued \(job.ticket)"])
    }

    @Test("what the intake accepts is told by the intake alone")
    func accepted() throws {
        let watch = try Watcher(folders)
        let loop = try IntakeLoop(spool)
        try spool.drop("a.json")
        #expect(try loop.settled() == ["accepted a"])
        #expect(try watch.collect().map(words).isEmpty)
    }

    @Test("a move into the queue under a name that is no ticket's is not told")
    func stranger() throws {
        let watch = try Watcher(folders)
        try spool.write("{}", to: "cat.json", in: hold)
        try hold.rename("cat.json", to: folders.queue, as: "cat.json")
        #expect(try watch.collect().isEmpty)
    }

    @Test("PAUSE comes and goes, in any way that a name can")
    func pause() throws {
        let watch = try Watcher(folders)
        #expect(try !watch.hands.isPaused())
        try spool.write("", to: "PAUSE", in: folders.root)
        #expect(try watch.hands.isPaused())
        #expect(try watch.collect().map(words) == ["paused"])
        try folders.root.rename("PAUSE", to: folders.root, as: "NOT-PAUSE")
        #expect(try watch.collect().map(words) == ["goes on"])
        try folders.root.rename("NOT-PAUSE", to: folders.root, as: "PAUSE")
        #expect(try watch.collect().map(words) == ["paused"])
        try folders.root.unlink("PAUSE")
        #expect(try watch.collect().map(words) == ["goes on"])
        #expect(try !watch.hands.isPaused())
        try spool.write("", to: "status.json", in: folders.root)
        try spool.write("", to: "PAUSE", in: folders.queue)
        #expect(try watch.collect().isEmpty)
    }

    @Test("what was done before the watch was armed is told by nobody but can be asked for")
    func before() throws {
        try spool.write("", to: "PAUSE", in: folders.root)
        let watch = try Watcher(folders)
        #expect(try watch.collect().isEmpty)
        #expect(try watch.hands.isPaused())
    }
}

@Suite struct FolderTests {
    let spool: TestSpool
    var folders: Spool { spool.folders }

    init() throws { spool = try TestSpool() }

    @Test("a folder that is taken away is made anew, and its jobs go on where the new one is")
    func remade() throws {
        let watch = try Watcher(folders)
        for name in ["queue", "done", "failed", "assets", "active"] {
            let place = "\(spool.path)/\(name)"
            try FileManager.default.moveItem(atPath: place, toPath: "\(place)-away")
            #expect(try watch.collect().map(words).contains("folders [\"\(spool.path)/\(name)\"], inbox same"))
            #expect(FileManager.default.fileExists(atPath: "\(spool.path)/\(name)"))
        }
        // The watch went along with the name.
        let ticket = try spool.queue("new")
        #expect(try watch.collect().map(words).last == "queued \(ticket)")
    }

    @Test("an inbox is not made anew: the next one is somebody's to bring")
    func inbox() throws {
        let watch = try Watcher(folders)
        try folders.root.rename("inbox", to: folders.root, as: "away")
        #expect(try watch.collect().map(words) == ["folders [], inbox nothing"])
        #expect(!FileManager.default.fileExists(atPath: "\(spool.path)/inbox"))
        try folders.root.makeDirectory("inbox")
        #expect(try watch.collect().map(words) == ["folders [\"\(spool.path)/inbox\"], inbox another"])
    }

    @Test("a folder that cannot be opened keeps nobody from the others")
    func mounted() throws {
        let watch = try Watcher(folders)
        let place = spool.path + "/active"
        guard mount("sdspool-test", place, "tmpfs", 0, nil) == 0 else {
            try Test.cancel("mounting a tmpfs needs root: \(String(cString: strerror(errno)))")
        }
        defer { umount2(place, Int32(MNT_DETACH)) }
        for name: FileName in ["inbox", "queue"] {
            try folders.root.removeDirectory(name)
            try folders.root.makeDirectory(name)
        }
        let ticket = try Ticket.test("cat")
        try spool.write("{}", to: ticket.file, in: folders.root.directory("queue"))
        let changes = try watch.hands.everything()
        #expect(
            changes.map(words) == [
                "folders [\"\(spool.path)/inbox\", \"\(spool.path)/queue\"], inbox another", "queued \(ticket)",
                "goes on",
            ])
        guard case .folders(let refresh) = changes[0] else { return }
        #expect(refresh.trouble == SystemError(call: "rename", code: EXDEV, path: place))
    }

    @Test("all that is there can be asked for")
    func everything() throws {
        let ticket = try spool.queue("cat")
        let watch = try Watcher(folders)
        try spool.write("", to: "PAUSE", in: folders.root)
        #expect(try watch.hands.everything().map(words) == ["folders [], inbox same", "queued \(ticket)", "paused"])
    }
}

@Suite struct OwnMovesTests {
    @Test("each move that is expected is ours once")
    func once() {
        let moves = ExpectedMoves()
        moves.expect("a")
        let answers = [moves.isOwn("b"), moves.isOwn("a"), moves.isOwn("a")]
        #expect(answers == [false, true, false])
    }

    @Test("what is forgotten is nobody's")
    func forget() {
        let moves = ExpectedMoves()
        moves.expect("a")
        moves.forget()
        #expect(!moves.isOwn("a"))
    }
}
