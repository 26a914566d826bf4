// What commands about jobs share: how a job is named, and how the command ends where some of them are not there.

import Foundation
import Linux
import Spool

/// A command about jobs of a spool. It works in the folders, whether or not a daemon runs.
struct JobCommand {
    /// As it was called.
    let name: String
    let spool: Spool
    let arguments: Arguments

    /// Opens the spool. Throws ``Exit``, and ``SystemError`` where the disk fails.
    init(
        _ name: String, _ words: [String], options: Set<String> = ["--spool"], flags: Set<String> = [], help: String
    ) throws {
        self.name = name
        arguments = try Arguments(words, of: name, options: options, flags: flags, help: help)
        let path = arguments.value("--spool", or: "SDSPOOL_DIR") ?? "spool"
        do throws(SystemError) {
            spool = try Spool(existing: path)
        } catch  where error.isMissing {
            throw Exit(.noInput, "sdspool \(name): no spool at \(path) (\(error)); name it with --spool")
        } catch {
            throw error
        }
    }

    /// Tells where no daemon is there to go on with what is asked for. True where that is sure.
    func saysWhereNobodyServes() throws(SystemError) -> Bool {
        switch try StatusFiles(spool).liveness() {
        case .alive: return false
        case .none:
            talk(
                "no daemon serves \(spool.root.path): nothing is taken or rendered until one is started (sdspool run)\n"
            )
            return true
        case .silent(let seconds):
            talk("the daemon of \(spool.root.path) has said nothing for \(seconds) s; is it still there?\n")
            return false
        }
    }

    /// Does `deed` to each job that is named, and prints what it says. One that cannot be done is told and does not stop the
    /// others; the first of those decides how the process ends.
    func each(_ deed: (String) throws -> String) throws {
        guard !arguments.operands.isEmpty else { throw Exit(.usage, "sdspool \(name): name a job") }
        try all(arguments.operands, deed)
    }

    /// As ``each(_:)``, for jobs that nobody has named. A deed that says nothing has not been done.
    func all<MarkdownWord>(_ words: [MarkdownWord], _ deed: (MarkdownWord) throws -> String?) throws {
        var failure: Exit?
        var done: [String] = []
        do {
            // All deeds first: where nobody hears of them they are done all the same.
            defer { for line in done { answer(line) } }
            for word in words {
                do {
                    if let line = try deed(word) { done.append(line) }
                } catch let exit as Exit {
                    talk(exit.message + "\n")
                    failure = failure ?? exit
                }
            }
        }
        if let failure { exit(failure.code.rawValue) }
    }

    /// The job that `word` names: its ticket, or its name, as it was dropped, with `.json` or without. `nil` where it is a
    /// name that no job which waits or is being rendered has. Throws ``Exit`` where several have it.
    func ticket(_ word: String) throws -> Ticket? {
        if let entry = FileName(bytes: word.utf8), let named = Ticket(entry: entry) { return named }
        let tickets = try Cancellation(spool).tickets(named: jobName(word))
        guard tickets.count < 2 else { throw several(tickets.map(\.description), called: word) }
        return tickets.first
    }

    /// Throws ``Exit`` where no job could be called so.
    func jobName(_ word: String) throws -> JobName {
        if let entry = FileName(bytes: word.utf8) {
            if let ticket = Ticket(entry: entry) { return ticket.name }
            if let name = JobName(dropped: entry) { return name }
        }
        if let name = JobName(called: word) { return name }
        throw Exit(.noInput, "sdspool \(name): no job is called \(escapedForPeople(Array(word.utf8)))")
    }

    func several(_ jobs: [String], called word: String) -> Exit {
        Exit(
            .badData,
            "sdspool \(name): \(jobs.count) jobs are called \(escapedForPeople(Array(word.utf8))); name one by its ticket:"
                + jobs.map { "\n  \($0)" }.joined())
    }

    /// Why nothing was done, with what there is of that name elsewhere.
    func missing(_ word: String, _ what: String) throws -> Exit {
        let job = try jobName(word)
        let others = try Cancellation(spool).whereabouts(of: job)
        return Exit(
            .noInput,
            "sdspool \(name): no job \(job) \(what)"
                + (others.isEmpty ? "" : "; there is \(others.joined(separator: " and "))"))
    }
}
