// An open file: read whole, or written once from its beginning to its end and synced.

import CLinux
import Foundation
import Glibc

/// An open file and the path that its errors name.
package struct File: ~Copyable, Sendable {
    let descriptor: Descriptor
    /// For people (see ``escapedForPeople(_:)``).
    package let path: String

    /// See stat(2).
    package func status() throws(SystemError) -> FileStatus {
        var raw = stat()
        try system("fstat", path) { fstat(descriptor.number, &raw) }
        return FileStatus(raw)
    }

    /// Whether somebody has the file open for writing or mapped writable, through whatever name; `nil` where the kernel
    /// does not tell (a network share, a file of somebody else's). A read lease cannot be had then (fcntl(2), "Leases").
    ///
    /// Whoever opens the file for writing in the instant in which the lease is held sends SIGIO to this process, which
    /// must ignore it.
    package var hasWriter: Bool? {
        guard fcntl(descriptor.number, Int32(CLINUX_F_SETLEASE), F_RDLCK) != 0 else {
            _ = fcntl(descriptor.number, Int32(CLINUX_F_SETLEASE), F_UNLCK)
            return false
        }
        return errno == EAGAIN ? true : nil
    }

    /// The content from the beginning, but never more than `cap` bytes: a file may grow while it is read.
    package func read(upTo cap: Int) throws(SystemError) -> Data {
        var content = Data()
        let expected = Int(clamping: try status().size)
        // One byte more than expected, so that the usual file ends with one call that returns 0.
        var piece = [UInt8](repeating: 0, count: max(1, min(cap, 1 << 20, min(expected, 1 << 20) + 1)))
        while content.count < cap {
            let wanted = min(piece.count, cap - content.count)
            let count = try system("read", path) {
                pread(descriptor.number, &piece, wanted, off_t(content.count))
            }
            if count == 0 { break }
            content.append(contentsOf: piece[..<count])
        }
        return content
    }

    /// The bytes at a place; fewer where the file ends before.
    package func read(_ place: Range<Int>) throws(SystemError) -> Data {
        var content = Data()
        var piece = [UInt8](repeating: 0, count: min(place.count, 1 << 20))
        while content.count < place.count {
            let wanted = min(piece.count, place.count - content.count)
            let count = try system("read", path) {
                pread(descriptor.number, &piece, wanted, off_t(place.lowerBound + content.count))
            }
            if count == 0 { break }
            content.append(contentsOf: piece[..<count])
        }
        return content
    }

    /// Writes all of `bytes` at the end of what was written so far; on an error part of it may be there.
    package func write(_ bytes: some ContiguousBytes) throws(SystemError) {
        // ContiguousBytes rethrows untyped errors: the outcome is carried out of the closure as a value.
        let outcome = bytes.withUnsafeBytes { buffer -> Result<Void, SystemError> in
            var rest = UnsafeRawBufferPointer(buffer)
            do throws(SystemError) {
                while !rest.isEmpty {
                    let start = rest.baseAddress
                    let count = try system("write", path, on: descriptor.number) {
                        Glibc.write(descriptor.number, start, rest.count)
                    }
                    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try outcome.get()
    }

    /// Makes the file `size` bytes long, with room for all of them (posix_fallocate(3)).
    package func allocate(_ size: Int) throws(SystemError) {
        try system("posix_fallocate", path, on: descriptor.number) {
            // Gives the error and does not set errno.
            errno = posix_fallocate(descriptor.number, 0, off_t(size))
            return errno == 0 ? 0 : -1
        }
    }

    /// Waits until content and size are on the disk (fsync(2)). After an error the content is unknown and the call
    /// must not be made again on this file: the kernel has marked the lost pages clean.
    package func sync() throws(SystemError) {
        try system("fsync", path, on: descriptor.number) { fsync(descriptor.number) }
    }

    /// Waits for what is on its way to the disk, and tells of errors since the file was opened; sends nothing
    /// (sync_file_range(2)).
    func waitForWriteBack() throws(SystemError) {
        try system("sync_file_range", path, on: descriptor.number) {
            sync_file_range(descriptor.number, 0, 0, UInt32(CLINUX_SYNC_FILE_RANGE_WAIT_BEFORE))
        }
    }

    /// Closes, and tells what close(2) says.
    package consuming func close() throws(SystemError) {
        let path = self.path
        try descriptor.close(path: path)
    }
}
