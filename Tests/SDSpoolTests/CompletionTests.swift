// What a shell completes, asked of the shells themselves. Names in a spool are somebody else's: no shell runs them.

import Foundation
import Testing

@Suite(.witnessed) struct CompletionTests {
    /// Names that would like to be commands, and such as are merely awkward.
    private static let names = [
        "dog", "red cat", "$(touch${IFS}RUN)", "`touch RUN`", "a;touch RUN", "$(touch RUN)\nb", "'; touch RUN; '", "*",
    ]

    /// As they come in lines.
    private static let lines = names.joined(separator: "\n").split(separator: "\n").map(String.init).sorted()

    /// A spool in which jobs wait, and have failed, under such names.
    private func spool(_ names: [String] = names) throws -> TestSpool {
        let spool = try TestSpool()
        try spool.makeFolders()
        for (number, name) in names.enumerated() {
            try Data("{}".utf8).write(to: spool.path("queue/5-20260101T000000.00000\(number)Z.\(name).json"))
            try FileManager.default.createDirectory(
                at: spool.path("failed/\(name)"), withIntermediateDirectories: true)
        }
        return spool
    }

    /// What a shell prints of a script, in an empty folder; nothing else may come into that.
    private func run(
        _ shell: String, _ words: [String], _ script: String, _ more: [String] = [], in spool: TestSpool
    ) async throws -> [String] {
        let folder = spool.path("empty")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let program = try Program(
            words + ["-c", script, Program.executable.path] + more, executable: URL(fileURLWithPath: shell),
            environment: ["SDSPOOL_DIR": spool.url.path, "SDSPOOL": Program.executable.path], in: folder)
        #expect(try await program.exitCode() == 0, "\(program.lines)")
        #expect(spool.list("empty").isEmpty, "\(shell) has run a name: \(program.lines)")
        return try program.printed().split(separator: "\n").map(String.init)
    }

    /// What bash puts into the line for the last of `words`.
    private func bash(_ words: String..., in spool: TestSpool) async throws -> [String] {
        let script = #"""
            eval "$("$0" completion bash)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sdspool
            printf '%s\n' "${COMPREPLY[@]}"
            """#
        return try await run("/bin/bash", [], script, ["sdspool"] + words, in: spool)
    }

    @Test("bash completes commands, options and names of jobs", .enabled(if: lack(["bash"]) == nil))
    func words() async throws {
        let spool = try spool(["red cat", "dog"])
        #expect(try await bash("s", in: spool) == ["submit", "status"])
        #expect(try await bash("submit", "--w", in: spool) == ["--wait", "--width"])
        #expect(try await bash("cancel", "d", in: spool) == ["dog"])
        #expect(try await bash("cancel", "r", in: spool) == [#"red\ cat"#], "one word, however it is spelled")
        #expect(try await bash("cancel", #"red\ "#, in: spool) == [#"red\ cat"#])
        #expect(try await bash("retry", "", in: spool) == ["dog", #"red\ cat"#])
        #expect(try await bash("completion", "", in: spool) == ["bash", "zsh", "fish"])
    }

    @Test(
        "bash runs no name: what it puts into the line means the name and nothing else",
        .enabled(if: lack(["bash"]) == nil))
    func hostile() async throws {
        let spool = try spool()
        for command in ["cancel", "retry"] {
            let offered = try await bash(command, "", in: spool)
            // As a line that is entered would read them.
            let read = try await run("/bin/bash", [], #"eval "printf '%s\n' $*""#, offered, in: spool)
            #expect(read.sorted() == Self.lines, "\(command)")
        }
    }

    @Test(
        "TAB in a terminal runs neither the name of a job nor that of a file, and neither does the line behind it",
        .enabled(if: lack(["bash", "script"]) == nil))
    func terminal() async throws {
        let spool = try spool(["$(touch${IFS}RUN)"])
        try Data("{}".utf8).write(to: spool.path("file $(touch RUN).json"))
        // Typed ahead: the terminal keeps it until bash asks.
        let typed = spool.surroundings.appendingPathComponent("typed")
        try Data(
            #"""
            unset HISTFILE; eval "$("$SDSPOOL" completion bash)"; sdspool() { printf '<%s>\n' "$@" >>"$SDSPOOL_DIR/../read"; }
            sdspool cancel \#t
            sdspool cancel \$\#t
            sdspool check ../fi\#t
            sdspool run --credentials ../fi\#t
            sdspool status --spool ../fail\#t
            exit

            """#.utf8
        ).write(to: typed)
        _ = try await run(
            "/bin/sh", [], #"script -qec 'bash --norc --noprofile -i' /dev/null <"$1""#, [typed.path], in: spool)
        let read = try String(contentsOf: spool.surroundings.appendingPathComponent("read"), encoding: .utf8)
        let (job, file) = ("<$(touch${IFS}RUN)>", "<../file $(touch RUN).json>")
        #expect(
            read.split(separator: "\n").map(String.init) == [
                "<cancel>", job, "<cancel>", job, "<check>", file, "<run>", "<--credentials>", file, "<status>",
                "<--spool>", "<../failed/>",
            ])
    }

    @Test("zsh runs no name", .enabled(if: lack(["zsh"]) == nil))
    func zsh() async throws {
        let spool = try spool()
        let script = #"""
            compadd() { shift; print -rl -- "$@"; }
            eval "_sdspool() { $("$0" completion zsh); }"
            words=(sdspool $1 ''); CURRENT=3; PREFIX=; _sdspool
            """#
        for command in ["cancel", "retry"] {
            let offered = try await run("/bin/zsh", ["-f"], script, [command], in: spool)
            #expect(offered.sorted() == Self.lines, "\(command)")
        }
    }

    @Test("fish runs no name", .enabled(if: lack(["fish"]) == nil))
    func fish() async throws {
        let spool = try spool()
        for command in ["cancel", "retry"] {
            let offered = try await run(
                "/usr/bin/fish", ["--no-config"],
                "$SDSPOOL completion fish | source; complete -C 'sdspool \(command) '", in: spool)
            let lines = Set(offered)
            #expect(
                lines.isSuperset(of: ["dog", "red cat", "$(touch${IFS}RUN)", "`touch RUN`"]), "\(command): \(lines)")
        }
    }

    @Test("zsh and fish can read their scripts", arguments: [("zsh", "-n"), ("fish", "--no-execute")])
    func readable(shell: String, option: String) async throws {
        guard lack([shell]) == nil else { return }
        let spool = try TestSpool()
        let script = try Program(["completion", shell])
        #expect(try await script.exitCode() == 0)
        let file = spool.surroundings.appendingPathComponent(shell)
        try Data(try script.printed().utf8).write(to: file)
        let check = try Program([option, file.path], executable: URL(fileURLWithPath: "/usr/bin/\(shell)"))
        #expect(try await check.exitCode() == 0, "\(check.lines)")
    }
}
