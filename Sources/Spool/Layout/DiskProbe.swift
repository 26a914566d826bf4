// Does the disk do its work again?

import Linux

/// Tries the disk of a spool.
package struct DiskProbe: Sendable {
    let spool: Spool

    package init(_ spool: Spool) { self.spool = spool }

    /// Makes a file of `room` bytes in active/, and removes it. Throws what the disk says where it has no room for that, or
    /// does not work. Whoever comes while another one tries waits.
    package func run(room: Int) throws(SystemError) {
        try spool.probing.run { () throws(SystemError) in try tryDisk(room) }
    }

    private func tryDisk(_ room: Int) throws(SystemError) {
        let name = SpoolNames.draft
        do throws(SystemError) {
            try spool.active.removeAll(name)
            try fill(spool.active.createFile(name), room: room)
            try spool.active.unlink(name)
        } catch {
            try? spool.active.removeAll(name)
            throw error
        }
    }

    /// Closes it however it ends.
    private func fill(_ file: consuming File, room: Int) throws(SystemError) {
        try file.allocate(room)
        try file.sync()
        try file.close()
    }
}
