// PAUSE, the file that stops the queue: anybody lays it down and takes it away.

import Foundation
import Linux

/// While the file lies in the spool, no job is started.
package struct PauseFile: Sendable {
    let spool: Spool

    package init(_ spool: Spool) { self.spool = spool }

    /// Whether PAUSE lies in the spool.
    package func isLaidDown() throws(SystemError) -> Bool { try spool.root.status(of: SpoolNames.pause) != nil }

    /// Why the queue is paused, as PAUSE says it; `nil` where it is not.
    package func reason() throws(SystemError) -> String? {
        guard try isLaidDown() else { return nil }
        // Anybody may have laid it down, and kept the reason to himself.
        let reason = try spool.root.readable(SpoolNames.pause, upTo: 500) ?? Data()
        return String(decoding: reason, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Lays down PAUSE, with the reason in it.
    package func layDown(because reason: String) throws(SystemError) {
        let text = Data("\(Timestamp.now.iso8601) \(reason)\n".utf8)
        for _ in 0..<20 {
            do throws(SystemError) {
                return try spool.root.putWhole(text, as: SpoolNames.pause)
            } catch  where error.isMissing || error.isExisting {
                // Somebody else pauses the queue in this moment, and writes under the same hidden name.
            }
        }
        if try !isLaidDown() { try spool.root.putWhole(text, as: SpoolNames.pause) }
    }

    /// Takes PAUSE away; false where it was not there.
    package func takeAway() throws(SystemError) -> Bool {
        guard try spool.root.status(of: SpoolNames.pause) != nil else { return false }
        do throws(SystemError) { try spool.root.unlink(SpoolNames.pause) } catch  where error.isMissing { return false }
        return true
    }
}
