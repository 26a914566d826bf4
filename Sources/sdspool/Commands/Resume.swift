// sdspool resume: the queue goes on.

import Spool

enum Resume {
    static let help = """
        usage: sdspool resume [--spool DIR]

        Takes the file PAUSE away, and the queue goes on.
        """

    static func main(_ words: [String]) throws {
        let command = try JobCommand("resume", words, help: help)
        answer(try PauseFile(command.spool).takeAway() ? "going on" : "it was not paused")
    }
}
