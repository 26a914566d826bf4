// Files of the inbox that a sync has failed for. The kernel reports lost content once; after that the file seems to be on
// the disk, and may turn into zeros when memory is short or power is lost.

import Foundation
import Linux

/// Remembers the files whose own sync must not be trusted any more, with the content that was read before the error.
///
/// A file is told by its inode, whatever it is called, for as long as the daemon lives: what its owner writes into it later
/// does not bring back what was lost elsewhere in it.
struct SyncFailures {
    private struct Identity: Hashable {
        let device, inode: UInt64

        init(_ status: FileStatus) { (device, inode) = (status.device, status.inode) }
    }
    private struct Failure {
        let name: FileName
        /// Of the content; a change of anything else leaves it as it is.
        let size, modified: Int64
        /// `nil` where there was no room for it.
        let content: Data?
    }
    private var failures: [Identity: Failure] = [:]
    private var held = 0
    /// So many bytes of content are held at most.
    private let room: Int

    init(room: Int = 16 << 20) { self.room = room }

    var count: Int { failures.count }

    /// A sync of the file that `name` stands for has failed. `content` was read from it before.
    mutating func add(_ status: FileStatus, _ name: FileName, _ content: Data) {
        let before = self.content(of: status)
        remove(status)
        // What is read after an error may already be zeros.
        let content = before ?? content
        let isHeld = content.count <= room - held
        if isHeld { held += content.count }
        failures[Identity(status)] = Failure(
            name: name, size: status.size, modified: status.modified, content: isHeld ? content : nil)
    }

    /// Whether the file must be written anew before it is accepted.
    func contains(_ status: FileStatus) -> Bool { failures[Identity(status)] != nil }

    /// What the file held before the error; `nil` where that is not known, or its owner has written into it since.
    func content(of status: FileStatus) -> Data? {
        guard let failure = failures[Identity(status)],
            (failure.size, failure.modified) == (status.size, status.modified)
        else { return nil }
        return failure.content
    }

    /// It was written anew.
    mutating func remove(_ status: FileStatus) {
        guard let failure = failures.removeValue(forKey: Identity(status)) else { return }
        held -= failure.content?.count ?? 0
    }

    /// Forgets the files that are no longer what `status` says of their names.
    mutating func removeGone(_ status: (FileName) throws(SystemError) -> FileStatus?) throws(SystemError) {
        for (identity, failure) in failures {
            let now = try status(failure.name)
            guard now.map(Identity.init) != identity else { continue }
            failures[identity] = nil
            held -= failure.content?.count ?? 0
        }
    }
}
