// dropped → queued. The instant of commit is the rename into queue/; only when both directories are on the disk is
// anybody told.

import Foundation
import Linux

/// Takes files out of the inbox.
package struct Acceptance: Sendable {
    let spool: Spool

    package init(_ spool: Spool) { self.spool = spool }

    /// Moves a job file from the inbox to its place in the queue. Its content must have been synced before: a name
    /// that reaches the disk before its content would be a job of nothing after a loss of power. False where somebody
    /// else took it.
    func accept(_ name: FileName, as ticket: Ticket) throws(SystemError) -> Bool {
        spool.ownMoves.expect(ticket.file)
        do throws(SystemError) {
            try spool.inbox.rename(name, to: spool.queue, as: ticket.file)
            return true
        } catch {
            // Not made, or not known to be: what is told of it is somebody's.
            _ = spool.ownMoves.isOwn(ticket.file)
            guard error.isMissing else { throw error }
            return false
        }
    }

    /// Writes a job file anew whose sync has failed: the kernel has marked what it lost as written, and would say nothing
    /// of it when it is asked once more. `nil` where the name belongs to another file by now, or to one that somebody has
    /// changed; otherwise what lies there now.
    func rewrite(_ name: FileName, _ content: Data, insteadOf lost: FileStatus) throws(SystemError) -> FileStatus? {
        let draft = SpoolNames.rewritten
        do throws(SystemError) {
            try spool.active.removeAll(draft)
            try spool.active.putNew(content, as: draft)
            guard try spool.inbox.status(of: name) == lost else {
                try spool.active.unlink(draft)
                return nil
            }
            try spool.active.rename(draft, to: spool.inbox, as: name)
        } catch {
            try? spool.active.removeAll(draft)
            throw error
        }
        return try spool.inbox.status(of: name)
    }

    /// Makes what was accepted so far outlive a loss of power. The source goes first: the other way round a crash can
    /// leave the file in both folders, and the job would run twice.
    func commitAccepted() throws(SystemError) {
        try spool.inbox.sync()
        try spool.queue.sync()
    }

    /// dropped → active, for what does not go into the queue as a file: a batch, what is no job, and a job whose name is
    /// to be kept beside it. `nil` where somebody else took the file. Behind it the file has left the inbox: whoever took
    /// it sees it to its end.
    func take(_ name: FileName, as ticket: Ticket) throws(SystemError) -> ActiveJob? {
        try spool.active.makeDirectory(ticket.folder)
        let job = try ActiveJob(ticket, JobFileKind(of: name), in: spool)
        if ticket.name.loses(name) { try job.record(Attempts(dropped: name)) }
        do throws(SystemError) {
            try spool.inbox.rename(name, to: job.folder, as: job.file)
            return job
        } catch  where error.isMissing {
            try spool.remains.remove(ticket, from: spool.active)
            return nil
        }
    }

    /// What a `take` that threw an error has come to: the job, if its file was moved all the same; otherwise nothing is
    /// left of it.
    func taken(_ ticket: Ticket) throws(SystemError) -> ActiveJob? {
        guard try spool.active.status(of: ticket.folder) != nil else { return nil }
        let job = try ActiveJob(ticket, in: spool)
        if try job.folder.status(of: job.file) != nil { return job }
        try spool.remains.remove(ticket, from: spool.active)
        return nil
    }
}

extension ActiveJob {
    /// active → failed, for what is no job. May be called again after an error: what is done stays done.
    func refuse(because error: JobFileError) throws(SystemError) -> String {
        var report = ErrorReport(
            ticket: ticket, class: error.class, message: error.message, line: error.line, column: error.column)
        report.attempts = try attempts()
        // A job whose picture never came names somebody.
        var job = self
        job.callback = try writtenCallback()
        return try job.fail(with: report)
    }

    /// Makes the way out of the inbox outlive a loss of power.
    func commitTaken() throws(SystemError) { try commit(from: spool.inbox) }

    /// Makes the way into active/, and all that lies in the job's folder, outlive a loss of power. The source goes first, as
    /// in ``Acceptance/commitAccepted()``.
    func commit(from source: Directory) throws(SystemError) {
        guard try isActive else { return }
        try source.sync()
        try folder.sync()
        try spool.active.sync()
    }
}
