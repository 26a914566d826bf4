// sdspool retry: a failed job is dropped once more.

import Foundation
import Linux
import Spool

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
            guard let name = FileName(bytes: word.utf8), try HeldJobs(command.spool).retry(name) else {
                throw Exit(
                    .noInput,
                    "sdspool retry: nothing to drop again in \(command.spool.failed.path)/"
                        + "\(escapedForPeople(Array(word.utf8))), or a file of that name is in the inbox already")
            }
            return "dropped \(name) once more"
        }
        if command.arguments.has("--all") {
            // A job whose name was given twice waits for the next time: its file has the name of the first one's.
            try command.all(HeldJobs(command.spool).failures()) { name in
                try HeldJobs(command.spool).retry(name) ? "dropped \(name) once more" : nil
            }
        } else {
            try command.each(retry)
        }
    }
}
