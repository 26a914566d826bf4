// A job that has ended: its folder, opened, for who passes on what lies in it.

import Foundation
import Linux

/// A folder of a result, and what it says.
package struct ResultFolder: Sendable {
    /// In done/ or failed/.
    package let name: FileName
    /// Which of the two.
    package let ending: ResultKind
    /// Its pictures lie in it. Anybody may have put anything else there since.
    package let folder: Directory
    /// result.json or error.json; empty where it is gone or cannot be read.
    package let document: Data

    /// What that says.
    package var outcome: ResultSummary { ResultSummary(isDone: ending == .done, document) }
}

extension Results {
    /// What has come of the job whose result has that name; `nil` where there is none.
    package func ended(_ name: FileName) throws(SystemError) -> ResultFolder? {
        guard name.bytes.first != UInt8(ascii: ".") else { return nil }
        for (ending, place) in [(ResultKind.done, spool.done), (.failed, spool.failed)] {
            guard let folder = try place.directoryIfOpen(name) else { continue }
            let document = try folder.readable(ending.document) ?? Data()
            return ResultFolder(name: name, ending: ending, folder: folder, document: document)
        }
        return nil
    }

    /// A file below the spool that others may see: what the path names, each part looked up in the one before it, no link
    /// followed; `nil` where there is none, or none that the daemon itself may read.
    package func file(at path: [FileName]) throws(SystemError) -> File? {
        var place = spool.root
        for part in path.dropLast() {
            guard part.bytes.first != UInt8(ascii: "."), let next = try place.directoryIfOpen(part) else { return nil }
            place = next
        }
        guard let last = path.last, last.bytes.first != UInt8(ascii: "."), let status = try place.status(of: last),
            status.kind == .file
        else { return nil }
        do throws(SystemError) {
            return try place.file(last)
        } catch  where error.isMissing || error.isForbidden {
            return nil
        }
    }
}
