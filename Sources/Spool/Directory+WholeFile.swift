// Files that are there whole or not at all.

import Foundation
import Linux

extension Directory {
    /// Puts `content` under `name`, in place of what was there, so that a reader and a crash find the old content or
    /// the new one and never a part. On the disk when the call returns, but for the name: sync the directory.
    ///
    /// - Parameter lasting: false for what nobody needs behind a crash: it costs no write to the disk then.
    func putWhole(_ content: Data, as name: FileName, lasting: Bool = true) throws(SystemError) {
        let draft = draft(of: name)
        try? unlink(draft)
        do throws(SystemError) {
            let file = try createFile(draft)
            try file.write(content)
            if lasting { try file.sync() }
            try file.close()
            try rename(draft, to: self, as: name)
        } catch {
            try? unlink(draft)
            throw error
        }
    }

    private func draft(of name: FileName) -> FileName {
        guard let draft = FileName(bytes: Array(".".utf8) + name.bytes) else {
            preconditionFailure("a dot fits a name")
        }
        return draft
    }

    /// Removes what a daemon left that was killed while it put a file.
    func removeDraft(of name: FileName) throws(SystemError) { try removeAll(draft(of: name)) }

    /// The content of a small file of ours; `nil` where it is not there.
    func content(of name: FileName) throws(SystemError) -> Data? {
        guard try status(of: name) != nil else { return nil }
        return try file(name).read(upTo: 64 << 20)
    }

    /// Removes a name and, where it is a directory, all below it. No link is followed.
    func removeAll(_ name: FileName) throws(SystemError) {
        guard let status = try status(of: name) else { return }
        guard status.kind == .directory else { return try unlink(name) }
        let directory = try directory(name)
        for entry in try directory.entries() { try directory.removeAll(entry) }
        try removeDirectory(name)
    }
}
