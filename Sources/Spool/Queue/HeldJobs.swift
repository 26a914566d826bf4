// queued → held → queued, failed → dropped, because somebody says so. As with cancelling, all of it happens in the
// folders, as a person's hands would do it, and a daemon that runs sees it there.

import Foundation
import Glibc
import Linux

/// Moves jobs by hand.
package struct HeldJobs: Sendable {
    let spool: Spool

    package init(_ spool: Spool) { self.spool = spool }

    /// The jobs of that name in hold/: entries as they lie there.
    package func held(named name: JobName) throws(SystemError) -> [FileName] {
        guard let hold = try spool.root.directoryIfThere(SpoolNames.hold) else { return [] }
        return try hold.entries().filter { Ticket(entry: $0)?.name == name || JobName(dropped: $0) == name }.sorted()
    }

    /// Moves a job that waits into hold/, under its ticket; false where it does not wait.
    package func hold(_ ticket: Ticket) throws(SystemError) -> Bool {
        let hold = try spool.root.directory(SpoolNames.hold)
        for entry in [ticket.file, ticket.folder] where try spool.queue.status(of: entry) != nil {
            // A ticket is given once: nothing else has this name there.
            if try move(entry, from: spool.queue, to: hold, as: entry) { return true }
        }
        return false
    }

    /// Moves what lies in hold/ to where it goes on from: what has a ticket into queue/, into its old place; a job file that
    /// somebody has parked there into inbox/. Where it lies then; `nil` where it is gone, or its place is taken.
    package func release(_ entry: FileName) throws(SystemError) -> String? {
        let hold = try spool.root.directory(SpoolNames.hold)
        let place = Ticket(entry: entry) == nil ? spool.inbox : spool.queue
        return try move(entry, from: hold, to: place, as: entry) ? place.path(of: entry) : nil
    }

    /// Moves the job file of failed/NAME/ back into inbox/, and takes the reason away; pictures that were kept stay. False
    /// where there is no such file, or where a file of its name lies in the inbox already.
    package func retry(_ result: FileName) throws(SystemError) -> Bool {
        guard let folder = try spool.failed.directoryIfThere(result) else { return false }
        guard let job = try folder.entries().first(where: JobFolder.isJob),
            try move(job, from: folder, to: spool.inbox, as: job)
        else { return false }
        try tidy(folder, result)
        return true
    }

    /// Takes away what is left of a failed job whose file is in the inbox. A daemon may be quicker: by now the job may have failed
    /// again and lie in failed/ under the same name, in the place of the folder that was emptied here. That one stays.
    ///
    /// - Parameter folder: as it was opened before the job's file left it.
    func tidy(_ folder: Directory, _ result: FileName) throws(SystemError) {
        try folder.removeAll(JobFolder.error)
        guard try folder.entries().allSatisfy(\.isSillyRename) else { return }
        do throws(SystemError) {
            try spool.failed.removeDirectory(result)
        } catch  where error.isMissing || error.isTaken || error.isBusy {
            // It is another one by now, or gone; or somebody on an NFS client still has a file of it open.
        }
    }

    /// The names of the folders in failed/, sorted.
    package func failures() throws(SystemError) -> [FileName] {
        try spool.failed.entries().filter { $0.bytes.first != UInt8(ascii: ".") }.sorted()
    }

    /// False where it is gone, or its place is taken, maybe in this moment.
    private func move(
        _ name: FileName, from source: Directory, to place: Directory, as entry: FileName
    ) throws(SystemError) -> Bool {
        do throws(SystemError) {
            do throws(SystemError) {
                try source.renameNew(name, to: place, as: entry)
            } catch  where error.isUnsupported {
                // A filesystem that cannot promise to spare what is there.
                guard try place.status(of: entry) == nil else { return false }
                try source.rename(name, to: place, as: entry)
            }
        } catch  where error.isMissing || error.isTaken {
            return false
        }
        try source.sync()
        try place.sync()
        return true
    }
}
