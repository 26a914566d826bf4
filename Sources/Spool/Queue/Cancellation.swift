// queued or active → gone, because somebody says so. All of it happens in the folders, as a person's hands would do it,
// so it does not matter whether a daemon runs.

import Glibc
import Linux

/// Takes jobs away.
package struct Cancellation: Sendable {
    let spool: Spool

    package init(_ spool: Spool) { self.spool = spool }

    /// Where a job was when it was cancelled.
    package enum Cancelled: Sendable, Equatable {
        /// It is gone.
        case waiting
        /// The daemon finds its file gone, and stops the render.
        case rendering
    }

    /// The jobs of that name that wait or are being rendered, in order.
    package func tickets(named name: JobName) throws(SystemError) -> [Ticket] {
        // To read a ticket takes its time, and there may be a hundred thousand: what stands behind the moment first.
        let entries = try (spool.queue.entries() + spool.active.entries()).filter {
            $0.bytes.dropFirst(Ticket.headLength).starts(with: name.bytes)
        }
        return Set(entries.compactMap(Ticket.init(entry:)).filter { $0.name == name }).sorted()
    }

    /// Takes a job away that has not ended; `nil` where it is neither in queue/ nor in active/.
    package func cancel(_ ticket: Ticket) throws(SystemError) -> Cancelled? {
        // A daemon may move it from one folder to the other, or back, between two looks.
        for _ in 0..<10 {
            if try cancelWaiting(ticket) { return .waiting }
            if try cancelActive(ticket) { return .rendering }
        }
        return nil
    }

    /// Takes a job away that waits; false where it does not, or not any more.
    package func cancelWaiting(_ ticket: Ticket) throws(SystemError) -> Bool {
        if try spool.queue.removeIfThere(ticket.file) { return true }
        // Its file first: wherever its folder is by then, what is left is no job.
        guard let folder = try spool.queue.directoryIfThere(ticket.folder), try folder.removeJob(ticket.name) else {
            return false
        }
        do throws(SystemError) {
            try spool.queue.removeAll(ticket.folder)
        } catch  where error.isMissing || error.isTaken {
            // The daemon has just claimed it; it finds no job in it and takes it away.
        }
        return true
    }

    private func cancelActive(_ ticket: Ticket) throws(SystemError) -> Bool {
        guard let folder = try spool.active.directoryIfThere(ticket.folder) else { return false }
        // It has ended, and is about to be moved.
        guard try folder.status(of: JobFolder.result) == nil, try folder.status(of: JobFolder.error) == nil else {
            return false
        }
        return try folder.removeJob(ticket.name)
    }

    /// Where things of that name lie that cannot be cancelled: a result, a failed or a held job, a file that no daemon
    /// has taken.
    package func whereabouts(of name: JobName) throws(SystemError) -> [String] {
        var found: [String] = []
        for place in [spool.done, spool.failed] where try place.status(of: name.with(suffix: "")) != nil {
            found.append(place.path(of: name.with(suffix: "")))
        }
        for entry in try spool.inbox.entries() where JobName(dropped: entry) == name {
            found.append(spool.inbox.path(of: entry))
        }
        if let hold = try spool.root.directoryIfThere(SpoolNames.hold) {
            for entry in try hold.entries() where Ticket(entry: entry)?.name == name || JobName(dropped: entry) == name
            {
                found.append(hold.path(of: entry))
            }
        }
        return found
    }
}

extension Directory {
    fileprivate func removeJob(_ name: JobName) throws(SystemError) -> Bool {
        for file in JobFolder.jobs(name) where try removeIfThere(file) { return true }
        return false
    }

    /// Removes a name that is not a directory; false where it is not there, or is one.
    fileprivate func removeIfThere(_ name: FileName) throws(SystemError) -> Bool {
        guard let status = try status(of: name), status.kind != .directory else { return false }
        do throws(SystemError) {
            try unlink(name)
            return true
        } catch  where error.isMissing {
            return false
        }
    }

    func directoryIfThere(_ name: FileName) throws(SystemError) -> Directory? {
        do throws(SystemError) {
            return try directory(name)
        } catch  where error.isMissing || error.code == ENOTDIR {
            return nil
        }
    }
}
