// What a daemon does first: bring every job that the last one left in active/ to a state of the table, and sweep the inbox
// of what nobody goes on writing.

import Foundation
import Linux

/// An entry of active/ as a listing shows it.
struct LeftOver: Hashable {
    let name: FileName
    /// What is in it; `nil` where it is no folder.
    let entries: Set<FileName>?
}

/// What has to be done about it.
enum Repair: Hashable {
    /// It has its result: only the move to done/ is missing.
    case deliver(Ticket)
    /// It has its error: only the move to failed/ is missing.
    case deliverFailure(Ticket)
    /// It was being rendered, or expanded: it goes back to its place.
    case requeue(Ticket)
    /// A claim that was cut off before its rename, or a job that somebody has cancelled by deleting its file.
    case discard(FileName)
    /// Nothing of ours.
    case leaveAlone(FileName)
}

/// Which repair each entry of active/ needs. What it decides for what a repair leaves is to do nothing.
func repairs(for listing: [LeftOver]) -> [Repair] {
    listing.sorted { $0.name < $1.name }.map { leftOver in
        guard let entries = leftOver.entries, let ticket = Ticket(entry: leftOver.name) else {
            return .leaveAlone(leftOver.name)
        }
        if entries.isDisjoint(with: JobFolder.jobs(ticket.name)) { return .discard(leftOver.name) }
        if entries.contains(JobFolder.result) { return .deliver(ticket) }
        if entries.contains(JobFolder.error) { return .deliverFailure(ticket) }
        return .requeue(ticket)
    }
}

/// A file of inbox/ that is called as a draft is.
struct LeftDraft: Hashable {
    let name: FileName
    /// Nanoseconds since 1970; see ``FileStatus/changed``.
    let changed: Int64
}

/// The drafts that nobody goes on writing: those of a gateway or a client that was killed. Others write theirs in this moment,
/// maybe from another machine; nobody rests for a day.
///
/// - Parameter now: by the clock that gives files their times.
func abandoned(_ drafts: [LeftDraft], now: Timestamp) -> [FileName] {
    drafts.filter { now.microseconds - $0.changed / 1000 >= 24 * 3600 * 1_000_000 }.map(\.name).sorted()
}

/// What was done about an entry of active/, or about drafts in inbox/.
package enum Repaired: Hashable, Sendable, CustomStringConvertible {
    /// Its result lies in the folder `path` now.
    case delivered(Ticket, path: String)
    /// Its error lies in the folder `path` now.
    case deliveredFailure(Ticket, path: String)
    /// It waits again, in its place.
    case requeued(Ticket)
    /// Somebody else's; as it was.
    case leftAlone(path: String)
    /// So many drafts are gone from the inbox at `path`.
    case swept(count: Int, path: String)

    /// A sentence for people.
    package var description: String {
        switch self {
        case .delivered(let ticket, let path): "\(ticket.name) was finished and is now in \(path)"
        case .deliveredFailure(let ticket, let path): "\(ticket.name) had failed and is now in \(path)"
        case .requeued(let ticket): "\(ticket.name) was being rendered and is back in the queue"
        case .leftAlone(let path): "\(path) is no job's folder and is left alone"
        case .swept(let count, let path):
            "removed from \(path): \(count) draft\(count == 1 ? "" : "s") that nobody has gone on writing for a day"
        }
    }
}

/// Repairs a spool at the start.
package struct Recovery: Sendable {
    let spool: Spool

    package init(_ spool: Spool) { self.spool = spool }

    /// Repairs active/, sweeps inbox/ and tells of each job what was done. The lock must be held.
    package func recover(now: Timestamp = .now, tell: (Repaired) -> Void) throws {
        for name in [SpoolNames.draft, SpoolNames.rewritten] { try spool.active.removeAll(name) }
        for file in [SpoolNames.status, SpoolNames.metrics, SpoolNames.pause] { try spool.root.removeDraft(of: file) }
        try Outbox(spool).removeDrafts()
        // They keep nobody from starting: a page that is written anew takes the place of its draft.
        try? Pages(spool).removeDrafts()
        let listing = try spool.active.entries().filter { $0.bytes.first != UInt8(ascii: ".") }.compactMap(leftOver)
        for repair in repairs(for: listing) {
            if let deed = try perform(repair) { tell(deed) }
        }
        let count = swept(now: now)
        if count > 0 { tell(.swept(count: count, path: spool.inbox.path)) }
    }

    /// `nil` for what somebody has taken away since. What is no job's is nobody's to look into: a file server keeps folders of
    /// its own that only it may read.
    private func leftOver(_ name: FileName) throws(SystemError) -> LeftOver? {
        guard let status = try spool.active.status(of: name) else { return nil }
        guard status.kind == .directory, Ticket(entry: name) != nil else { return LeftOver(name: name, entries: nil) }
        guard let folder = try spool.active.directoryIfThere(name) else { return nil }
        return LeftOver(name: name, entries: Set(try folder.entries()))
    }

    /// Keeps nobody from starting: what cannot be removed lies in nobody's way.
    private func swept(now: Timestamp) -> Int {
        // File times on a share are its server's, whose clock may be years away from this one. The daemon has just written
        // itself into the lock.
        let lock = (try? spool.root.status(of: SpoolNames.lock)) ?? nil
        let now = lock.map { Timestamp(microseconds: $0.changed / 1000) } ?? now
        let names = ((try? spool.inbox.entries()) ?? []).filter(JobDraft.isName)
        let drafts = names.compactMap { name -> LeftDraft? in
            guard let status = try? spool.inbox.status(of: name), status.kind == .file else { return nil }
            return LeftDraft(name: name, changed: status.changed)
        }
        return abandoned(drafts, now: now).count { (try? spool.inbox.unlink($0)) != nil }
    }

    private func perform(_ repair: Repair) throws -> Repaired? {
        switch repair {
        case .deliver(let ticket):
            return .delivered(ticket, path: try told(ticket).deliverResult())
        case .deliverFailure(let ticket):
            return .deliveredFailure(ticket, path: try told(ticket).deliver(to: spool.failed, as: .failed))
        case .requeue(let ticket):
            _ = try ActiveJob(ticket, in: spool).requeue()
            return .requeued(ticket)
        case .discard(let name):
            // One that is cancelled has nothing to tell any more.
            if let ticket = Ticket(entry: name) { try Outbox(spool).remove(ticket) }
            try spool.active.removeAll(name)
            return nil
        case .leaveAlone(let name):
            return .leftAlone(path: spool.active.path(of: name))
        }
    }

    /// A job that has its end in its folder, with whom it names: its message may not be written yet.
    private func told(_ ticket: Ticket) throws(SystemError) -> ActiveJob {
        var job = try ActiveJob(ticket, in: spool)
        job.callback = try job.writtenCallback()
        return job
    }
}
