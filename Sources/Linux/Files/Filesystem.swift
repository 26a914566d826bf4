// What kind of filesystem something lies on: the kernel tells of all changes on a local one (inotify(7)), and of those
// that other machines make on a share it tells nothing.

import Foundation
import Glibc

/// A kind of filesystem.
package struct Filesystem: Sendable, Equatable {
    /// As mount(8) calls it: `ext4`, `nfs4`, `fuse.sshfs`; `local` where nobody says.
    package let name: String

    /// Whether others can change it without a word to this machine's kernel. So can those behind a FUSE filesystem, all
    /// but those that are for disks (`fuseblk`).
    package var isShared: Bool {
        let kinds = [
            "9p", "afs", "beegfs", "ceph", "cifs", "coda", "drvfs", "fuse", "glusterfs", "gpfs", "lustre", "nfs",
            "nfs4", "ocfs2", "prl_fs", "smb2", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs",
        ]
        return kinds.contains(name) || name.hasPrefix("fuse.")
    }

    /// By the number of its device, from the lines of `/proc/self/mountinfo` (proc(5)): the last one that has it.
    init?(device: String, mounts: String) {
        let names = mounts.split(separator: "\n").compactMap { line -> String? in
            let words = line.split(separator: " ")
            guard words.count > 2, words[2] == device, let dash = words.firstIndex(of: "-"), dash + 1 < words.count
            else { return nil }
            return String(words[dash + 1])
        }
        guard let name = names.last else { return nil }
        self.name = name
    }

    init(name: String) { self.name = name }
}

extension Directory {
    /// How many bytes this process may still write to its filesystem (fstatvfs(3)); `nil` where that tells nothing, as some
    /// network shares do. Quotas are not told.
    package func freeBytes() throws(SystemError) -> Int? {
        var raw = statvfs()
        try system("fstatvfs", path) { fstatvfs(descriptor.number, &raw) }
        guard raw.f_blocks > 0 else { return nil }
        let (bytes, isHuge) = UInt64(raw.f_bavail).multipliedReportingOverflow(by: UInt64(raw.f_frsize))
        return isHuge ? .max : Int(clamping: bytes)
    }

    /// What it lies on. Throws ``SystemError``.
    package func filesystem() throws(SystemError) -> Filesystem {
        let device = try status().device
        // As makedev(3) of glibc packs them.
        let major = (device >> 8) & 0xfff | (device >> 32) & ~0xfff
        let minor = device & 0xff | (device >> 12) & ~0xff
        let mounts = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
        return Filesystem(device: "\(major):\(minor)", mounts: mounts) ?? Filesystem(name: "local")
    }
}
