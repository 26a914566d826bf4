import Foundation
import Testing

@testable import A1111

@Suite("The pictures of a reply")
struct PictureClassificationTests {
    /// What is in the place of a picture: a text that rides in it (a PNG), none (`_`), or no picture at all (`!`).
    static func facts(_ shapes: [String]) -> [PictureFacts] {
        shapes.map { PictureFacts(isPicture: $0 != "!", infotext: ["_", "!"].contains($0) ? nil : $0) }
    }

    static func info(_ grids: Int?, _ texts: [String]?, seeds: [Int64]? = nil, subseeds: [Int64]? = nil) -> ReplyInfo {
        ReplyInfo(index_of_first_image: grids, infotexts: texts, all_seeds: seeds, all_subseeds: subseeds)
    }

    static let cases: [(String, [String], ReplyInfo, files: [String], texts: [String?])] = [
        ("one picture", ["a"], info(0, ["a"]), ["cat-1.x"], ["a"]),
        (
            "four pictures", ["a", "b", "c", "d"], info(0, ["a", "b", "c", "d"]),
            ["cat-1.x", "cat-2.x", "cat-3.x", "cat-4.x"],
            ["a", "b", "c", "d"]
        ),
        (
            "a grid before four", ["g", "a", "b", "c", "d"], info(1, ["g", "a", "b", "c", "d"]),
            ["cat-grid.x", "cat-1.x", "cat-2.x", "cat-3.x", "cat-4.x"], ["g", "a", "b", "c", "d"]
        ),
        (
            "several grids, whose texts do not ride in them", ["_", "_", "_", "a", "b"],
            info(3, ["g", "h", "i", "a", "b"]),
            ["cat-grid.x", "cat-grid-2.x", "cat-grid-3.x", "cat-1.x", "cat-2.x"], ["g", "h", "i", "a", "b"]
        ),
        (
            "a prompt matrix", ["_", "a", "b", "c", "d"], info(1, ["a", "a", "b", "c", "d"]),
            ["cat-grid.x", "cat-1.x", "cat-2.x", "cat-3.x", "cat-4.x"], ["a", "a", "b", "c", "d"]
        ),
        (
            "ControlNet's maps behind", ["a", "b", "_", "_"], info(0, ["a", "b"]),
            ["cat-1.x", "cat-2.x", "cat-extra-1.x", "cat-extra-2.x"], ["a", "b", nil, nil]
        ),
        (
            "masks between", ["a", "_", "_", "b", "_", "_"], info(0, ["a", "b"]),
            ["cat-1.x", "cat-extra-1.x", "cat-extra-2.x", "cat-2.x", "cat-extra-3.x", "cat-extra-4.x"],
            ["a", nil, nil, "b", nil, nil]
        ),
        (
            "a grid, a mask and a map", ["g", "a", "_", "b", "_"], info(1, ["g", "a", "b"]),
            ["cat-grid.x", "cat-1.x", "cat-extra-1.x", "cat-2.x", "cat-extra-2.x"], ["g", "a", nil, "b", nil]
        ),
        ("an extension's text behind", ["a", "!"], info(0, ["a"]), ["cat-1.x", "cat-extra-1.x"], ["a", nil]),
        ("a JPEG, whose text is hidden", ["_"], info(0, ["a"]), ["cat-1.x"], ["a"]),
        (
            "JPEGs with a grid and a map", ["_", "_", "_", "_"], info(1, ["g", "a", "b"]),
            ["cat-grid.x", "cat-1.x", "cat-2.x", "cat-extra-1.x"], ["g", "a", "b", nil]
        ),
        ("an upscaler's, without any texts", ["_", "_"], info(nil, nil), ["cat-1.x", "cat-2.x"], [nil, nil]),
        ("an upscaler's, with the text of its source", ["p"], info(nil, nil), ["cat-1.x"], ["p"]),
        ("another server's, without infotexts", ["_", "_"], info(0, []), ["cat-1.x", "cat-2.x"], [nil, nil]),
        ("none", [], info(0, ["a"]), [], []),
        ("fewer than there are grids", ["g"], info(5, ["g", "a"]), ["cat-grid.x"], ["g"]),
        ("a nonsensical index", ["a"], info(-3, ["a"]), ["cat-1.x"], ["a"]),
        (
            "interrupted: a grid and two of four", ["g", "a", "b"], info(1, ["g", "a", "b"]),
            ["cat-grid.x", "cat-1.x", "cat-2.x"], ["g", "a", "b"]
        ),
        ("one that is due and is none", ["a", "!"], info(0, ["a", "b"]), ["cat-1.x", "cat-2.x"], ["a", "b"]),
    ]

    @Test("are told apart by their texts, or else by their counts", arguments: cases)
    func arranged(name: String, shapes: [String], info: ReplyInfo, files: [String], texts: [String?]) {
        let arranged = arrange(Self.facts(shapes), info: info)
        #expect(arranged.map { $0.fileName(job: "cat", suffix: "x") } == files, "\(name)")
        #expect(arranged.map(\.infotext) == texts, "\(name)")
    }

    @Test("are told apart in no time, however many they are and however much is said of them", .timeLimit(.minutes(60)))
    func many() {
        let texts = Array(repeating: "a", count: 1_000_000)
        let arranged = arrange(Self.facts(Array(repeating: "_", count: 1000)), info: Self.info(0, texts))
        #expect(arranged.allSatisfy { $0.infotext == "a" })
    }

    @Test("have the seeds of their number, and grids and extras none")
    func seeds() {
        let info = Self.info(1, ["g", "a", "b"], seeds: [42, 9_007_199_254_740_993], subseeds: [7])
        let arranged = arrange(Self.facts(["g", "a", "_", "b"]), info: info)
        #expect(arranged.map(\.seed) == [nil, 42, nil, 9_007_199_254_740_993])
        #expect(arranged.map(\.subseed) == [nil, 7, nil, nil])
        #expect(arranged.map(\.kind) == [.grid, .picture, .extra, .picture])
        #expect(arranged.map(\.number) == [1, 1, 1, 2])
    }

    static let judged: [([String], ReplyInfo, wants: Bool, words: String?)] = [
        (["a"], info(0, ["a"]), true, nil), (["_"], info(nil, nil), true, nil),
        (["a", "!"], info(0, ["a"]), true, nil),
        ([], info(0, ["a"]), true, "sent no picture"), ([], info(0, ["a"]), false, nil),
        (["!"], info(0, ["a"]), true, "element 1 of its pictures is no PNG"),
        (["!"], info(0, ["a"]), false, "element 1 of its pictures is no PNG"),
        (["a", "!"], info(0, ["a", "b"]), true, "element 2 of its pictures is no PNG"),
        (["!", "b"], info(0, ["a", "b"]), true, "element 1 of its pictures is no PNG"),
        (["_", "!"], info(0, ["a", "b"]), true, "element 2 of its pictures is no PNG"),
    ]

    @Test("are missed where they are due", arguments: judged)
    func judgement(shapes: [String], info: ReplyInfo, wants: Bool, words: String?) throws {
        let facts = Self.facts(shapes)
        let arranged = arrange(facts, info: info)
        let failure = failure(
            of: arranged, facts: facts, object: try .init(Data("{}".utf8)), service: .txt2img, wantsPictures: wants)
        #expect(failure?.class == (words == nil ? nil : .wrongResult))
        if let words { #expect(failure?.message.contains(words) == true) }
    }

    @Test("come in an object")
    func object() {
        #expect(failure(of: [], facts: [], object: nil, service: .txt2img, wantsPictures: false)?.class == .unclear)
    }
}
