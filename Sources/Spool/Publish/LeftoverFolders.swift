// Folders that could not be emptied: an NFS client keeps a file that is removed while somebody on it has it open, as `.nfs…`
// in the same folder, until it is closed. No job waits for that: what is left is removed on a later round, or by the next
// start.

import Linux
import Synchronization

/// Folders in active/ whose jobs have left them.
final class LeftoverFolders: Sendable {
    private let folders = Mutex<Set<FileName>>([])

    private func add(_ folder: FileName) { folders.withLock { _ = $0.insert(folder) } }

    /// The folder is a job's again. Behind this nobody removes it.
    func forget(_ folder: FileName) { folders.withLock { _ = $0.remove(folder) } }

    /// Removes what can be removed by now. Nobody claims a job meanwhile whose folder it is.
    func sweep(_ active: Directory) {
        folders.withLock { folders in
            // What fails is tried again.
            for folder in folders where (try? active.removesAll(folder)) == true { folders.remove(folder) }
        }
    }

    /// Takes away the folder of a job that has left it, now or later.
    func remove(_ ticket: Ticket, from active: Directory) throws(SystemError) {
        if try !active.removesAll(ticket.folder) { add(ticket.folder) }
    }
}
