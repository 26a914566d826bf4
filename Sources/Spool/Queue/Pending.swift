// Whether anything is on its way to the queue, or in it, as the folders show it.

import Linux

/// What is on its way.
package struct Pending: Sendable {
    let spool: Spool

    package init(_ spool: Spool) { self.spool = spool }

    /// Whether a job lies in inbox/, queue/ or active/, whole or not. What is left alone there for good does not count: folders
    /// and links that are called like jobs.
    package func hasPending() throws(SystemError) -> Bool {
        // In the order in which jobs move. The parts of a batch go from active/ to queue/: that is looked at once more.
        if try isArriving() { return true }
        if try hasQueued() { return true }
        if try !spool.active.entries().compactMap(Ticket.init(entry:)).isEmpty { return true }
        return try hasQueued()
    }

    /// Whether a ticket waits in queue/, as a file or as a folder: what could be claimed, and nothing else that has its name.
    package func isQueued(_ ticket: Ticket) throws(SystemError) -> Bool {
        if try spool.queue.status(of: ticket.file)?.kind == .file { return true }
        return try spool.queue.status(of: ticket.folder)?.kind == .directory
    }

    private func hasQueued() throws(SystemError) -> Bool {
        try spool.queue.entries().contains { Ticket(entry: $0) != nil }
    }

    private func isArriving() throws(SystemError) -> Bool {
        let entries: [FileName]
        do throws(SystemError) { entries = try spool.inbox.entries() } catch  where error.isMissing { return false }
        for name in entries {
            if JobName(dropped: name) != nil, try spool.inbox.status(of: name)?.kind == .file { return true }
            // One of `submit` or of a client over HTTP; without a writer it is what a crash has left.
            guard JobDraft.isName(name) else { continue }
            do throws(SystemError) {
                if try spool.inbox.file(name).hasWriter == true { return true }
            } catch  where error.isMissing || error.isForbidden {
                continue
            }
        }
        return false
    }
}
