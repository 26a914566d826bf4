// sdspool release: a job goes on that was parked in hold/.

import Foundation
import Linux
import Spool

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
            let held = try HeldJobs(command.spool).held(named: command.jobName(word)).filter { entry in
                guard let ticket = FileName(bytes: word.utf8).flatMap(Ticket.init(entry:)) else { return true }
                return Ticket(entry: entry) == ticket
            }
            guard held.count < 2 else { throw command.several(held.map(\.description), called: word) }
            guard let entry = held.first, let path = try HeldJobs(command.spool).release(entry) else {
                throw try command.missing(word, "lies in hold/")
            }
            return "released \(try command.jobName(word)): it is now \(path)"
        }
    }
}
