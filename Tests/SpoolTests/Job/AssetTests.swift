import Foundation
import Glibc
import Linux
import Testing

@testable import Spool

@Suite struct AssetTests {
    let spool: TestSpool

    init() throws {
        spool = try TestSpool()
        try FileManager.default.createDirectory(
            atPath: "\(spool.path)/assets/people", withIntermediateDirectories: true)
    }

    private func loop(settle: Duration = .seconds(3600)) throws -> IntakeLoop {
        try IntakeLoop(spool, settle: settle)
    }

    private func put(_ text: String, at place: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(spool.path)/assets/\(place)"))
    }

    @Test(
        "a picture's name is a path below assets/, with assets/ before it or not",
        arguments: [
            ("a.png", "assets/a.png"), ("assets/a.png", "assets/a.png"), ("people/ann.png", "assets/people/ann.png"),
            ("assets/assets/a.png", "assets/assets/a.png"), ("...", "assets/..."), ("ä\u{1b}.png", "assets/ä\\x1b.png"),
            ("", nil), ("/a.png", nil), ("../a.png", nil), ("a/../b.png", nil), ("a//b.png", nil), ("./a.png", nil),
            ("a/", nil), ("assets/", nil), ("assets//etc/x.png", nil), ("a\0.png", nil),
        ] as [(String, String?)])
    func names(text: String, expected: String?) {
        #expect((try? AssetName(text))?.description == expected)
    }

    @Test("a job whose pictures are there is accepted at once")
    func ready() throws {
        let loop = try loop()
        try put("x", at: "people/ann.png")
        try spool.drop("a.json", #"{"init_images": ["people/ann.png"]}"#)
        #expect(try loop.outcomes(1).map(words) == ["accepted a"])
    }

    @Test(
        "a job whose picture is not there yet is waited for, and is taken when it comes, in folders that come with it")
    func late() throws {
        let loop = try loop()
        try spool.drop("a.json", #"{"init_images": ["b.png", "new/deep/c.png"]}"#)
        #expect(try loop.settled() == [])
        try put("x", at: "b.png")
        #expect(try loop.settled() == [])
        for folder in ["new", "new/deep"] {
            try FileManager.default.createDirectory(
                atPath: "\(spool.path)/assets/\(folder)", withIntermediateDirectories: false)
            #expect(try loop.settled() == [])
        }
        try put("x", at: "new/deep/c.png")
        #expect(try loop.outcomes(1).map(words) == ["accepted a"])
    }

    @Test("jobs that come together wait for their picture, each of them")
    func together() throws {
        let loop = try loop()
        for name: FileName in ["a.json", "b.json", "c.json", "d.json"] {
            try spool.drop(name, #"{"init_images": ["x.png"]}"#)
        }
        #expect(try loop.settled() == [])
        try put("x", at: "x.png")
        #expect(try loop.outcomes(4).map(words).sorted() == ["accepted a", "accepted b", "accepted c", "accepted d"])
    }

    @Test("a picture that is still being written is waited for")
    func written() throws {
        let loop = try loop()
        let draft = try spool.folders.assets.createFile("a.png")
        try draft.write(Data("half".utf8))
        try #require(try spool.folders.assets.file("a.png").hasWriter == true, "no leases here")
        try spool.drop("a.json", #"{"init_images": ["a.png"]}"#)
        #expect(try loop.settled() == [])
        try draft.write(Data("whole".utf8))
        try draft.close()
        try spool.letGo("a.png", in: spool.folders.assets)
        #expect(try loop.outcomes(1).map(words) == ["accepted a"])
    }

    @Test("a picture that never comes fails the job after a while, by its name")
    func missing() throws {
        let loop = try loop(settle: .milliseconds(50))
        try spool.drop("a.json", #"{"init_images": ["people/bob.png"]}"#)
        let outcomes = try loop.outcomes(1).map(words)
        #expect(outcomes == ["refused a: it needs assets/people/bob.png, which is not there"])
        let error = try spool.object("failed/a/error.json")
        #expect(error["class"] as? String == "missing asset")
        #expect(try spool.text("failed/a/a.json") == #"{"init_images": ["people/bob.png"]}"#)
    }

    @Test("a job does not wait for the picture of another one")
    func others() throws {
        let loop = try loop()
        try spool.drop("a.json", #"{"init_images": ["a.png"]}"#)
        try spool.drop("b.json", "{}")
        #expect(try loop.outcomes(1).map(words) == ["accepted b"])
    }

    @Test("no link, no folder and no device is a picture, and nothing outside of assets/ is")
    func hostile() throws {
        let loop = try loop(settle: .milliseconds(50))
        let path = "\(spool.path)/assets"
        #expect(symlink("/etc/hostname", "\(path)/link.png") == 0)
        #expect(symlink("/etc", "\(path)/etc") == 0)
        #expect(mkfifo("\(path)/fifo.png", 0o666) == 0)
        let names = ["link.png", "assets/etc/hostname", "fifo.png", "assets/people", "/etc/x.png", "../queue/x.png"]
        for (number, picture) in names.enumerated() {
            try spool.drop(name("n\(number).json"), "{\"init_images\": [\"\(picture)\"]}")
        }
        let said = try loop.outcomes(names.count).map(words).sorted()
        #expect(said.count == names.count)
        #expect(said[0] == "refused n0: it needs assets/link.png, which is a symbolic link; links are not followed")
        #expect(said[1] == "refused n1: it needs assets/etc/hostname, which is not there")
        #expect(said[2] == "refused n2: it needs assets/fifo.png, which is no file")
        #expect(said[3] == "refused n3: it needs assets/people, which is no file")
        #expect(said[4].hasPrefix("refused n4: it names the picture \"/etc/x.png\";"))
        #expect(said[5].hasPrefix("refused n5: it names the picture \"../queue/x.png\";"))
    }

    @Test("more pictures than can be held open are an error, one picture many times is one")
    func many() throws {
        #expect(throws: JobFileError.self) { try AssetName.all((0...100).map { "\($0).png" }) }
        #expect(try AssetName.all(Array(repeating: "a.png", count: 1000)).count == 1)
    }
}
