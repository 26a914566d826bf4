// Does the disk do its work again?

import Linux

extension Folders {
    /// Makes a file of `room` bytes in active/, and removes it. Throws what the disk says where it has no room for that, or
    /// does not work. Whoever comes while another one tries waits.
    package func probe(room: Int) throws(SystemError) {
        try probing.run { () throws(SystemError) in try tryDisk(room) }
    }

    private func tryDisk(_ room: Int) throws(SystemError) {
        let name = Self.draft
        do throws(SystemError) {
            try active.removeAll(name)
            try fill(active.createFile(name), room: room)
            try active.unlink(name)
        } catch {
            try? active.removeAll(name)
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
