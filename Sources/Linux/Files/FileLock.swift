// One holder at a time: a lock on a file that says who holds it.
//
// flock(2) and record locks (fcntl(2)) do not see each other, and each of them misses somebody: every version of this daemon
// takes flock(2); what an NFS client locks, by whichever call, is a record lock on the server. So both are taken, and a
// daemon on the server's own disk and one on a client refuse each other. Exceptions:
//
// - On NFS and SMB mounts the kernel turns flock(2) into a record lock on the whole file at the server, with an owner of its
//   own, which our record lock would collide with. There the record lock alone is taken.
// - A filesystem that knows no record locks has flock(2) alone.

import CLinux
import Foundation
import Glibc

/// The lock on a file. The kernel lets it go when its holder ends, however it ends, so a lock is never left behind.
package final class FileLock: Sendable {
    private let descriptor: Descriptor

    private init(descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// What an attempt to take the lock led to.
    package enum LockResult: Sendable {
        /// Ours, until the object goes.
        case held(FileLock)
        /// Somebody else's, with what the holder wrote into the file; empty where that cannot be read.
        case taken(by: Data)
    }

    /// What the holder of the lock on `name` wrote into it; `nil` where nobody holds it. Takes it for an instant, in which
    /// somebody else could not.
    package static func note(_ name: FileName, in directory: Directory) throws(SystemError) -> Data? {
        guard try directory.status(of: name) != nil else { return nil }
        let file = try directory.file(name)
        switch file.foreignRecord() {
        case true?: return file.note
        case false? where try directory.filesystem().locksRecordsForFlock: return nil
        case false?, nil: return try file.takeFlock(LOCK_SH) ? nil : file.note
        }
    }

    /// Takes the lock on `name`, without waiting, and writes `note` into the file for others to read.
    package static func take(_ name: FileName, in directory: Directory, note: Data) throws(SystemError) -> LockResult {
        let file = try directory.lockFile(name)
        switch try file.takeRecord() {
        case false?: return .taken(by: file.note)
        case true? where try directory.filesystem().locksRecordsForFlock: break
        case true?, nil: guard try file.takeFlock(LOCK_EX) else { return .taken(by: file.note) }
        }
        try system("ftruncate", file.path) { ftruncate(file.descriptor.number, 0) }
        try file.write(note)
        return .held(FileLock(descriptor: file.release()))
    }
}

extension File {
    fileprivate consuming func release() -> Descriptor { descriptor }

    /// An SMB server lets nobody read what an older daemon has locked.
    fileprivate var note: Data { (try? read(upTo: 4096)) ?? Data() }

    /// False where somebody else has it.
    fileprivate func takeFlock(_ kind: Int32) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try system("flock", path) { flock(descriptor.number, kind | LOCK_NB) }
            return true
        } catch  where error.code == EWOULDBLOCK {
            return false
        }
    }

    /// False where somebody else has it; `nil` where there is no such lock.
    fileprivate func takeRecord() throws(SystemError) -> Bool? {
        var record = Self.record()
        do throws(SystemError) {
            try system("fcntl", path) { fcntl(descriptor.number, Int32(CLINUX_F_OFD_SETLK), &record) }
            return true
        } catch  where [EAGAIN, EACCES].contains(error.code) {
            return false
        } catch  where Self.knowsNoRecords(error) {
            return nil
        }
    }

    /// Whether somebody else has it; `nil` where there is no such lock. Takes nothing.
    fileprivate func foreignRecord() -> Bool? {
        var record = Self.record()
        guard fcntl(descriptor.number, Int32(CLINUX_F_OFD_GETLK), &record) == 0 else { return nil }
        return record.l_type != Int16(F_UNLCK)
    }

    /// One byte far behind the note, which an SMB server would let nobody read otherwise. A lock on the whole file, as NFS makes
    /// it of flock(2), meets it.
    private static func record() -> Glibc.flock {
        var record = Glibc.flock()
        record.l_type = Int16(F_WRLCK)
        record.l_whence = Int16(SEEK_SET)
        record.l_start = 1 << 30
        record.l_len = 1
        return record
    }

    private static func knowsNoRecords(_ error: SystemError) -> Bool {
        [ENOSYS, ENOTSUP, EINVAL, ENOLCK].contains(error.code)
    }
}

extension Filesystem {
    /// Whether flock(2) there is a record lock on the whole file at a server.
    var locksRecordsForFlock: Bool { ["nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs"].contains(name) }
}
