import Testing

@testable import Linux

@Suite struct FileNameTests {
    @Test(
        "the name that an NFS client gives to a file that is removed while it is open is known",
        arguments: [
            (".nfs00000000018c2f5d00000003", true), (".nfs000000000000abcd00000001", true), (".nfs", false),
            (".nfs0000", false), (".nfs00000000018C2F5D00000003", false), (".nfs00000000018c2f5d00000003.json", false),
            ("nfs00000000018c2f5d00000003", false),
        ])
    func sillyRename(text: String, expected: Bool) throws {
        #expect(try #require(FileName(bytes: text.utf8)).isSillyRename == expected)
    }

    @Test("what cannot name an entry is no name", arguments: ["", ".", "..", "a/b", "/", "a\0"])
    func none(text: String) {
        #expect(FileName(bytes: Array(text.utf8)) == nil)
    }

    @Test("names that only look like those are names", arguments: ["...", ".a", "..a", " ", "~", "\n"])
    func some(text: String) {
        #expect(FileName(bytes: Array(text.utf8))?.text == text)
    }

    @Test("names sort by their bytes, as `LC_ALL=C ls` has them")
    func order() {
        let sorted: [FileName] = ["10", "9", "A", "a", "a b", "a.b", "ab", "ä"]
        #expect(sorted.shuffled().sorted() == sorted)
    }

    @Test("two spellings of one letter are two names")
    func normalForms() {
        let composed: FileName = "\u{e4}"
        let decomposed: FileName = "a\u{308}"
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
    }

    @Test("a name that is not UTF-8 keeps its bytes and has no text")
    func bytes() throws {
        let name = try #require(FileName(bytes: [0x61, 0xff]))
        #expect(name.text == nil)
        #expect(name.bytes == [0x61, 0xff])
        #expect(name.description == "a\\xff")
    }

    @Test(
        "nobody's name moves the cursor or fakes a line of the log",
        arguments: [
            ("Käse 🧀", "Käse 🧀"), ("a\nb", "a\\x0ab"), ("\u{1b}[2J", "\\x1b[2J"), ("\u{7f}", "\\x7f"),
            ("\u{9b}2J", "\\xc2\\x9b2J"), ("a\\b", "a\\\\b"), ("a\u{202e}b", "a\\xe2\\x80\\xaeb"),
            ("a\u{2028}b", "a\\xe2\\x80\\xa8b"), ("a\u{2066}b", "a\\xe2\\x81\\xa6b"), ("e\u{301}", "e\u{301}"),
        ])
    func escaped(text: String, expected: String) {
        #expect(escapedForPeople(Array(text.utf8)) == expected)
    }

    @Test("of a name that is not UTF-8 only ASCII is shown as it is")
    func escapedBytes() {
        #expect(escapedForPeople([0x61, 0xc3, 0xa4, 0xff, 0x0a]) == "a\\xc3\\xa4\\xff\\x0a")
    }
}
