import Foundation
import Spool
import Testing

@testable import Daemon

@Suite("A command in an option") struct CommandTests {
    @Test(
        "is divided by blanks, and quotes keep words together; nothing else has a meaning",
        arguments: [
            ("notify", ["notify"]), ("  notify   a\tb ", ["notify", "a", "b"]),
            (#"notify "two words" 'and "three" more'"#, ["notify", "two words", #"and "three" more"#]),
            (#"a --x="b c"d"#, ["a", "--x=b cd"]), (#"a """#, ["a", ""]), ("", []), ("  ", []),
            (#"a $(touch x) $HOME * | ; \n"#, ["a", "$(touch", "x)", "$HOME", "*", "|", ";", #"\n"#]),
        ])
    func words(text: String, words: [String]) throws {
        #expect(try Command.words(of: text) == words)
    }

    @Test("with a quote that is never closed is none", arguments: [#"a "b"#, "a 'b", #"a "b' "#])
    func open(text: String) {
        #expect(throws: Command.Mistake.self) { try Command.words(of: text) }
    }

    @Test("is found by its path or by its name, and must be a program")
    func find() throws {
        #expect(try Command("true x", search: "/nowhere:/bin:/usr/bin").path.hasSuffix("bin/true"))
        #expect(try Command("/bin/true", search: "").path == "/bin/true")
        for (text, isMissing) in [
            ("", false), ("''", false), ("nobody-has-this", true), ("/etc/passwd", true), ("/", true),
        ] {
            let mistake = #expect(throws: Command.Mistake.self) { try Command(text, search: "/bin:/usr/bin") }
            #expect(mistake?.isMissing == isMissing, "\(text)")
        }
    }
}

@Suite("What a program is told") struct CallTests {
    private let ticket = try? JobQueueTests.ticket(5, 10, "cat")

    @Test("a result, an error, and a file that is no job, each with its folder as it is on the disk")
    func events() throws {
        let ticket = try #require(ticket)
        let done = try #require(
            HookCall(.done(ticket, path: "/s/done/cat.2", pictures: 1, seconds: 1, warnings: []), spool: "/s"))
        #expect(done.hook == .done)
        #expect(
            done.variables == [
                "SDSPOOL_STATUS": "done", "SDSPOOL_TICKET": "\(ticket)", "SDSPOOL_NAME": "cat",
                "SDSPOOL_FOLDER": "/s/done/cat.2", "SDSPOOL_SPOOL": "/s",
            ])
        let failed = try #require(HookCall(.failed(ticket, "no", path: "/s/failed/cat"), spool: "/s"))
        #expect(failed.hook == .failed && failed.variables["SDSPOOL_STATUS"] == "failed")
        #expect(HookCall(.accepted(ticket), spool: "/s") == nil)
        #expect(HookCall.idle(spool: "/s").variables == ["SDSPOOL_STATUS": "idle", "SDSPOOL_SPOOL": "/s"])
    }

    @Test("a name that a log shows otherwise is told as it is")
    func raw() throws {
        let name = "a\u{202e}b"
        let ticket = try JobQueueTests.ticket(5, 10, name)
        let shown = "/s/done/\(ticket.name).2"
        #expect(shown.contains(#"\x"#))
        let call = try #require(HookCall(.failed(ticket, "no", path: shown), spool: "/s"))
        #expect(call.variables["SDSPOOL_FOLDER"] == "/s/done/\(name).2")
        #expect(call.variables["SDSPOOL_TICKET"]?.hasSuffix(".\(name)") == true)
    }

    @Test("its environment is the daemon's own without what only the daemon is to have")
    func environment() {
        let own = [
            "PATH": "/bin", "NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "1", "SDSPOOL_TICKET": "old",
            "SDSPOOL_SERVER": "http://me:secret@gpu:7860",
        ]
        #expect(
            HookCall.idle(spool: "/s").environment(from: own) == [
                "PATH": "/bin", "SDSPOOL_SERVER": "http://gpu:7860", "SDSPOOL_STATUS": "idle", "SDSPOOL_SPOOL": "/s",
            ])
    }
}
