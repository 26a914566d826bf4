// What a daemon does first: bring every job that the last one left in active/ to a state of the table.

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
        if entries.isDisjoint(with: InFolder.jobs(ticket.name)) { return .discard(leftOver.name) }
        if entries.contains(InFolder.result) { return .deliver(ticket) }
        if entries.contains(InFolder.error) { return .deliverFailure(ticket) }
        return .requeue(ticket)
    }
}

extension Folders {
    /// Repairs active/ and tells, a sentence a job, what was done. The lock must be held.
    public func recover() throws -> [String] {
        try active.removeAll(Self.draft)
        for file in [Self.status, Self.pause] { try root.removeDraft(of: file) }
        let listing = try active.entries().filter { $0.bytes.first != UInt8(ascii: ".") }.map { name in
            let isFolder = try active.status(of: name)?.kind == .directory
            return LeftOver(name: name, entries: isFolder ? Set(try active.directory(name).entries()) : nil)
        }
        return try repairs(for: listing).compactMap(perform)
    }

    private func perform(_ repair: Repair) throws -> String? {
        switch repair {
        case .deliver(let ticket):
            return "\(ticket.name) was finished and is now in \(try job(ticket).deliverResult())"
        case .deliverFailure(let ticket):
            return "\(ticket.name) had failed and is now in \(try job(ticket).deliver(to: failed))"
        case .requeue(let ticket):
            _ = try job(ticket).requeue()
            return "\(ticket.name) was being rendered and is back in the queue"
        case .discard(let name):
            try active.removeAll(name)
            return nil
        case .leaveAlone(let name):
            return "\(active.path(of: name)) is no job's folder and is left alone"
        }
    }

    /// The tickets that wait in queue/, in order.
    public func waiting() throws(SystemError) -> [Ticket] {
        try queue.entries().compactMap(Ticket.init(entry:)).sorted()
    }
}
