// sdspool check, and what the command line says to slips of the pen.

import Foundation
import StandIn
import TestSupport
import Testing

@Suite(.witnessed) struct CheckTests {
    @Test("a job file is told where it would go, and which of its keys would be ignored")
    func check() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let files = [
            ("good", #"{"prompt": "x", "steps": 20, "sdspool": {"priority": 2}}"#),
            ("slip", #"{"prompt": "x", "step": 20, "sampler": "Euler", "zzzzzzzz": 1}"#),
            ("asset", #"{"init_images": ["a.png"], "mask": "in/b.png"}"#), ("outside", #"{"image": "/a.png"}"#),
            ("comma", #"{"prompt": "x",}"#), ("body", #"{"x": 1, "sdspool": {"method": "GET"}}"#),
            ("path", #"{"sdspool": {"endpoint": "/sdapi/v1/sd-model"}}"#),
            ("question", #"{"sdspool": {"endpoint": "/sdapi/v1/sd-models?x=1"}}"#),
        ]
        for (name, text) in files { try Data(text.utf8).write(to: spool.path("\(name).json")) }
        let program = try Program(
            ["check", "--server", standIn.url] + files.map { "\($0.0).json" }, in: spool.url)
        #expect(try await program.exitCode() == 65)
        let said = try program.printed().split(separator: "\n").map(String.init)
        #expect(
            said == [
                "good.json: POST /sdapi/v1/txt2img, priority 2",
                "slip.json: POST /sdapi/v1/txt2img, priority 5",
                #"slip.json: warning: A1111 does not know "sampler" and would ignore it; did you mean "sampler_index" or "sampler_name"?"#,
                #"slip.json: warning: A1111 does not know "step" and would ignore it; did you mean "steps"?"#,
                #"slip.json: warning: A1111 does not know "zzzzzzzz" and would ignore it"#,
                "asset.json: POST /sdapi/v1/img2img, priority 5, needs assets/a.png, assets/in/b.png",
                "question.json: GET /sdapi/v1/sd-models?x=1, priority 5",
            ])
        try await program.says(
            "outside.json: it names the picture \"/a.png\"; a picture's name is a path below assets/")
        try await program.says("body.json: a GET has no body")
        try await program.says("comma.json: not JSON: line 1, column 16")
        try await program.says("path.json: the server has no /sdapi/v1/sd-model; did you mean /sdapi/v1/sd-models")
        await standIn.stop()
    }

    @Test("without a server a file is checked all the same")
    func alone() async throws {
        let gone = try ReservedPort()
        let spool = try TestSpool()
        try Data(smallJob().utf8).write(to: spool.path("a.json"))
        let program = try Program(["check", "--server", gone.url, spool.path("a.json").path])
        #expect(try await program.exitCode() == 0)
        #expect(try program.printed().hasSuffix("a.json: POST /sdapi/v1/txt2img, priority 5\n"))
    }

    @Test(
        "a file that cannot be read is another thing than one that is no job; the first of them decides the exit code")
    func unreadable() async throws {
        let spool = try TestSpool()
        try Data("{".utf8).write(to: spool.path("bad.json"))
        try Data(smallJob().utf8).write(to: spool.path("good.json"))
        for (files, code) in [
            (["gone.json"], 66), (["inbox"], 66), (["good.json", "gone.json", "bad.json"], 66),
            (["bad.json", "gone.json"], 65),
        ] as [([String], Int32)] {
            let program = try Program(["check", "--server", "nowhere"] + files, in: spool.url)
            #expect(try await program.exitCode() == code, "\(files)")
            if code == 66 {
                try await program.says("it cannot be read: \(files == ["inbox"] ? "Is a directory" : "No such file")")
            }
        }
    }

    @Test(
        "wrong usage names what was meant, and exits 64",
        arguments: [
            (["rum"], "did you mean run?"), (["run", "--sever", "x"], "did you mean --server?"),
            (["run", "--settle"], "needs a value"), (["run", "--settle", "soon"], "a number of seconds"),
            (["run", "--server", "ftp://x"], "takes http[s]://"),
            (["run", "--server", "http://u:secret@"], "no such URL"),
            (["check"], "name a job file"), ([], "usage:"), (["run", "what"], "what is"),
        ])
    func usage(words: [String], expected: String) async throws {
        let program = try Program(words)
        #expect(try await program.exitCode() == 64)
        try await program.says(expected)
        #expect(program.lines.allSatisfy { !$0.contains("secret") })
    }

    @Test("help goes to stdout", arguments: [["--help"], ["run", "--help"], ["demo", "-h"], ["check", "--help"]])
    func help(words: [String]) async throws {
        let program = try Program(words)
        #expect(try await program.exitCode() == 0)
        #expect(try program.printed().contains("usage: sdspool"))
    }
}
