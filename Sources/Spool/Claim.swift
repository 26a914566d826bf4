// queued → active. The instant of commit is the rename into active/.

import Linux

extension Folders {
    /// Takes a job out of the queue; `nil` where it is not there any more: cancelled, held or renamed by somebody.
    ///
    /// - Parameter again: an earlier call threw an error. What it has moved is ours.
    public func claim(_ ticket: Ticket, again: Bool = false) throws(SystemError) -> ActiveJob? {
        // A folder that is named like a file, or the other way round, is somebody's and no job.
        if try queue.status(of: ticket.file)?.kind == .file { return try claimFile(ticket) }
        if try queue.status(of: ticket.folder)?.kind == .directory { return try claimFolder(ticket) }
        guard again, try active.status(of: ticket.folder) != nil else { return nil }
        let job = try job(ticket)
        guard try job.folder.status(of: job.file) != nil else { return nil }
        return try committed(job)
    }

    /// The claim outlives a loss of power. The source goes first, as in ``commitAccepted()``.
    private func committed(_ job: ActiveJob) throws(SystemError) -> ActiveJob {
        try queue.sync()
        try active.sync()
        return job
    }

    /// A job that was never tried is a file.
    private func claimFile(_ ticket: Ticket) throws(SystemError) -> ActiveJob? {
        do throws(SystemError) {
            try active.makeDirectory(ticket.folder)
        } catch  where error.isTaken {
            // Left by a claim that was cut off before its rename.
        }
        let job = try job(ticket, .json)
        do throws(SystemError) {
            try queue.rename(ticket.file, to: job.folder, as: job.file)
        } catch  where error.isMissing {
            try active.removeDirectory(ticket.folder)
            return nil
        }
        return try committed(job)
    }

    /// A job that was tried before is a folder, with its attempts in it.
    private func claimFolder(_ ticket: Ticket) throws(SystemError) -> ActiveJob? {
        do throws(SystemError) {
            try queue.rename(ticket.folder, to: active, as: ticket.folder)
        } catch  where error.isMissing {
            return nil
        }
        return try committed(job(ticket))
    }
}
