// sdspool cancel: take a job away that has not ended. It does what a person's hands could do in the folders.

import Foundation
import Linux
import Spool

enum Cancel {
    static let help = """
        usage: sdspool cancel [--spool DIR] NAME…

        Cancels jobs, whether or not a daemon runs. NAME is a job's name (cat, or cat.json as it was dropped) or its
        ticket, as the folders queue and active show it. A job that waits is gone; one that is being rendered is stopped
        at the server, if it is surely that one which runs there. Where several jobs have the name none is touched, and
        their tickets are named (exit code 65). Exit code 66 says that no such job waits or is being rendered.
        """

    static func main(_ words: [String]) throws {
        let arguments = try Arguments(words, of: "cancel", options: ["--spool"], help: help)
        guard !arguments.operands.isEmpty else { throw Exit(.usage, "sdspool cancel: name a job") }
        let folders = try open(arguments.value("--spool", or: "SDSPOOL_DIR") ?? "spool")
        var failure: Exit?
        for word in arguments.operands {
            do {
                print(try cancel(word, in: folders))
            } catch let exit as Exit {
                FileHandle.standardError.write(Data((exit.message + "\n").utf8))
                failure = failure ?? exit
            } catch let error as SystemError {
                throw Exit(.inputOutput, "sdspool cancel: \(error)")
            }
        }
        if let failure { exit(failure.code.rawValue) }
    }

    private static func open(_ path: String) throws -> Folders {
        do throws(SystemError) {
            return try Folders(existing: path)
        } catch  where error.isMissing {
            throw Exit(.noInput, "sdspool cancel: no spool at \(path) (\(error)); name it with --spool")
        } catch {
            throw Exit(.inputOutput, "sdspool cancel: \(error)")
        }
    }

    /// What was done, in a line.
    private static func cancel(_ word: String, in folders: Folders) throws -> String {
        let shown = escapedForPeople(Array(word.utf8))
        let ticket: Ticket
        if let entry = FileName(bytes: word.utf8), let named = Ticket(entry: entry) {
            ticket = named
        } else {
            guard let name = jobName(word) else { throw Exit(.noInput, "sdspool cancel: no job is called \(shown)") }
            let tickets = try folders.tickets(named: name)
            guard tickets.count < 2 else {
                throw Exit(
                    .badData,
                    "sdspool cancel: \(tickets.count) jobs are called \(name); name one by its ticket:"
                        + tickets.map { "\n  \($0)" }.joined())
            }
            guard let only = tickets.first else { throw try missing(name, in: folders) }
            ticket = only
        }
        switch try folders.cancel(ticket) {
        case .waiting: return "cancelled \(ticket.name), which waited"
        case .rendering: return "cancelling \(ticket.name), which is being rendered"
        case nil: throw try missing(ticket.name, in: folders)
        }
    }

    /// As it was dropped, with `.json` or without.
    private static func jobName(_ word: String) -> JobName? {
        guard let asIs = FileName(bytes: word.utf8) else { return nil }
        return JobName(dropped: asIs) ?? FileName(bytes: (word + ".json").utf8).flatMap(JobName.init(dropped:))
    }

    private static func missing(_ name: JobName, in folders: Folders) throws -> Exit {
        let others = try folders.whereabouts(of: name)
        return Exit(
            .noInput,
            "sdspool cancel: no job \(name) waits in queue/ or is being rendered"
                + (others.isEmpty ? "" : "; there is \(others.joined(separator: " and "))"))
    }
}
