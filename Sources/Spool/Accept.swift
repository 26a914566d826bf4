// dropped → queued. The instant of commit is the rename into queue/; only when both directories are on the disk is
// anybody told.

import Foundation
import Linux

extension Folders {
    /// Moves a job file from the inbox to its place in the queue. Its content must have been synced before: a name
    /// that reaches the disk before its content would be a job of nothing after a loss of power. False where somebody
    /// else took it.
    func accept(_ name: FileName, as ticket: Ticket) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try inbox.rename(name, to: queue, as: ticket.file)
            return true
        } catch  where error.isMissing {
            return false
        }
    }

    /// Makes what was accepted so far outlive a loss of power. The source goes first: the other way round a crash can
    /// leave the file in both folders, and the job would run twice.
    func commitAccepted() throws(SystemError) {
        try inbox.sync()
        try queue.sync()
    }

    /// dropped → failed, for what is no job. It goes through active/ like any other, so a crash at any step leaves
    /// what recovery knows. `nil` where somebody else took the file; otherwise where it lies now.
    func refuse(_ name: FileName, as ticket: Ticket, because error: JobFileError) throws(SystemError) -> String? {
        try active.makeDirectory(ticket.folder)
        let job = ActiveJob(ticket: ticket, folder: try active.directory(ticket.folder), folders: self)
        do throws(SystemError) {
            try inbox.rename(name, to: job.folder, as: job.file)
        } catch  where error.isMissing {
            try active.removeDirectory(ticket.folder)
            return nil
        }
        try inbox.sync()
        let report = ErrorReport(
            ticket: ticket, class: error.class, message: error.message, line: error.line, column: error.column)
        return try job.fail(with: report)
    }
}
