// queued → active. The instant of commit is the rename into active/. That it outlives a loss of power is seen to by what
// comes next, mostly the record of the attempt, so that one wait for the disk serves both.

import Linux

/// Takes jobs out of the queue.
package struct Claims: Sendable {
    let spool: Spool

    package init(_ spool: Spool) { self.spool = spool }

    /// Takes a job out of the queue; `nil` where it is not there any more: cancelled, held or renamed by somebody.
    ///
    /// - Parameter again: an earlier call threw an error. What it has moved is ours.
    package func claim(_ ticket: Ticket, again: Bool = false) throws(SystemError) -> ActiveJob? {
        // A folder that is named like a file, or the other way round, is somebody's and no job.
        if try spool.queue.status(of: ticket.file)?.kind == .file { return try claimFile(ticket) }
        if try spool.queue.status(of: ticket.folder)?.kind == .directory { return try claimFolder(ticket) }
        guard again, try spool.active.status(of: ticket.folder) != nil else { return nil }
        let job = try ActiveJob(ticket, in: spool)
        guard try job.folder.status(of: job.file) != nil else {
            // Cancelled since: its folder is ours to take away.
            try spool.remains.remove(ticket, from: spool.active)
            return nil
        }
        return job
    }

    /// A job that was never tried is a file.
    private func claimFile(_ ticket: Ticket) throws(SystemError) -> ActiveJob? {
        spool.remains.forget(ticket.folder)
        do throws(SystemError) {
            try spool.active.makeDirectory(ticket.folder)
        } catch  where error.isTaken {
            // Left by a claim that was cut off before its rename.
        }
        let job = try ActiveJob(ticket, .json, in: spool)
        do throws(SystemError) {
            try spool.queue.rename(ticket.file, to: job.folder, as: job.file)
        } catch  where error.isMissing {
            try spool.remains.remove(ticket, from: spool.active)
            return nil
        }
        return job
    }

    /// A job that was tried before is a folder, with its attempts in it.
    private func claimFolder(_ ticket: Ticket) throws(SystemError) -> ActiveJob? {
        spool.remains.forget(ticket.folder)
        do throws(SystemError) {
            try spool.queue.rename(ticket.folder, to: spool.active, as: ticket.folder)
        } catch  where error.isMissing {
            return nil
        }
        return try ActiveJob(ticket, in: spool)
    }
}

extension ActiveJob {
    /// Makes the claim outlive a loss of power: before anybody outside hears of the job, and before its folder goes on to
    /// somewhere else.
    package func commitClaim() throws(SystemError) { try commit(from: spool.queue) }
}
