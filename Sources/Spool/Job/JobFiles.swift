// The file of a job, wherever it lies: for those who show what it asks for, or drop it once more.

import Foundation
import Linux

/// Reads job files, wherever they lie.
package struct JobFiles: Sendable {
    let spool: Spool

    package init(_ spool: Spool) { self.spool = spool }

    /// What was dropped, as it was written; `nil` where there is none, where it holds a job a line, or where it has more than
    /// `cap` bytes, or where only others may read it. Somebody may move it between two looks.
    package func text(at location: JobLocation, upTo cap: Int) throws(SystemError) -> Data? {
        guard let (place, entry) = try JobLocator(spool).locate(location) else { return nil }
        if let text = try text(entry, in: place, cap) { return text }
        guard let folder = try place.directoryIfOpen(entry),
            let job = try folder.entries().first(where: JobFolder.isJob)
        else { return nil }
        return try text(job, in: folder, cap)
    }

    private func text(_ name: FileName, in place: Directory, _ cap: Int) throws(SystemError) -> Data? {
        guard let status = try place.status(of: name), status.kind == .file, status.size <= cap,
            JobFileKind(of: name) == .json
        else { return nil }
        return try place.readable(name, upTo: cap)
    }
}
