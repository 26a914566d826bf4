// queued → active. The instant of commit is the rename into active/.

import Linux

extension Folders {
    /// Takes a job out of the queue; `nil` where it is not there any more: cancelled, held or renamed by somebody.
    public func claim(_ ticket: Ticket) throws(SystemError) -> ActiveJob? {
        // A folder that is named like a file, or the other way round, is somebody's and no job.
        if try queue.status(of: ticket.file)?.kind == .file { return try claimFile(ticket) }
        if try queue.status(of: ticket.folder)?.kind == .directory { return try claimFolder(ticket) }
        return nil
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
        try queue.sync()
        return job
    }

    /// A job that was tried before is a folder, with its attempts in it.
    private func claimFolder(_ ticket: Ticket) throws(SystemError) -> ActiveJob? {
        do throws(SystemError) {
            try queue.rename(ticket.folder, to: active, as: ticket.folder)
        } catch  where error.isMissing {
            return nil
        }
        try queue.sync()
        try active.sync()
        return try job(ticket)
    }
}
