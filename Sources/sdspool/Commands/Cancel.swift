// sdspool cancel: take a job away that has not ended. It does what a person's hands could do in the folders.

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
        let command = try JobCommand("cancel", words, help: help)
        try command.each { word in
            let ticket = try command.ticket(word)
            switch try ticket.flatMap(Cancellation(command.spool).cancel) {
            case .waiting: return "cancelled \(try command.jobName(word)), which waited"
            case .rendering: return "cancelling \(try command.jobName(word)), which is being rendered"
            case nil: throw try command.missing(word, "waits in queue/ or is being rendered")
            }
        }
    }
}
