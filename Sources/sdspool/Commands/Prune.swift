// sdspool prune: take old results away.

import Foundation
import Linux
import Spool

enum Prune {
    static let help = """
        usage: sdspool prune [--spool DIR] [--dry-run] [--older AGE] [--keep COUNT]

        Takes results out of done/, the oldest first, each as a whole, and prints their paths. AGE is 30d, 12h or 45m.
        With both, the newest COUNT stay, whatever their age. With --keep alone only what is older than a day goes.
        --dry-run only prints. Failed jobs stay.
        """

    static let options: Set<String> = ["--spool", "--older", "--keep"]
    static let flags: Set<String> = ["--dry-run"]

    static func main(_ words: [String]) throws {
        let command = try JobCommand("prune", words, options: options, flags: flags, help: help)
        var retention = Retention()
        if let age = command.arguments.value("--older") {
            guard retention.add(age), retention.age != nil else {
                throw Exit(.usage, "sdspool prune: --older takes an age such as 30d, 12h or 45m, not \"\(age)\"")
            }
        }
        if let keep = command.arguments.value("--keep") {
            guard let count = Int(keep), count >= 0 else {
                throw Exit(.usage, "sdspool prune: --keep takes a whole number, not \"\(keep)\"")
            }
            if retention.age == nil { retention.count = count } else { retention.atLeast = count }
        }
        guard command.arguments.operands.isEmpty, retention != Retention() else {
            throw Exit(.usage, "sdspool prune: say what may go, --older 30d or --keep 1000")
        }
        let isTrial = command.arguments.has("--dry-run")
        for name in try Results(command.spool).prune(retention, trial: isTrial) {
            answer(command.spool.done.path(of: name))
        }
    }
}
