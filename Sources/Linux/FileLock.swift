// One holder at a time: a lock on a file that says who holds it.

import Foundation
import Glibc

/// The lock of flock(2) on a file. The kernel lets it go when its holder ends, however it ends, so a lock is never
/// left behind. On NFS and SMB mounts Linux makes it a lock that other hosts see too.
public final class FileLock: Sendable {
    private let descriptor: Descriptor

    private init(descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// What an attempt to take the lock led to.
    public enum Outcome: Sendable {
        /// Ours, until the object goes.
        case held(FileLock)
        /// Somebody else's, with what the holder wrote into the file.
        case taken(by: Data)
    }

    /// What the holder of the lock on `name` wrote into it; `nil` where nobody holds it. Takes it for an instant, in which
    /// somebody else could not.
    public static func note(_ name: FileName, in directory: Directory) throws(SystemError) -> Data? {
        guard try directory.status(of: name) != nil else { return nil }
        let file = try directory.file(name)
        do throws(SystemError) {
            try system("flock", file.path) { flock(file.descriptor.number, LOCK_SH | LOCK_NB) }
            return nil
        } catch  where error.code == EWOULDBLOCK {
            return try file.read(upTo: 4096)
        }
    }

    /// Takes the lock on `name`, without waiting, and writes `note` into the file for others to read.
    public static func take(_ name: FileName, in directory: Directory, note: Data) throws(SystemError) -> Outcome {
        let file = try directory.lockFile(name)
        do throws(SystemError) {
            try system("flock", file.path) { flock(file.descriptor.number, LOCK_EX | LOCK_NB) }
        } catch  where error.code == EWOULDBLOCK {
            return .taken(by: try file.read(upTo: 4096))
        }
        try system("ftruncate", file.path) { ftruncate(file.descriptor.number, 0) }
        try file.write(note)
        return .held(FileLock(descriptor: file.release()))
    }
}

extension File {
    fileprivate consuming func release() -> Descriptor { descriptor }
}
