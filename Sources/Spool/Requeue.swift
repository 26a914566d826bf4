// active → queued, in its old place. The instant of commit is the rename back into queue/.

import Linux

extension ActiveJob {
    /// Where a job is that was to be put back.
    public enum Requeued: Sendable {
        /// In its place.
        case queued
        /// It has its result or its error: only its move is missing, which recovery makes.
        case concluded
        /// Its folder has moved on, or somebody has deleted its file, which cancels it.
        case gone
    }

    /// Puts the job back: as the file that it was where nothing is recorded of it, else as its folder with the record
    /// of its attempts. A batch with a job a line always is a folder: its file keeps its name in it.
    public func requeue() throws -> Requeued {
        guard try isActive else { return .gone }
        let entries = Set(try folder.entries())
        guard entries.contains(file) else {
            try folders.active.removeAll(ticket.folder)
            return .gone
        }
        if entries.contains(InFolder.result) || entries.contains(InFolder.error) { return .concluded }
        try discardStage()
        if entries.contains(InFolder.attempts) || kind == .lines {
            try folder.sync()
            guard try move(ticket.folder, from: folders.active, as: ticket.folder) else { return .gone }
        } else {
            guard try move(file, from: folder, as: ticket.file) else {
                try folders.active.removeAll(ticket.folder)
                return .gone
            }
            try folder.sync()
            try folders.active.removeDirectory(ticket.folder)
        }
        try folders.active.sync()
        try folders.queue.sync()
        return .queued
    }

    /// False where somebody has cancelled it in this instant.
    private func move(_ name: FileName, from place: Directory, as entry: FileName) throws(SystemError) -> Bool {
        folders.ownMoves.expect(entry)
        do throws(SystemError) {
            try place.rename(name, to: folders.queue, as: entry)
            return true
        } catch  where error.isMissing {
            _ = folders.ownMoves.isOwn(entry)
            return false
        }
    }
}
