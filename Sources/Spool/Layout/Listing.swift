// What lies in all the folders, in numbers and in order.

import Linux

/// What lies in the folders now.
package struct Listing: Sendable {
    let spool: Spool

    package init(_ spool: Spool) { self.spool = spool }

    /// How many lie in each folder.
    package func counts() throws(SystemError) -> (dropped: Int, held: Int, done: Int, failed: Int) {
        func shown(_ place: Directory?) throws(SystemError) -> Int {
            try place?.entries().count { $0.bytes.first != UInt8(ascii: ".") } ?? 0
        }
        let dropped = try spool.inbox.entries().count { JobName(dropped: $0) != nil }
        return (
            dropped, try shown(spool.root.directoryIfThere(SpoolNames.hold)), try shown(spool.done),
            try shown(spool.failed)
        )
    }

    /// The names of the folders in failed/ that were written last, the latest first.
    package func lastFailures(_ count: Int) throws(SystemError) -> [FileName] {
        var found: [(modified: Int64, name: FileName)] = []
        for name in try HeldJobs(spool).failures() {
            if let status = try spool.failed.status(of: name), status.kind == .directory {
                found.append((status.modified, name))
            }
        }
        return found.sorted { $0 > $1 }.prefix(count).map(\.name)
    }

    /// The tickets that wait in queue/, in order.
    package func waiting() throws(SystemError) -> [Ticket] {
        try spool.queue.entries().compactMap(Ticket.init(entry:)).sorted()
    }

    /// What lies in active/, in order.
    package func activeTickets() throws(SystemError) -> [Ticket] {
        try spool.active.entries().compactMap(Ticket.init(entry:)).sorted()
    }
}
