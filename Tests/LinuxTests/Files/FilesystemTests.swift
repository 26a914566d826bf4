// Which filesystems tell of changes.

import Testing

@testable import Linux

@Suite struct FilesystemTests {
    private static let mounts = """
        22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
        30 22 0:45 / /srv/a rw - nfs4 host:/a rw
        31 22 0:46 / /srv/b\\040c rw master:1 propagate_from:2 - fuse.sshfs host:/b rw
        32 22 8:1 /x /srv/bound rw - xfs /dev/sda1 rw
        cut
        """

    @Test(
        "the kind of a device is the one of its last mount",
        arguments: [("8:1", "xfs"), ("0:45", "nfs4"), ("0:46", "fuse.sshfs"), ("9:9", nil)] as [(String, String?)])
    func kind(device: String, name: String?) {
        #expect(Filesystem(device: device, mounts: Self.mounts)?.name == name)
    }

    @Test(
        "of what others do to a share nobody tells",
        arguments: [
            ("nfs", true), ("nfs4", true), ("cifs", true), ("smb3", true), ("fuse.sshfs", true), ("9p", true),
            ("virtiofs", true), ("vboxsf", true), ("ext4", false), ("xfs", false), ("btrfs", false), ("tmpfs", false),
            ("overlay", false), ("fuseblk", false), ("local", false),
        ])
    func shared(name: String, isShared: Bool) {
        #expect(Filesystem(name: name).isShared == isShared)
    }

    @Test("a folder lies on something that has a name")
    func own() throws {
        #expect(try !Directory(path: "/proc").filesystem().name.isEmpty)
        #expect(try Directory(path: "/proc").filesystem().name == "proc")
    }
}
