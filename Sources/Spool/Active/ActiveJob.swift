// A job that is being worked on: its folder in active/.

import Foundation
import Linux

/// A claimed job. Its folder holds the job file, the attempts, and the pictures that have come so far.
package struct ActiveJob: Sendable {
    /// Its place in the order, kept through retries and restarts.
    package let ticket: Ticket
    /// `active/TICKET/`.
    package let folder: Directory
    let spool: Spool
    /// The job file in the folder.
    let file: FileName
    /// Who is told how it ends; for those to set who have read the file.
    package var callback: Callback?

    /// What its job file is.
    package var kind: JobFileKind { JobFileKind(of: file) ?? .json }

    /// Whether its folder is still in active/; behind the rename that publishes it, it is not.
    package var isActive: Bool {
        get throws(SystemError) { try spool.active.status(of: ticket.folder) != nil }
    }

    /// The bytes of the job file; `nil` where somebody has deleted it, which cancels the job.
    package func content(upTo cap: Int) throws(SystemError) -> Data? {
        do throws(SystemError) {
            return try folder.file(file).read(upTo: cap)
        } catch  where error.isMissing {
            return nil
        }
    }

    /// Removes all that the attempts so far have left but their record. What a broken attempt left must not be
    /// mistaken for a part of the next one.
    package func discardStage() throws(SystemError) {
        for entry in try folder.entries() where entry != file && entry != JobFolder.attempts {
            try folder.removeAll(entry)
        }
    }
}

extension ActiveJob {
    /// The job whose folder lies in active/, with the file that is in it, or that will be.
    init(_ ticket: Ticket, _ kind: JobFileKind? = nil, in spool: Spool) throws(SystemError) {
        let folder = try spool.active.directory(ticket.folder)
        let lines = JobFolder.job(ticket.name, .lines)
        let holdsLines = if let kind { kind == .lines } else { try folder.status(of: lines) != nil }
        self.init(
            ticket: ticket, folder: folder, spool: spool, file: holdsLines ? lines : JobFolder.job(ticket.name, .json))
    }
}
