// What the kernel knows of a file.

import Glibc

/// The parts of stat(2) that a spool decides by.
package struct FileStatus: Hashable, Sendable {
    /// What sort of thing a name stands for.
    package enum Kind: Hashable, Sendable {
        case file, directory, symbolicLink, other
    }

    /// What it is; a FIFO, a socket and a device are all `other`.
    package let kind: Kind
    /// In bytes.
    package let size: Int64
    /// Names that this file has (st_nlink).
    package let links: UInt64
    /// With `inode`, what makes two names the same file.
    package let device: UInt64
    /// With `device`, what makes two names the same file.
    package let inode: UInt64
    /// Nanoseconds since 1970: the last change of content, which anybody can set.
    package let modified: Int64
    /// Nanoseconds since 1970: the last change of anything, the name too, which nobody can set.
    package let changed: Int64

    init(_ raw: stat) {
        switch raw.st_mode & S_IFMT {
        case S_IFREG: kind = .file
        case S_IFDIR: kind = .directory
        case S_IFLNK: kind = .symbolicLink
        default: kind = .other
        }
        size = Int64(raw.st_size)
        links = UInt64(raw.st_nlink)
        device = UInt64(raw.st_dev)
        inode = UInt64(raw.st_ino)
        modified = Self.nanoseconds(raw.st_mtim)
        changed = Self.nanoseconds(raw.st_ctim)
    }

    /// Anybody can set a time that has no room in 64 bits (a filesystem keeps it until 2446 and longer): it is the last or the
    /// first that has.
    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(clamping: Int128(time.tv_sec) * 1_000_000_000 + Int128(time.tv_nsec))
    }
}
