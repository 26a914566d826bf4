// Where a job is: in which folder, under which name. What people ask for who have dropped one.

import Foundation
import Linux

/// A place in the spool in which a job lies.
package enum JobLocation: Hashable, Sendable {
    /// In inbox/, under the name with which it was dropped.
    case dropped(FileName)
    /// In queue/.
    case queued(Ticket)
    /// In active/.
    case active(Ticket)
    /// In hold/.
    case held(FileName)
    /// A folder in done/.
    case done(FileName)
    /// A folder in failed/.
    case failed(FileName)

    /// The ticket that is its name; `nil` where it has none, or where only its result tells it.
    package var ticket: Ticket? {
        switch self {
        case .queued(let ticket), .active(let ticket): ticket
        case .held(let entry): Ticket(entry: entry)
        case .dropped, .done, .failed: nil
        }
    }

    /// Whether the job has ended there.
    package var isEnd: Bool {
        switch self {
        case .done, .failed: true
        case .dropped, .queued, .active, .held: false
        }
    }
}

/// Finds jobs.
package struct JobLocator: Sendable {
    let spool: Spool

    package init(_ spool: Spool) { self.spool = spool }

    /// All jobs of that name: those that are to come first, in their order, then results, the newest first.
    package func positions(of name: JobName) throws(SystemError) -> [JobLocation] {
        var found: [JobLocation] = []
        for entry in try spool.inbox.entries() where JobName(dropped: entry) == name { found.append(.dropped(entry)) }
        for ticket in try Cancellation(spool).tickets(named: name) {
            found.append(try spool.active.status(of: ticket.folder) != nil ? .active(ticket) : .queued(ticket))
        }
        found += try HeldJobs(spool).held(named: name).map(JobLocation.held)
        return try found + results(named: name)
    }

    /// The newest first.
    private func results(named name: JobName) throws(SystemError) -> [JobLocation] {
        let results =
            try numbered(name, in: spool.done).map { ($0.number, JobLocation.done($0.entry)) }
            + numbered(name, in: spool.failed).map { ($0.number, JobLocation.failed($0.entry)) }
        return results.sorted { $0.0 > $1.0 }.map(\.1)
    }

    /// Folders of results of that name: `cat`, `cat.2`, …
    private func numbered(_ name: JobName, in place: Directory) throws(SystemError) -> [(number: Int, entry: FileName)]
    {
        try place.entries().compactMap { entry in
            guard entry.bytes.starts(with: name.bytes) else { return nil }
            let rest = entry.bytes.dropFirst(name.bytes.count)
            if rest.isEmpty { return (1, entry) }
            guard rest.first == UInt8(ascii: "."), let number = Int(String(decoding: rest.dropFirst(), as: UTF8.self))
            else {
                return nil
            }
            return (number, entry)
        }
    }

    /// Where the job with that ticket is; `nil` where it is nowhere: somebody has cancelled it, or taken its result away.
    package func location(of ticket: Ticket) throws(SystemError) -> JobLocation? {
        // A daemon may move it from one folder to the next, or back, between two looks.
        for _ in 0..<3 {
            for entry in [ticket.file, ticket.folder] where try spool.queue.status(of: entry) != nil {
                return .queued(ticket)
            }
            if try spool.active.status(of: ticket.folder) != nil { return .active(ticket) }
            if let result = try result(of: ticket) { return result }
            if let held = try HeldJobs(spool).held(named: ticket.name).first(where: { Ticket(entry: $0) == ticket }) {
                return .held(held)
            }
        }
        return nil
    }

    private func result(of ticket: Ticket) throws(SystemError) -> JobLocation? {
        // Most names are given once: then nobody lists a hundred thousand results.
        let folder = ticket.name.with(suffix: "")
        for location in [JobLocation.done(folder), .failed(folder)]
        where try Results(spool).outcome(at: location)?.ticket == ticket {
            return location
        }
        for location in try results(named: ticket.name) where try Results(spool).outcome(at: location)?.ticket == ticket
        {
            return location
        }
        return nil
    }

    /// A file that lies in the inbox, to be found again; `nil` where it is gone.
    package func dropped(_ file: FileName) throws(SystemError) -> AcceptedDrop? {
        guard let name = JobName(dropped: file), let status = try spool.inbox.status(of: file) else { return nil }
        let earlier = Set(try positions(of: name)).subtracting([.dropped(file)])
        return AcceptedDrop(file: file, name: name, inode: status.inode, earlier: earlier)
    }

    /// Where a file is that was dropped; `nil` where it is nowhere.
    package func location(of dropped: AcceptedDrop) throws(SystemError) -> JobLocation? {
        for _ in 0..<3 {
            let positions = try positions(of: dropped.name)
            for location in positions where try inode(at: location) == dropped.inode { return location }
            if let new = positions.last(where: { !dropped.earlier.contains($0) }) { return new }
        }
        return nil
    }

    /// Of the job's file.
    private func inode(at location: JobLocation) throws(SystemError) -> UInt64? {
        guard let (place, entry) = try locate(location), let status = try place.status(of: entry) else { return nil }
        guard status.kind == .directory else { return status.inode }
        guard let folder = try place.directoryIfOpen(entry),
            let file = try folder.entries().first(where: JobFolder.isJob)
        else { return nil }
        return try folder.status(of: file)?.inode
    }

    /// The folder in which it lies, and its name there; `nil` where there is no such folder. Nobody may be there any more.
    func locate(_ location: JobLocation) throws(SystemError) -> (place: Directory, entry: FileName)? {
        switch location {
        case .dropped(let entry): return (spool.inbox, entry)
        case .queued(let ticket):
            let isFile = try spool.queue.status(of: ticket.file) != nil
            return (spool.queue, isFile ? ticket.file : ticket.folder)
        case .active(let ticket): return (spool.active, ticket.folder)
        case .held(let entry):
            guard let hold = try spool.root.directoryIfThere(SpoolNames.hold) else { return nil }
            return (hold, entry)
        case .done(let entry): return (spool.done, entry)
        case .failed(let entry): return (spool.failed, entry)
        }
    }

    /// The path of what lies there.
    package func path(of location: JobLocation) -> String {
        switch location {
        case .dropped(let entry): spool.inbox.path(of: entry)
        case .queued(let ticket): spool.queue.path(of: ticket.file)
        case .active(let ticket): spool.active.path(of: ticket.folder)
        case .held(let entry): "\(spool.root.path(of: SpoolNames.hold))/\(entry)"
        case .done(let entry): spool.done.path(of: entry)
        case .failed(let entry): spool.failed.path(of: entry)
        }
    }

    /// Whether something lies there.
    package func isThere(_ location: JobLocation) throws(SystemError) -> Bool {
        if case .queued(let ticket) = location { return try self.location(of: ticket) == location }
        guard let (place, entry) = try locate(location) else { return false }
        return try place.status(of: entry) != nil
    }

    /// The last attempt at a job that waits; `nil` where it was not tried yet.
    package func lastAttempt(of ticket: Ticket) throws(SystemError) -> Attempts.Attempt? {
        guard let content = try spool.queue.directoryIfOpen(ticket.folder)?.readable(JobFolder.attempts) else {
            return nil
        }
        return (try? JSONDecoder().decode(Attempts.self, from: content))?.list.last
    }
}
