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
            try putNew(content, as: draft, lasting: lasting)
            try rename(draft, to: self, as: name)
        } catch {
            // Also a file that was made although the call for it failed, as a share does it: nobody would come for it.
            try? unlink(draft)
            throw error
        }
    }

    /// Puts `content` under a name that is free, on the disk when the call returns, but for the name. A crash in the middle
    /// leaves a part of it: for what is of no use before that. Throws EEXIST where the name is taken.
    ///
    /// - Parameter lasting: false where the caller brings it to the disk.
    func putNew(_ content: Data, as name: FileName, lasting: Bool = true) throws(SystemError) {
        let file = try createFile(name)
        do throws(SystemError) {
            try fill(file, content, lasting: lasting)
        } catch {
            // It is closed by now.
            try? unlink(name)
            throw error
        }
    }

    /// Closes it however it ends.
    private func fill(_ file: consuming File, _ content: Data, lasting: Bool) throws(SystemError) {
        try file.write(content)
        if lasting { try file.sync() }
        try file.close()
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
    func content(of name: FileName, upTo cap: Int = 64 << 20) throws(SystemError) -> Data? {
        guard try status(of: name) != nil else { return nil }
        return try file(name).read(upTo: cap)
    }

    /// Removes a name and, where it is a directory, all below it; what somebody else removes meanwhile is removed. No link is
    /// followed. What goes by itself (``FileName/isSillyRename``) may stay, with the folders around it.
    func removeAll(_ name: FileName) throws(SystemError) { _ = try removesAll(name) }

    /// The same, and whether nothing stays.
    func removesAll(_ name: FileName) throws(SystemError) -> Bool {
        guard let status = try status(of: name) else { return true }
        guard status.kind == .directory else { return try remove(name) }
        guard let directory = try directoryIfThere(name) else { return true }
        var triesLeft = 3
        while true {
            var staying: Set<FileName> = []
            for entry in try directory.entries() where try !directory.removesAll(entry) { staying.insert(entry) }
            do throws(SystemError) {
                try removeDirectory(name)
                return true
            } catch  where error.isMissing {
                return true
            } catch  where error.isTaken || error.isBusy {
                // Whoever has a file open himself finds it under its new name only behind the call that removes it.
                let left = try directory.entries()
                if !left.isEmpty, left.allSatisfy({ staying.contains($0) || $0.isSillyRename }) { return false }
                // Something has come meanwhile.
                triesLeft -= 1
                if triesLeft == 0 { throw error }
            }
        }
    }

    private func remove(_ name: FileName) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try unlink(name)
        } catch  where error.isMissing {
            // Somebody was faster.
        } catch  where error.isBusy && name.isSillyRename {
            return false
        }
        return true
    }
}
