import Linux
import TestSupport
import Testing

@testable import Spool
@testable import Linux

/// `created a` and the like, in the words of inotify(7).
private func events(_ lines: [String]) throws -> [Inotify.Event] {
    let kinds: [String: Inotify.Kind] = [
        "CREATE": .created, "CLOSE_WRITE": .written, "MOVED_TO": .movedIn, "ATTRIB": .attributes,
        "MODIFY": Inotify.Kind(rawValue: 2), "DELETE": .deleted, "MOVED_FROM": .movedOut,
        "ISDIR_CREATE": [.created, .directory], "ISDIR_MOVED_TO": [.movedIn, .directory],
    ]
    return try lines.map { line in
        let parts = line.split(separator: " ")
        let kind = try #require(kinds[String(parts[0])])
        let name = parts.count > 1 ? try name(String(parts[1])) : nil
        return Inotify.Event(watch: Inotify.Watch(number: 1), kind: kind, name: name)
    }
}

/// Ways in which files arrive: what is told, what is whole and in which order, what is looked at a little later.
private let ways: [(told: [String], whole: [String], appeared: [String])] = [
    // A shell's `>`, cp, curl.
    (["CREATE a", "MODIFY a", "MODIFY a", "CLOSE_WRITE a"], ["a"], []),
    // cp -p, unzip, touch: an attribute before or behind the close.
    (["CREATE a", "ATTRIB a", "CLOSE_WRITE a"], ["a"], []),
    (["CREATE a", "CLOSE_WRITE a", "ATTRIB a"], ["a"], []),
    (["ATTRIB a", "CLOSE_WRITE a"], ["a"], []),
    // mv within the filesystem.
    (["MOVED_TO a"], ["a"], []),
    // A temporary file, hidden or not, then renamed.
    (["CREATE t", "CLOSE_WRITE t", "MOVED_FROM t", "MOVED_TO a"], ["t", "a"], []),
    // A hard link; a link to an O_TMPFILE whose close is told under the name #inode.
    (["CREATE a"], [], ["a"]),
    (["CREATE a", "CLOSE_WRITE #12"], ["#12"], ["a"]),
    // Several rounds of open, append, close: the last one counts.
    (["CREATE a", "CLOSE_WRITE a", "CREATE b", "CLOSE_WRITE b", "MODIFY a", "CLOSE_WRITE a"], ["b", "a"], []),
    // chmod alone.
    (["ATTRIB a"], [], ["a"]),
    // Still being written.
    (["CREATE a", "MODIFY a"], [], ["a"]),
    (["MODIFY a"], [], []),
    // Two writers at once, closing in the order in which they began, and in the other one.
    (["CREATE a", "CREATE b", "CLOSE_WRITE a", "CLOSE_WRITE b"], ["a", "b"], []),
    (["CREATE a", "CREATE b", "CLOSE_WRITE b", "CLOSE_WRITE a"], ["b", "a"], []),
    // A file and one moved in before it was closed.
    (["CREATE a", "MOVED_TO b", "CLOSE_WRITE a"], ["b", "a"], []),
    // What only appeared keeps its order, too, and is told once.
    (["CREATE c", "CREATE a", "ATTRIB c", "CREATE b", "CLOSE_WRITE a"], ["a"], ["c", "b"]),
    // Folders are no files.
    (["ISDIR_CREATE d", "ISDIR_MOVED_TO e"], [], []),
    // What is told of the inbox itself has no name.
    (["ATTRIB"], [], []),
    // A file that was moved in and that somebody (a child process before its exec) closes later.
    (["MOVED_TO a", "MOVED_TO b", "CLOSE_WRITE a"], ["a", "b"], []),
    (["CLOSE_WRITE a", "MOVED_TO b", "MOVED_TO a"], ["b", "a"], []),
    // An exchange of two names.
    (["MOVED_FROM a", "MOVED_TO b", "MOVED_FROM b", "MOVED_TO a"], ["b", "a"], []),
    ([], [], []),
]

@Suite struct ArrivalOrderTests {
    @Test("a file's place is where it was last closed or moved here", arguments: ways)
    func order(told: [String], whole: [String], appeared: [String]) throws {
        let order = ArrivalOrder(try events(told))
        #expect(order.whole.map(\.description) == whole)
        #expect(order.appeared.map(\.description) == appeared)
    }

    @Test("interleaved writers come out in the order of their closes")
    func interleaved() throws {
        var random = SeededGenerator()
        let files = (0..<300).map { "\($0)" }
        let closes = files.shuffled(using: &random)
        // Each file is created anywhere before its close.
        var told = closes.map { "CLOSE_WRITE \($0)" }
        for file in files.shuffled(using: &random) {
            let close = try #require(told.firstIndex(of: "CLOSE_WRITE \(file)"))
            told.insert("CREATE \(file)", at: .random(in: 0...close, using: &random))
        }
        let order = ArrivalOrder(try events(told))
        #expect(order.whole.map(\.description) == closes)
        #expect(order.appeared.isEmpty)
    }
}
