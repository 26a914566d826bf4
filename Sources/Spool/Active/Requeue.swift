// active → queued, in its old place. The instant of commit is the rename back into queue/. Where somebody has laid a copy of
// the job there meanwhile, both are jobs.

import Linux

extension ActiveJob {
    /// Where a job is that was to be put back.
    package enum Requeued: Sendable {
        /// In its place.
        case queued
        /// It has its result or its error. At most its move is missing, which recovery makes.
        case concluded
        /// Its folder has moved on, or somebody has deleted its file, which cancels it.
        case gone
    }

    /// Puts the job back: as the file that it was where nothing is recorded of it, else as its folder with the record
    /// of its attempts. A batch with a job a line always is a folder: its file keeps its name in it.
    package func requeue() throws(SystemError) -> Requeued {
        guard try isActive else { return try isConcluded ? .concluded : moved() }
        let entries = Set(try folder.entries())
        guard entries.contains(file) else {
            try spool.remains.remove(ticket, from: spool.active)
            return try moved()
        }
        if entries.contains(JobFolder.result) || entries.contains(JobFolder.error) { return .concluded }
        try discardStage()
        let place = try freePlace()
        if entries.contains(JobFolder.attempts) || kind == .lines {
            try folder.sync()
            guard try move(ticket.folder, from: spool.active, as: place.folder) else { return try moved() }
        } else {
            guard try move(file, from: folder, as: place.file) else {
                try spool.remains.remove(ticket, from: spool.active)
                return try moved()
            }
            try folder.sync()
            try spool.remains.remove(ticket, from: spool.active)
        }
        return try moved()
    }

    /// Whether it has ended, wherever its folder lies by now.
    private var isConcluded: Bool {
        get throws(SystemError) {
            if try folder.status(of: JobFolder.result) != nil { return true }
            return try folder.status(of: JobFolder.error) != nil
        }
    }

    /// Its own, or the first behind it that nobody has: rename(2) would replace a file that lies there, or fail at a folder each
    /// time that it is tried.
    private func freePlace() throws(SystemError) -> Ticket {
        var place = ticket
        while try Pending(spool).isQueued(place) { place = place.next }
        return place
    }

    /// Where it is when it is not in active/ any more: back in the queue, by this call or by one that an error has ended
    /// behind the rename; or wherever somebody has moved it.
    private func moved() throws(SystemError) -> Requeued {
        let isFolder = try spool.queue.status(of: ticket.folder) != nil
        let isFile = try spool.queue.status(of: ticket.file) != nil
        guard isFolder || isFile else { return .gone }
        try spool.active.sync()
        try spool.queue.sync()
        return .queued
    }

    /// False where somebody has cancelled it in this instant.
    private func move(_ name: FileName, from place: Directory, as entry: FileName) throws(SystemError) -> Bool {
        // In a place that is not its own the daemon hears of it as of somebody's.
        if Ticket(entry: entry) == ticket { spool.ownMoves.expect(entry) }
        do throws(SystemError) {
            try place.rename(name, to: spool.queue, as: entry)
            return true
        } catch {
            // Not made, or not known to be: what is told of it is somebody's.
            _ = spool.ownMoves.isOwn(entry)
            guard error.isMissing else { throw error }
            return false
        }
    }
}
