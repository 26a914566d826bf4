// sdspool hold: a job that waits lies in hold/ until it is released.

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
            guard let ticket = try command.ticket(word), try HeldJobs(command.spool).hold(ticket) else {
                throw try command.missing(word, "waits in queue/")
            }
            return "holding \(ticket.name)"
        }
    }
}
