// active → queued, in its old place. The instant of commit is the rename back into queue/.

import Linux

extension ActiveJob {
    /// Puts the job back: as the file that it was where nothing is recorded of it, else as its folder with the record
    /// of its attempts. False where there is nothing to put back: the folder has moved on, or somebody has deleted the
    /// job's file, which cancels it.
    public func requeue() throws -> Bool {
        guard try isActive else { return false }
        let entries = Set(try folder.entries())
        guard entries.contains(file) else {
            try folders.active.removeAll(ticket.folder)
            return false
        }
        try discardStage()
        if entries.contains(InFolder.attempts) {
            try folder.sync()
            folders.ownMoves.expect(ticket.folder)
            try folders.active.rename(ticket.folder, to: folders.queue, as: ticket.folder)
        } else {
            folders.ownMoves.expect(ticket.file)
            try folder.rename(file, to: folders.queue, as: ticket.file)
            try folder.sync()
            try folders.active.removeDirectory(ticket.folder)
        }
        try folders.active.sync()
        try folders.queue.sync()
        return true
    }
}
