// All commands, once: what is dispatched, what a misspelled word is near to, and what a shell completes.

/// One word behind `sdspool`.
struct Subcommand: Sendable {
    /// What stands behind its options.
    enum Operands: Sendable {
        case none, files, jobs, results, shells
    }

    let name: String
    /// In a few words.
    let summary: String
    /// Those with a value.
    var options: Set<String> = ["--spool"]
    /// Those without.
    var flags: Set<String> = []
    let operands: Operands
    let run: @Sendable ([String]) async throws -> Void

    static let all = [
        Subcommand(
            name: "run",
            summary: "serve a spool: watch DIR/inbox, render at AUTOMATIC1111 servers, publish in DIR/done",
            options: Run.options, flags: Run.flags, operands: .none, run: { try await Run.main($0) }),
        Subcommand(
            name: "demo", summary: "show it with a stand-in server that draws test cards: no GPU, ends by itself",
            operands: .files, run: { try await Demo.main($0) }),
        Subcommand(
            name: "submit", summary: "drop jobs and print their tickets; --wait prints the pictures' paths",
            options: Submit.options, flags: Submit.flags, operands: .files, run: { try Submit.main($0) }),
        Subcommand(
            name: "status", summary: "what is rendered, what waits and why, what failed; --watch, --json",
            flags: StatusCommand.flags, operands: .none, run: { try StatusCommand.main($0) }),
        Subcommand(name: "wait", summary: "until jobs have ended", operands: .jobs, run: { try Wait.main($0) }),
        Subcommand(
            name: "why", summary: "why a file or a job is where it is", operands: .files, run: { try Why.main($0) }),
        Subcommand(
            name: "cancel", summary: "take jobs away that wait, and stop one that is being rendered", operands: .jobs,
            run: { try Cancel.main($0) }),
        Subcommand(name: "hold", summary: "park jobs that wait", operands: .jobs, run: { try Hold.main($0) }),
        Subcommand(
            name: "release", summary: "let them go on in their old places", operands: .jobs,
            run: { try Release.main($0) }),
        Subcommand(
            name: "retry", summary: "drop failed jobs once more", flags: Retry.flags, operands: .results,
            run: { try Retry.main($0) }),
        Subcommand(name: "pause", summary: "start no more jobs", operands: .none, run: { try Pause.main($0) }),
        Subcommand(name: "resume", summary: "go on", operands: .none, run: { try Resume.main($0) }),
        Subcommand(
            name: "check", summary: "what job files would do, and which of their keys A1111 would ignore",
            options: Check.options, operands: .files, run: { try await Check.main($0) }),
        Subcommand(
            name: "prune", summary: "take old results away", options: Prune.options, flags: Prune.flags,
            operands: .none,
            run: { try Prune.main($0) }),
        Subcommand(
            name: "completion", summary: "print what makes bash, zsh or fish complete all this", options: [],
            operands: .shells, run: { try Completion.main($0) }),
    ]
}
