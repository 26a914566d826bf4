import Linux
import TestSupport
import Testing

@testable import Spool

private func job(_ dropped: String) throws -> String? {
    JobName(dropped: try name(dropped))?.description
}

@Suite struct JobNameTests {
    @Test(
        "a usual name is kept as it is",
        arguments: [
            "cat", "a b", "a.b", "Käse 🧀", "100%", "~", "-x", "cat~", "json", "a.jsonl", "console", "COM0", "lpt10",
            "con-1", "$(reboot)", "a'b;c&d", "cat.2",
        ])
    func kept(stem: String) throws {
        #expect(try job(stem + ".json") == stem)
    }

    @Test(
        "what a share, a shell or a terminal cannot show is escaped",
        arguments: [
            ("a:b?.json", "a%3ab%3f"), ("\"*<>|\\.json", "%22%2a%3c%3e%7c%5c"), ("a\nb\u{1b}[2J.json", "a%0ab%1b[2J"),
            ("\u{7f}.json", "%7f"), ("a..json", "a%2e"), ("a .json", "a%20"), (" a.json", " a"),
        ])
    func escaped(dropped: String, expected: String) throws {
        #expect(try job(dropped) == expected)
    }

    @Test(
        "the names of Windows' devices are escaped, with whatever stands behind a dot",
        arguments: [
            ("con.json", "%63on"), ("CON.json", "%43ON"), ("nul.txt.json", "%6eul.txt"), ("COM1.json", "%43OM1"),
            ("lpt9.a.b.json", "%6cpt9.a.b"), ("Aux.json", "%41ux"), ("prn.json", "%70rn"),
        ])
    func devices(dropped: String, expected: String) throws {
        #expect(try job(dropped) == expected)
    }

    @Test("the suffix counts in any case, and only once", arguments: ["cat.JSON", "cat.Json", "cat.jSoN"])
    func suffix(dropped: String) throws {
        #expect(try job(dropped) == "cat")
        #expect(try job("cat.JSON.json") == "cat%2eJSON")
        #expect(try job("cat.json.json") == "cat%2ejson")
    }

    @Test(
        "hidden files, drafts and all that is not *.json is no job",
        arguments: [
            ".json", ".cat.json", "._cat.json", "..json", ".job.json.XXXXXX", "cat.json~", ".cat.json.swp",
            "cat.json.part", "cat.json.crdownload", "cat.json.tmp", "cat.txt", "json", "xjson", "4913", "sedAbCdEf",
            "tmpab12", "#1234", "cat\u{e}json", ".DS_Store", "desktop.ini", "cat.json ",
        ])
    func noJob(dropped: String) throws {
        #expect(try job(dropped) == nil)
    }

    @Test("a file with a job a line is called by what stands before .jsonl, in any case")
    func lines() throws {
        #expect(try job("cat.jsonl") == "cat")
        #expect(try job("cat.JSONL") == "cat")
        #expect(try job("cat.json.jsonl") == "cat%2ejson")
        #expect(try job(".jsonl") == nil)
        #expect(try job("cat.jsonl~") == nil)
        #expect(try job("cat\u{e}jsonl") == nil)
    }

    @Test(
        "the parts of a batch are numbered, with as many digits as the last needs, three at least",
        arguments: [(1, 1, "cat-001"), (7, 999, "cat-007"), (7, 1000, "cat-0007"), (100_000, 100_000, "cat-100000")])
    func parts(number: Int, count: Int, expected: String) throws {
        let cat = try #require(JobName(dropped: "cat.json"))
        #expect(cat.part(number, of: count).description == expected)
    }

    @Test(
        "the number of a part stays whole where its name is cut, and is read again", arguments: ["a", "ä", "con", "\n"])
    func longParts(word: String) throws {
        for length in [1, 190, 196, 197, 198, 250] {
            let stem = String(String(repeating: word, count: length).prefix(max(1, 250 / word.utf8.count)))
            let job = try #require(
                JobName(dropped: name(stem.utf8.count > 249 ? String(stem.dropLast()) + ".json" : stem + ".json")))
            let parts = [1, 2, 1000].map { job.part($0, of: 1000) }
            #expect(Set(parts).count == 3)
            #expect(parts.map { String($0.description.suffix(5)) } == ["-0001", "-0002", "-1000"])
            for part in parts {
                #expect(part.bytes.count <= JobName.limit)
                #expect(JobName(written: part.bytes) == part)
            }
        }
    }

    @Test("bytes that are not UTF-8 are escaped, and the rest stays")
    func notUTF8() throws {
        let latin1 = try #require(FileName(bytes: [0x4b, 0xe4, 0x73, 0x65] + Array(".json".utf8)))
        #expect(JobName(dropped: latin1)?.description == "K%e4se")
    }

    @Test("two spellings of one letter are two jobs")
    func normalForms() throws {
        let composed = try #require(JobName(dropped: name("\u{e4}.json")))
        let decomposed = try #require(JobName(dropped: name("a\u{308}.json")))
        #expect(composed != decomposed)
        #expect(composed.bytes == [0xc3, 0xa4])
        #expect(decomposed.bytes == [0x61, 0xcc, 0x88])
    }

    @Test("a name that is too long is cut between characters, and two stay two", arguments: ["a", "ä", "猫", "🧀", "\n"])
    func long(character: String) throws {
        let body = String(repeating: character, count: 249 / character.utf8.count)
        let one = try #require(JobName(dropped: name(body + ".json")))
        let other = try #require(JobName(dropped: name("b" + body.dropFirst() + ".json")))
        let tail = try #require(JobName(dropped: name(body.dropLast() + "b.json")))
        #expect(Set([one, other, tail]).count == 3)
        for cut in [one, other, tail] {
            #expect(cut.bytes.count <= JobName.limit)
            #expect(String(validating: cut.bytes, as: UTF8.self) != nil)
            #expect(JobName(written: cut.bytes) == cut)
        }
    }

    @Test("whatever is dropped, its job's name is written once, is read again and fits with all that is put to it")
    func idempotence() throws {
        var random = SeededGenerator()
        let spice = Array("./.json~% :CONcon19\\\u{1b}".utf8)
        for round in 0..<3_000 {
            let stem = (0..<Int.random(in: 1...250, using: &random)).map { _ -> UInt8 in
                switch round % 3 {
                case 0: .random(in: 1...255, using: &random)
                case 1: spice.randomElement(using: &random) ?? 0x61
                default: .random(in: 0x20...0x7e, using: &random)
                }
            }
            guard let file = FileName(bytes: stem + Array(".json".utf8)), file.bytes.first != UInt8(ascii: ".") else {
                continue
            }
            let job = try #require(JobName(dropped: file))
            #expect(JobName(written: job.bytes) == job)
            let ticket = Ticket(priority: 9, arrival: Timestamp(microseconds: 1), name: job)
            let longest = [
                ticket.file, ticket.folder, job.with(suffix: ".99999"), job.with(suffix: "-extra-99999.jpeg"),
            ]
            #expect(longest.allSatisfy { $0.bytes.count <= 255 })
            #expect(Ticket(entry: ticket.file) == ticket)
            #expect(Ticket(entry: ticket.folder) == ticket)
        }
    }

    @Test("what the spool cannot have written is no job's name", arguments: ["", "a:b", "con", "a.json", "a.", ".a"])
    func notWritten(text: String) {
        #expect(JobName(written: Array(text.utf8)) == nil)
    }
}
