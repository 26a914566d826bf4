// sdspool pause: no other job is started.

import Spool

enum Pause {
    static let help = """
        usage: sdspool pause [--spool DIR] [REASON]

        Lays the file PAUSE into the spool, with the reason in it: what is with the server already is finished, and no
        other job is started until it is taken away (sdspool resume).
        """

    static func main(_ words: [String]) throws {
        let command = try JobCommand("pause", words, help: help)
        let reason = command.arguments.operands.joined(separator: " ")
        try PauseFile(command.spool).layDown(because: reason.isEmpty ? "paused by hand" : reason)
        answer("paused; sdspool resume goes on")
    }
}
