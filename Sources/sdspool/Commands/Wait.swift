// sdspool wait: until jobs have ended.

import Foundation
import Linux
import Spool

enum Wait {
    static let help = """
        usage: sdspool wait [--spool DIR] NAME…

        Waits until jobs have ended and prints the paths of their pictures, or of the folder of one that has none. NAME is a
        job's name or its ticket. What has ended already is told at once: of several results of one name the newest. Exit
        code 1 says that a job failed or was cancelled, 66 that there is none of that name.
        """

    static func main(_ words: [String]) throws {
        let command = try JobCommand("wait", words, help: help)
        var follow = try JobFollower(command.spool)
        guard !command.arguments.operands.isEmpty else { throw Exit(.usage, "sdspool wait: name a job") }
        // All of them first: one that does not exist is no reason to wait an hour for the others.
        let tickets = try command.arguments.operands.map { try ticket($0, command, &follow) }
        _ = try command.saysWhereNobodyServes()
        var isGood = true
        for ticket in tickets { isGood = try follow.tell(ticket, as: "wait") && isGood }
        if !isGood { exit(Exit.Code.failed.rawValue) }
    }

    private static func ticket(_ word: String, _ command: JobCommand, _ follow: inout JobFollower) throws -> Ticket {
        if let ticket = try command.ticket(word) { return ticket }
        let name = try command.jobName(word)
        guard let location = try JobLocator(command.spool).positions(of: name).first else {
            throw Exit(.noInput, "sdspool wait: there is no job \(name)")
        }
        if case .dropped(let file) = location, let dropped = try JobLocator(command.spool).dropped(file) {
            if let ticket = try follow.ticket(of: dropped, within: nil) { return ticket }
        }
        if let ticket = try location.ticket ?? Results(command.spool).outcome(at: location)?.ticket { return ticket }
        throw Exit(.noInput, "sdspool wait: nothing tells what \(JobLocator(command.spool).path(of: location)) is")
    }
}
