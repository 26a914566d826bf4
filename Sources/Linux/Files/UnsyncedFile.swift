// An open file whose content has to reach the disk. The answer of the disk is final: the kernel reports lost content once,
// and a second fsync(2) would succeed although the content is gone.

import Foundation
import Glibc
import Synchronization

/// Holds a file open until it is synced or given up. Only a descriptor that was open before an error is sure to report it.
///
/// It remembers the outcome: a sync that has failed keeps failing, and one that has succeeded is not repeated.
package final class UnsyncedFile: Sendable {
    private struct State: ~Copyable {
        var file: File?
        var outcome: Result<Void, SystemError>?
    }
    private let state: Mutex<State>
    private let path: String

    /// Takes over an open file.
    package init(_ file: consuming File) {
        path = file.path
        state = Mutex(State(file: file, outcome: nil))
    }

    /// Appends to the file; EBADF after it was synced or closed.
    package func write(_ bytes: some ContiguousBytes) throws(SystemError) {
        try state.withLock { (state) throws(SystemError) in
            guard state.file != nil else { throw isClosed("write") }
            try state.file?.write(bytes)
        }
    }

    /// Waits until the content is on the disk, and closes the file.
    package func sync() throws(SystemError) {
        try state.withLock { (state) throws(SystemError) in
            if let outcome = state.outcome { return try outcome.get() }
            guard let file = state.file.take() else { throw isClosed("fsync") }
            do throws(SystemError) {
                try file.sync()
                try file.close()
                state.outcome = .success(())
            } catch {
                state.outcome = .failure(error)
                throw error
            }
        }
    }

    /// Throws if content was lost since the file was opened. To be called after the whole filesystem was synced, which may
    /// have reported that loss to another caller. Leaves the file open.
    package func check() throws(SystemError) {
        try state.withLock { (state) throws(SystemError) in
            if let outcome = state.outcome { return try outcome.get() }
            guard state.file != nil else { throw isClosed("sync_file_range") }
            do throws(SystemError) {
                try state.file?.waitForWriteBack()
            } catch {
                state.outcome = .failure(error)
                throw error
            }
        }
    }

    /// See ``File/hasWriter``; `nil` after it was closed.
    package var hasWriter: Bool? { state.withLock { $0.file?.hasWriter ?? nil } }

    /// Closes the file without a sync, if it is still open. On NFS a name can only be removed when the file is closed.
    package func close() { state.withLock { $0.file = nil } }

    private func isClosed(_ call: String) -> SystemError { SystemError(call: call, code: EBADF, path: path) }
}
