// What an administrator gets: the unit is as tight as it claims to be, the manual page can be shown and leaves nothing out.

import Foundation
import Testing

@Suite(.witnessed) struct OperationTests {
    private static let project = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../..").standardizedFileURL

    /// What a file of the project holds.
    private static func text(_ path: String) throws -> String {
        try String(contentsOf: project.appendingPathComponent(path), encoding: .utf8)
    }

    /// Runs a line of the shell, and gives what it says on stderr where it fails or says anything.
    private static func complaints(_ line: String) async throws -> String? {
        let program = try Program(["-c", line], executable: URL(fileURLWithPath: "/bin/sh"))
        let code = try await program.exitCode()
        return code == 0 && program.lines.isEmpty ? nil : "\(code): \(program.lines)"
    }

    @Test(
        "the unit is one, and systemd-analyze gives it less than 2.0",
        .enabled(if: lack(["systemd-analyze"]) == nil, "systemd-analyze is not installed"))
    func unit() async throws {
        let spool = try TestSpool()
        // The executable and the manual page of this machine, which need not have either installed.
        let unit = try Self.text("examples/systemd/sdspool.service")
            .replacing("/usr/local/bin/sdspool", with: Program.executable.path)
            .replacing("Documentation=man:sdspool(1)\n", with: "")
        let file = spool.surroundings.appendingPathComponent("sdspool.service").path
        try Data(unit.utf8).write(to: URL(fileURLWithPath: file))
        #expect(try await Self.complaints("systemd-analyze verify --man=no '\(file)'") == nil)
        let security = "systemd-analyze security --offline=true --threshold=20 --no-pager '\(file)' >&2"
        let program = try Program(["-c", security], executable: URL(fileURLWithPath: "/bin/sh"))
        #expect(try await program.exitCode() == 0, "\(program.lines.last ?? "")")
    }

    @Test(
        "the manual page is shown without a warning",
        .enabled(if: lack(["man", "groff"]) == nil, "man or groff is not installed"))
    func manual() async throws {
        let page = Self.project.appendingPathComponent("examples/man/sdspool.1").path
        #expect(try await Self.complaints("man --warnings -E UTF-8 -l -Tutf8 -Z '\(page)' > /dev/null") == nil)
    }

    @Test("each option of run stands in the manual page and in the README")
    func options() async throws {
        let help = try Program(["run", "--help"])
        #expect(try await help.exitCode() == 0)
        let options = Set(try help.printed().matches(of: /(?m)^  --([a-z-]+)/).map { String($0.output.1) })
        #expect(options.count > 12)
        let (manual, readme) = (try Self.text("examples/man/sdspool.1"), try Self.text("README.md"))
        for option in options.sorted() {
            #expect(manual.contains(try Regex("(?m)^\\.It Fl -\(option)( |$)")), "--\(option) in the manual page")
            #expect(readme.contains(try Regex("(?m)^\\| `--\(option)[ `]")), "--\(option) in the README's table")
        }
    }

    @Test("each command stands in the manual page and in the README")
    func commands() async throws {
        let help = try Program(["--help"])
        #expect(try await help.exitCode() == 0)
        let commands = Set(try help.printed().matches(of: /(?m)^  ([a-z]+)\s/).map { String($0.output.1) })
        #expect(commands.isSuperset(of: ["run", "demo", "submit", "cancel", "hold", "pause", "check", "completion"]))
        let (manual, readme) = (try Self.text("examples/man/sdspool.1"), try Self.text("README.md"))
        for command in commands.sorted() {
            #expect(manual.contains(try Regex("(?m)^\\.Ss \(command)$")), "\(command) in the manual page")
            #expect(readme.contains(try Regex("(`|sdspool )\(command)\\b")), "\(command) in the README")
        }
    }
}
