// sdspool status: the overview, once or again and again.

import Foundation
import Linux
import Spool

enum StatusCommand {
    static let help = """
        usage: sdspool status [--spool DIR] [--json | --watch]

        Tells what the spool does: what is being rendered and how far it is, what waits and why, what failed last, the
        servers, and how old the daemon's last word is. --json is for programs, --watch draws it anew each second until
        it is interrupted. Exit code 69 says that no daemon serves the spool.
        """

    static let flags: Set<String> = ["--json", "--watch"]

    static func main(_ words: [String]) throws {
        let command = try JobCommand("status", words, flags: flags, help: help)
        guard command.arguments.operands.isEmpty else {
            throw Exit(.usage, "sdspool status takes no name; sdspool why NAME tells of one job")
        }
        let spool = command.spool
        while command.arguments.has("--watch") {
            // Home, then each line over the last one, then what is left of those: a cleared screen would flicker.
            let lines = try StatusReport(spool).text.split(separator: "\n", omittingEmptySubsequences: false)
            answer(Data(("\u{1b}[H" + lines.map { "\($0)\u{1b}[K\n" }.joined() + "\u{1b}[J").utf8))
            sleep(1)
        }
        let overview = try StatusReport(spool)
        if command.arguments.has("--json") {
            answer(overview.document(status: try StatusFiles(spool).text()))
        } else {
            answer(overview.text)
        }
        if case .none = overview.liveness { exit(Exit.Code.unavailable.rawValue) }
    }
}
