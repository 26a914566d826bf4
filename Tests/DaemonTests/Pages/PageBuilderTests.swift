import Foundation
import Linux
import Page
import Spool
import Testing

@testable import Daemon

/// A spool with results that nobody has rendered.
@Suite final class PageBuilderTests {
    private let path = FileManager.default.temporaryDirectory.path + "/sdspool-page-\(UUID())"
    private let folders: Spool
    private var count = 0

    init() throws { folders = try Spool(path: path) }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Puts a folder into done/ or failed/, with a document in it.
    /// Whole, as a daemon does: the folder never is older than what lies in it.
    private func put(_ name: String, in folder: String = "done", _ document: String = #"{"images": []}"#) throws {
        let stage = URL(fileURLWithPath: "\(path)/active/\(name)")
        try FileManager.default.createDirectory(at: stage, withIntermediateDirectories: false)
        let file = stage.appendingPathComponent(folder == "done" ? "result.json" : "error.json")
        try Data(document.utf8).write(to: file)
        // Each a time of its own, whatever the filesystem's clock says.
        count += 1
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1_262_304_000 + Double(count))], ofItemAtPath: file.path)
        try FileManager.default.moveItem(at: stage, to: URL(fileURLWithPath: "\(path)/\(folder)/\(name)"))
    }

    /// Writes until nothing is left to do; how often that took.
    @discardableResult
    private func write(_ maker: inout PageBuilder, _ news: PageBuilder.Changes = .init(), isLast: Bool = false)
        async throws
        -> Int
    {
        maker.record(news)
        var count = 1
        while let delay = try maker.write(.init(), queue: ([], 0), isLast: isLast) {
            try await Task.sleep(for: delay)
            count += 1
        }
        return count
    }

    private func text(_ file: String) throws -> String {
        try String(contentsOfFile: "\(path)/\(file)", encoding: .utf8)
    }

    private func pages() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(path)/pages").filter { $0 != "now.html" }.sorted()
    }

    /// The results on a page, in the order in which they stand there.
    private func shown(_ file: String) throws -> [String] {
        try text(file).components(separatedBy: #"<h3 dir="auto">"#).dropFirst().map { part in
            String(part.prefix { $0 != "<" })
        }
    }

    @Test("of many results the sheet shows the newest, and pages the others, each once, also in a next life")
    func many() async throws {
        let names = (1000..<1650).map { "cat-\($0)" }
        for name in names { try put(name) }
        var maker = PageBuilder(folders)
        try await write(&maker)
        let sheet = try shown("index.html")
        #expect((Archive.size..<ResultIndex.full).contains(sheet.count))
        #expect(sheet.first == names.last)
        let pages = try pages()
        #expect(pages.count >= 4 && pages.first == "00001.html")
        #expect(try text("index.html").contains(#"href="pages/\#(pages[pages.count - 1])""#))
        var all = try pages.flatMap { try shown("pages/\($0)").reversed() }
        all += sheet.reversed()
        #expect(all.sorted() == names)
        #expect(try text("pages/00001.html").contains(#"<a href="00002.html" rel="prev">Newer</a>"#))
        #expect(try text("pages/00002.html").contains(#"<a href="00001.html" rel="next">Older</a>"#))

        var next = PageBuilder(folders)
        try await write(&next)
        #expect(try shown("index.html") == sheet)
        #expect(try self.pages() == pages)
    }

    @Test("a page that was cut short, or that somebody has made, is written anew")
    func broken() async throws {
        for number in 0..<250 { try put("cat-\(number)") }
        try FileManager.default.createDirectory(atPath: "\(path)/pages", withIntermediateDirectories: false)
        let future = Archive(number: 1, through: Timestamp(microseconds: 253_000_000_000_000_000), results: []).document
        for page in [Data(), Data("hello".utf8), future, future.dropLast(9)] {
            try page.write(to: URL(fileURLWithPath: "\(path)/pages/00001.html"))
            var maker = PageBuilder(folders)
            try await write(&maker)
            #expect(try shown("pages/00001.html").count >= Archive.size)
        }
    }

    @Test("what comes is shown first, what is deleted no more, and a name that comes again once")
    func news() async throws {
        for name in ["a", "b", "c"] { try put(name) }
        var maker = PageBuilder(folders)
        try await write(&maker)
        #expect(try Set(shown("index.html")) == ["a", "b", "c"])
        try put("d")
        try FileManager.default.removeItem(atPath: "\(path)/done/b")
        try await write(&maker, .init(done: ["d", "a"]), isLast: true)
        #expect(try shown("index.html") == ["a", "d", "c"])
    }

    @Test("the newest failures are shown, and no more of them than can be read")
    func failures() async throws {
        for number in 0..<60 { try put("cat-\(number)", in: "failed", #"{"message": "no <room>"}"#) }
        var maker = PageBuilder(folders)
        try await write(&maker)
        try put("last", in: "failed", #"{"class": "permanent", "message": "it burns"}"#)
        try await write(&maker, .init(failed: ["last"]), isLast: true)
        let shown = try shown("index.html")
        #expect(shown.count == 50 && shown.first == "last")
        let sheet = try text("index.html")
        #expect(sheet.contains("it burns") && sheet.contains("no &lt;room&gt;"))
    }

    @Test("where nothing has changed nothing is written")
    func quiet() async throws {
        try put("a")
        var maker = PageBuilder(folders)
        try await write(&maker)
        func inodes() throws -> [UInt64] {
            let pages = try folders.root.directory("pages")
            return try [folders.root.status(of: "index.html"), pages.status(of: "now.html")].compactMap { $0?.inode }
        }
        let before = try inodes()
        #expect(before.count == 2)
        try await write(&maker)
        try await write(&maker, isLast: true)
        #expect(try inodes() == before)
    }

    @Test("what is no result is not shown, and keeps nobody from showing the others")
    func strangers() async throws {
        try put("a")
        let done = "\(path)/done"
        try Data().write(to: URL(fileURLWithPath: "\(done)/file"))
        try FileManager.default.createDirectory(atPath: "\(done)/empty", withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(atPath: "\(done)/link", withDestinationPath: "/etc")
        try FileManager.default.createDirectory(atPath: "\(done)/loop", withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(
            atPath: "\(done)/loop/result.json", withDestinationPath: "/etc/passwd")
        try FileManager.default.createDirectory(atPath: "\(done)/folder/result.json", withIntermediateDirectories: true)
        let bytes = try #require(FileName(bytes: [0xff, 0x3c]))
        try folders.done.makeDirectory(bytes)
        var maker = PageBuilder(folders)
        try await write(&maker)
        #expect(try shown("index.html") == ["a"])
    }

    @Test("a folder is known by the path that an event tells, whatever was escaped in it")
    func paths() throws {
        for text in ["cat", "cat.2", "a\u{202e}b", "50%", "猫"] {
            let file = try #require(FileName(bytes: Array("\(text).json".utf8)))
            let name = try #require(JobName(dropped: file))
            for suffix in ["", ".2", ".17"] {
                let folder = name.with(suffix: suffix)
                #expect(Results(folders).folder(of: name, at: folders.done.path(of: folder), .done) == folder)
            }
            #expect(Results(folders).folder(of: name, at: "/elsewhere/cat", .done) == nil)
        }
    }
}
