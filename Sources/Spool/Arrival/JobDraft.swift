// A file into the inbox, as a careful client puts it there: whole, on the disk, and over nobody else's.

import Foundation
import Linux

/// A job file that was dropped, and what is needed to find it again when it has moved on.
package struct AcceptedDrop: Sendable {
    /// Its name in the inbox.
    package let file: FileName
    /// What the job will be called.
    package let name: JobName
    /// Renames keep it, so the file is known wherever it lies.
    let inode: UInt64
    /// What there was of that name before. On a share, where inodes may change, what is new since is taken for it.
    let earlier: Set<JobLocation>
}

/// A job file that is being written, under a name that nobody takes for a job.
package final class JobDraft: Sendable {
    fileprivate let name: FileName
    private let inbox: Directory
    private let file: UnsyncedFile

    fileprivate init(in inbox: Directory) throws(SystemError) {
        guard let name = FileName(bytes: Array(".\(UUID().uuidString.lowercased()).drop".utf8)) else {
            preconditionFailure("a UUID is a name")
        }
        self.name = name
        self.inbox = inbox
        file = UnsyncedFile(try inbox.createFile(name))
    }

    /// Adds to its end. Throws ``SystemError``.
    package func write(_ bytes: some ContiguousBytes) throws(SystemError) { try file.write(bytes) }

    /// What was written at a place.
    package func read(_ place: Range<Int>) throws(SystemError) -> Data { try inbox.file(name).read(place) }

    /// Waits until it is on the disk; nothing can be added then. A draft whose sync has failed can only be discarded: each
    /// further call throws the same error.
    package func sync() throws(SystemError) { try file.sync() }

    /// Takes it away. Behind the drop there is nothing to take away, or one name too many.
    package func discard() {
        file.close()
        try? inbox.unlink(name)
    }

    /// Whether a draft may be called so: a dot, a UUID in small letters, `.drop`.
    static func isName(_ name: FileName) -> Bool {
        guard name.bytes.count == 42, name.bytes[0] == UInt8(ascii: "."),
            let middle = String(validating: name.bytes[1..<37], as: UTF8.self), middle == middle.lowercased()
        else { return false }
        return UUID(uuidString: middle) != nil && name.bytes[37...].elementsEqual(".drop".utf8)
    }
}

/// Drops job files.
package struct Inbox: Sendable {
    let spool: Spool

    package init(_ spool: Spool) { self.spool = spool }

    /// Puts a job file into the inbox. Where its name is taken there it gets another: `cat-2.json`.
    ///
    /// Throws ``SystemError``.
    package func drop(_ content: Data, as name: JobName, kind: JobFileKind) throws(SystemError) -> AcceptedDrop {
        let draft = try draft()
        defer { draft.discard() }
        try draft.write(content)
        return try drop(draft, as: name, kind: kind)
    }

    /// A job file to be written piece by piece. Whoever has it discards it, dropped or not.
    package func draft() throws(SystemError) -> JobDraft { try JobDraft(in: spool.inbox) }

    private func drop(_ draft: JobDraft, as name: JobName, kind: JobFileKind) throws(SystemError) -> AcceptedDrop {
        try draft.sync()
        var number = 1
        while true {
            let stem = number == 1 ? name.bytes : name.bytes + Array("-\(number)".utf8)
            guard let file = FileName(bytes: stem + Array(kind.suffix.utf8)), let job = JobName(dropped: file) else {
                throw SystemError(call: "open", code: EINVAL, path: spool.inbox.path)
            }
            let earlier = Set(try JobLocator(spool).positions(of: job))
            do throws(SystemError) {
                let inode = try spool.inbox.status(of: draft.name)?.inode ?? 0
                try place(draft, as: file)
                try keep(file)
                return AcceptedDrop(file: file, name: job, inode: inode, earlier: earlier)
            } catch  where error.isExisting {
                number += 1
            }
        }
    }

    /// Puts a job file that is whole into the inbox under a name that no other job has; false where that lies there
    /// already.
    package func drop(_ draft: JobDraft, named name: JobName) throws(SystemError) -> Bool {
        try draft.sync()
        guard try place(draft, named: name) else { return false }
        try keep(name)
        return true
    }

    /// Sees to it that a file that was placed stays in the inbox through a loss of power. Where that is not known it is taken
    /// away again, so that whoever is told of the error may drop it once more: it would be two jobs.
    private func keep(_ file: FileName) throws(SystemError) {
        do throws(SystemError) {
            try spool.inbox.sync()
        } catch {
            let cause = error
            do throws(SystemError) {
                try spool.inbox.unlink(file)
            } catch  where error.isMissing {
                // A daemon has it, and waits for the disk itself before it says so.
                return
            } catch {
                // It stays, and so does what was said of it.
            }
            throw cause
        }
    }

    /// As ``keep(_:)``, for who has placed a job.
    package func keep(_ name: JobName) throws(SystemError) { try keep(name.with(suffix: JobFileKind.json.suffix)) }

    /// The same for a draft that is on the disk, and for a caller who keeps it there.
    package func place(_ draft: JobDraft, named name: JobName) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try place(draft, as: name.with(suffix: JobFileKind.json.suffix))
            return true
        } catch  where error.isExisting {
            return false
        }
    }

    /// Whether there is no job and no result of that name. Looked for in the direction in which jobs move: one that moves
    /// meanwhile is met twice, and never passed by.
    package func isFree(_ name: JobName) throws(SystemError) -> Bool {
        for entry in try spool.inbox.entries() where JobName(dropped: entry) == name { return false }
        guard try Cancellation(spool).tickets(named: name).isEmpty, try HeldJobs(spool).held(named: name).isEmpty else {
            return false
        }
        for place in [spool.done, spool.failed] where try place.status(of: name.with(suffix: "")) != nil {
            return false
        }
        return true
    }

    /// In one step, and over nobody else's file. A rename tells the daemon that the file is whole; behind a link, which could
    /// be of a file that is still being written, it looks again a while later.
    private func place(_ draft: JobDraft, as file: FileName) throws(SystemError) {
        do throws(SystemError) {
            return try spool.inbox.renameNew(draft.name, to: spool.inbox, as: file)
        } catch  where error.isUnsupported {
            // A filesystem that cannot promise to spare what is there.
        }
        do throws(SystemError) {
            try spool.inbox.link(draft.name, as: file)
        } catch  where [EPERM, ENOTSUP, ENOSYS, EMLINK].contains(error.code) {
            // A share without links. The daemon waits until it is whole.
            try spool.inbox.putNew(try spool.inbox.file(draft.name).read(upTo: .max), as: file)
        }
    }
}
