// A directory held open: names are looked up in it, not in a path, so nobody can swap the ground under a call.

import CLinux
import Foundation
import Glibc

/// An open directory. All that happens to entries happens through one of these.
///
/// Throws ``SystemError`` with the call, errno and the full path. Symbolic links are never followed below it.
package final class Directory: Sendable {
    let descriptor: Descriptor
    /// For people, and to tell others where something is.
    package let path: String
    /// Whose everything is that is made in it; `nil` for what the kernel gives.
    private let group: gid_t?

    private init(descriptor: consuming Descriptor, path: String, group: gid_t?) {
        self.descriptor = descriptor
        self.path = path
        self.group = group
    }

    /// Opens a directory by its path.
    ///
    /// - Parameter group: what is made in it, and in directories that are opened in it, is given to this group.
    package convenience init(path: String, group: gid_t? = nil) throws(SystemError) {
        let number = try system("open", path) { Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        self.init(descriptor: Descriptor(owning: number), path: path, group: group)
    }

    /// The path of an entry, escaped for people.
    package func path(of name: FileName) -> String {
        path.hasSuffix("/") ? "\(path)\(name)" : "\(path)/\(name)"
    }

    // MARK: Looking

    /// The entries but `.` and `..`, in no order.
    package func entries() throws(SystemError) -> [FileName] {
        // A stream of its own: reading moves the offset of the descriptor that it is made from.
        let number = try openAgain()
        guard let stream = fdopendir(number) else {
            let code = errno
            _ = Glibc.close(number)
            throw SystemError(call: "fdopendir", code: code, path: path)
        }
        defer { closedir(stream) }
        var names: [FileName] = []
        while true {
            var next: UnsafeMutablePointer<dirent>?
            try system("readdir", path) {
                errno = 0
                next = readdir(stream)
                return next == nil && errno != 0 ? -1 : 0
            }
            guard let entry = next else { return names }
            // d_name is declared as 256 bytes but is as long as the record: read to its NUL, in place.
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { start in
                    FileName(
                        bytes: UnsafeBufferPointer(start: start, count: strlen(start)).lazy.map {
                            UInt8(bitPattern: $0)
                        })
                }
            }
            if let name { names.append(name) }
        }
    }

    /// What an entry is, a symbolic link itself and not its target; `nil` where there is none.
    package func status(of name: FileName) throws(SystemError) -> FileStatus? {
        var raw = stat()
        do throws(SystemError) {
            try system("fstatat", path(of: name)) {
                name.withCString { fstatat(descriptor.number, $0, &raw, AT_SYMLINK_NOFOLLOW) }
            }
        } catch  where error.code == ENOENT {
            return nil
        }
        return FileStatus(raw)
    }

    /// What this directory is itself.
    package func status() throws(SystemError) -> FileStatus {
        var raw = stat()
        try system("fstat", path) { fstat(descriptor.number, &raw) }
        return FileStatus(raw)
    }

    /// Whether something can be renamed from here to `other` as far as their mounts are concerned: rename(2) does not cross
    /// from one mount to another, not even where both show the same filesystem (bind mounts).
    package func sharesMount(with other: Directory) -> Bool {
        // The kernel compares the mounts before it looks for the name, and nothing has this one.
        let name = ".\(UUID().uuidString)"
        return renameat(descriptor.number, name, other.descriptor.number, name) == 0 || errno != EXDEV
    }

    // MARK: Opening

    /// Opens an entry for reading. A FIFO does not block, a symbolic link is an error (ELOOP).
    package func file(_ name: FileName) throws(SystemError) -> File {
        let number = try openEntry(name, O_RDONLY | O_NONBLOCK)
        return File(descriptor: Descriptor(owning: number), path: path(of: name))
    }

    /// Makes a file for writing that was not there before (EEXIST where it was).
    package func createFile(_ name: FileName) throws(SystemError) -> File {
        let number = try openEntry(name, O_WRONLY | O_CREAT | O_EXCL)
        let file = File(descriptor: Descriptor(owning: number), path: path(of: name))
        try give(name)
        return file
    }

    /// Opens the file that serves as a lock, made where it is missing and kept as it is where it is not.
    func lockFile(_ name: FileName) throws(SystemError) -> File {
        do throws(SystemError) {
            try createFile(name).close()
        } catch  where error.isExisting {
            // Of an earlier life.
        }
        let number = try openEntry(name, O_RDWR)
        return File(descriptor: Descriptor(owning: number), path: path(of: name))
    }

    /// Goes to the group itself, as what is made in it does.
    package func giveToGroup() throws(SystemError) {
        guard let group else { return }
        try system("fchown", path) { fchown(descriptor.number, uid_t.max, group) }
    }

    /// What has just been made goes to the group.
    private func give(_ name: FileName) throws(SystemError) {
        guard let group else { return }
        try system("fchownat", path(of: name)) {
            name.withCString { fchownat(descriptor.number, $0, uid_t.max, group, AT_SYMLINK_NOFOLLOW) }
        }
    }

    /// Opens a directory in this one.
    package func directory(_ name: FileName) throws(SystemError) -> Directory {
        let number = try openEntry(name, O_RDONLY | O_DIRECTORY)
        return Directory(descriptor: Descriptor(owning: number), path: path(of: name), group: group)
    }

    private func openEntry(_ name: FileName, _ flags: Int32) throws(SystemError) -> Int32 {
        try system("openat", path(of: name)) {
            name.withCString { openat(descriptor.number, $0, flags | O_CLOEXEC | O_NOFOLLOW, mode_t(0o666)) }
        }
    }

    // MARK: Changing

    /// Makes a directory; EEXIST where the name is taken.
    package func makeDirectory(_ name: FileName) throws(SystemError) {
        try system("mkdirat", path(of: name)) {
            name.withCString { mkdirat(descriptor.number, $0, mode_t(0o777)) }
        }
        try give(name)
    }

    /// rename(2): replaces a file of the new name and an empty directory, refuses a directory with something in it.
    ///
    /// An error is none where it was done all the same: a server of a network share may do it and lose its answer.
    package func rename(_ name: FileName, to other: Directory, as newName: FileName) throws(SystemError) {
        let before = try status(of: name)
        do throws(SystemError) {
            try system("renameat", "\(path(of: name)) to \(other.path(of: newName))") {
                name.withCString { old in
                    newName.withCString { new in renameat(descriptor.number, old, other.descriptor.number, new) }
                }
            }
        } catch {
            guard let before, try status(of: name) == nil, let after = try other.status(of: newName),
                (before.device, before.inode) == (after.device, after.inode)
            else { throw error }
        }
    }

    /// Renames an entry; EEXIST where the new name is taken (renameat2(2), RENAME_NOREPLACE). Some filesystems know no such
    /// thing (EINVAL).
    package func renameNew(_ name: FileName, to other: Directory, as newName: FileName) throws(SystemError) {
        try system("renameat2", "\(path(of: name)) to \(other.path(of: newName))") {
            name.withCString { old in
                newName.withCString { new in
                    renameat2(descriptor.number, old, other.descriptor.number, new, UInt32(CLINUX_RENAME_NOREPLACE))
                }
            }
        }
    }

    /// Gives a file one more name (linkat(2)); EEXIST where that is taken. Some network shares know no such thing.
    package func link(_ name: FileName, as newName: FileName) throws(SystemError) {
        try system("linkat", "\(path(of: name)) to \(path(of: newName))") {
            name.withCString { old in
                newName.withCString { new in linkat(descriptor.number, old, descriptor.number, new, 0) }
            }
        }
    }

    /// Removes a name that is not a directory.
    package func unlink(_ name: FileName) throws(SystemError) {
        try system("unlinkat", path(of: name)) {
            name.withCString { unlinkat(descriptor.number, $0, 0) }
        }
    }

    /// Removes an empty directory.
    package func removeDirectory(_ name: FileName) throws(SystemError) {
        try system("unlinkat", path(of: name)) {
            name.withCString { unlinkat(descriptor.number, $0, AT_REMOVEDIR) }
        }
    }

    /// Waits until the names in it are on the disk (fsync(2)). Through a descriptor of its own each time: one that has
    /// told of an error once says nothing of it again.
    ///
    /// After an error it may be called again. Names are in the journal of a filesystem that has one, and a journal that has
    /// lost something fails until the filesystem is mounted again. A filesystem that knows no such thing (EINVAL, see
    /// fsync(2): some network shares) has no promise to keep, and neither has a directory that is deleted (ENOENT).
    package func sync() throws(SystemError) {
        do throws(SystemError) {
            let descriptor = Descriptor(owning: try openAgain())
            try system("fsync", path, on: descriptor.number) { fsync(descriptor.number) }
        } catch  where [EINVAL, ENOTSUP, ENOSYS, ENOENT].contains(error.code) {
            return
        }
    }

    private func openAgain() throws(SystemError) -> Int32 {
        try system("openat", path) { openat(descriptor.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    }

    /// Prepares a sync of the whole filesystem. Call it before you write what the sync is to cover.
    package func filesystemSync() throws(SystemError) -> FilesystemSync {
        FilesystemSync(descriptor: Descriptor(owning: try openAgain()), path: path)
    }
}

/// One call that brings many files to the disk. The kernel reports an error once to each descriptor that was open before
/// it: this one is nobody else's, so no other caller takes the error away.
package struct FilesystemSync: ~Copyable, Sendable {
    fileprivate let descriptor: Descriptor
    fileprivate let path: String

    /// Waits until everything that was written to the filesystem is on the disk (syncfs(2)).
    package consuming func run() throws(SystemError) {
        try system("syncfs", path, on: descriptor.number) { syncfs(descriptor.number) }
    }
}
