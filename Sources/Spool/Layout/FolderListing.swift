// What lies in all the folders, in numbers and in order.

import Linux

extension Folders {
    /// How many lie in each folder.
    package func counts() throws(SystemError) -> (dropped: Int, held: Int, done: Int, failed: Int) {
        func shown(_ place: Directory?) throws(SystemError) -> Int {
            try place?.entries().count { $0.bytes.first != UInt8(ascii: ".") } ?? 0
        }
        let dropped = try inbox.entries().count { JobName(dropped: $0) != nil }
        return (dropped, try shown(root.directoryIfThere(Self.hold)), try shown(done), try shown(failed))
    }

    /// The names of the folders in failed/ that were written last, the latest first.
    package func lastFailures(_ count: Int) throws(SystemError) -> [FileName] {
        var found: [(modified: Int64, name: FileName)] = []
        for name in try failures() {
            if let status = try failed.status(of: name), status.kind == .directory {
                found.append((status.modified, name))
            }
        }
        return found.sorted { $0 > $1 }.prefix(count).map(\.name)
    }

    /// The tickets that wait in queue/, in order.
    package func waiting() throws(SystemError) -> [Ticket] {
        try queue.entries().compactMap(Ticket.init(entry:)).sorted()
    }

    /// What lies in active/, in order.
    package func activeTickets() throws(SystemError) -> [Ticket] {
        try active.entries().compactMap(Ticket.init(entry:)).sorted()
    }
}
