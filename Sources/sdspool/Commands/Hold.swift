// sdspool hold, release, retry, pause and resume: what a person's hands could do in the folders.

import Foundation
import Linux
import Spool

enum Hold {
    static let help = """
        usage: sdspool hold [--spool DIR] NAME…

        Parks jobs that wait: they lie in hold/ under their tickets until they are released, and nothing renders them.
        NAME is a job's name or its ticket. Exit code 65 says that several jobs have the name, 66 that none waits.
        """

    static func main(_ words: [String]) throws {
        let command = try JobCommand("hold", words, help: help)
        try command.each { word in
            guard let ticket = try command.ticket(word), try command.folders.hold(ticket) else {
                throw try command.missing(word, "waits in queue/")
            }
            return "holding \(ticket.name)"
        }
    }
}

enum Release {
    static let help = """
        usage: sdspool release [--spool DIR] NAME…

        Lets jobs go on that were parked in hold/: one with a ticket in its old place in the queue, a job file that lies
        there under its own name through the inbox. NAME is a job's name or its ticket. Exit code 65 says that several
        jobs have the name, 66 that none lies there.
        """

    static func main(_ words: [String]) throws {
        let command = try JobCommand("release", words, help: help)
        try command.each { word in
            let held = try command.folders.held(named: command.jobName(word)).filter { entry in
                guard let ticket = FileName(bytes: word.utf8).flatMap(Ticket.init(entry:)) else { return true }
                return Ticket(entry: entry) == ticket
            }
            guard held.count < 2 else { throw command.several(held.map(\.description), called: word) }
            guard let entry = held.first, let path = try command.folders.release(entry) else {
                throw try command.missing(word, "lies in hold/")
            }
            return "released \(try command.jobName(word)): it is now \(path)"
        }
    }
}

enum Retry {
    static let help = """
        usage: sdspool retry [--spool DIR] NAME…
               sdspool retry [--spool DIR] --all

        Drops failed jobs once more: the job file in failed/NAME/ goes back into the inbox, and error.json goes. NAME is
        the name of the folder in failed/. Exit code 66 says that there is none, or that a file of that name is in the
        inbox already.
        """

    static let flags: Set<String> = ["--all"]

    static func main(_ words: [String]) throws {
        let command = try JobCommand("retry", words, flags: flags, help: help)
        func retry(_ word: String) throws -> String {
            guard let name = FileName(bytes: word.utf8), try command.folders.retry(name) else {
                throw Exit(
                    .noInput,
                    "sdspool retry: nothing to drop again in \(command.folders.failed.path)/"
                        + "\(escapedForPeople(Array(word.utf8))), or a file of that name is in the inbox already")
            }
            return "dropped \(name) once more"
        }
        if command.arguments.has("--all") {
            // A job whose name was given twice waits for the next time: its file has the name of the first one's.
            try command.all(command.folders.failures()) { name in
                try command.folders.retry(name) ? "dropped \(name) once more" : nil
            }
        } else {
            try command.each(retry)
        }
    }
}

enum Pause {
    static let help = """
        usage: sdspool pause [--spool DIR] [REASON]

        Lays the file PAUSE into the spool, with the reason in it: what is with the server already is finished, and no
        other job is started until it is taken away (sdspool resume).
        """

    static func main(_ words: [String]) throws {
        let command = try JobCommand("pause", words, help: help)
        let reason = command.arguments.operands.joined(separator: " ")
        try command.folders.pause(because: reason.isEmpty ? "paused by hand" : reason)
        answer("paused; sdspool resume goes on")
    }
}

enum Resume {
    static let help = """
        usage: sdspool resume [--spool DIR]

        Takes the file PAUSE away, and the queue goes on.
        """

    static func main(_ words: [String]) throws {
        let command = try JobCommand("resume", words, help: help)
        answer(try command.folders.resume() ? "going on" : "it was not paused")
    }
}
