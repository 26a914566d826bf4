// When a result was finished, for those who take the oldest away.
//
// Its folder's time does not tell: file times are a file server's, whose clock may be years away, and a copy or a touch sets
// them. What result.json says is the daemon's own word; but anybody may have written into it since. So the younger of both
// counts: neither a wrong clock nor a wrong word takes a fresh result away.

import Foundation
import Linux
import Synchronization

/// What was read of the folders in done/ by earlier looks, so that a look at fifty thousand costs no more than a stat(2) each.
package final class ResultMemory: Sendable {
    /// A folder that is another one, or has changed since, is another key.
    struct Key: Hashable {
        let device, inode: UInt64
        let changed: Int64

        init(_ status: FileStatus) { (device, inode, changed) = (status.device, status.inode, status.changed) }
    }

    /// What a folder holds.
    enum Content: Hashable {
        /// No result: what somebody keeps in a folder of his own is his.
        case none
        /// A result, and when it was finished by its own word; `nil` where it has none that can be read.
        case result(finished: Timestamp?)
    }

    private let known = Mutex<[Key: Content]>([:])

    /// Remembers nothing yet.
    package init() {}

    func content(of key: Key) -> Content? { known.withLock { $0[key] } }
    /// What is there now; all else is forgotten.
    func replace(by contents: [Key: Content]) { known.withLock { $0 = contents } }
}

extension Results {
    /// So much is read of a result.json at its beginning, where all but batches have the moment, and at its end.
    private static let (headSize, tailSize) = (256 << 10, 4 << 10)

    /// Looks into a folder in done/. Throws where the disk fails: nobody knows then how old it is.
    func resultContent(_ name: FileName) throws(SystemError) -> ResultMemory.Content {
        do throws(SystemError) {
            guard let folder = try spool.done.directoryIfThere(name),
                let status = try folder.status(of: JobFolder.result)
            else { return .none }
            // A link, a FIFO or a folder tells nothing.
            guard status.kind == .file else { return .result(finished: nil) }
            let file = try folder.file(JobFolder.result)
            let head = try file.read(0..<min(Int(clamping: status.size), Self.headSize))
            if let finished = Self.finished(in: head, isWhole: status.size <= Int64(head.count)) {
                return .result(finished: finished)
            }
            guard status.size > Int64(head.count) else { return .result(finished: nil) }
            let size = Int(clamping: status.size)
            return .result(finished: Self.finished(atEndOf: try file.read(size - min(size, Self.tailSize)..<size)))
        } catch  where error.isMissing || error.isForbidden {
            // Gone; or only others may read it, or enter its folder.
            return try isResult(name) ? .result(finished: nil) : .none
        }
    }

    /// Whether a folder in done/ holds a result, now.
    func isResult(_ name: FileName) throws(SystemError) -> Bool {
        do throws(SystemError) {
            return try spool.done.directoryIfThere(name)?.status(of: JobFolder.result) != nil
        } catch  where error.isMissing || error.isForbidden {
            return false
        }
    }

    private static let mark = Data("\n  \"finished\": \"".utf8)

    /// As the daemon writes it a member of the outermost object is the first in a line of its own, which nothing within a
    /// string can be.
    static func finished(in head: Data, isWhole: Bool) -> Timestamp? {
        if let place = head.range(of: mark) { return stamp(head[place.upperBound...]) }
        struct Document: Decodable { let finished: String? }
        guard isWhole, let text = (try? JSONDecoder().decode(Document.self, from: head))?.finished else { return nil }
        return Timestamp(iso8601: text)
    }

    /// A batch has it behind the table of its parts.
    static func finished(atEndOf tail: Data) -> Timestamp? {
        tail.range(of: mark, options: .backwards).flatMap { stamp(tail[$0.upperBound...]) }
    }

    private static func stamp(_ text: Data) -> Timestamp? {
        guard let end = text.firstIndex(of: UInt8(ascii: "\"")) else { return nil }
        return Timestamp(iso8601: String(decoding: text[..<end].prefix(40), as: UTF8.self))
    }
}

extension Retention {
    /// When a result counts as finished: by its own word or by its folder's last change, whichever is later. What says that it
    /// comes from tomorrow says nothing.
    static func moment(word finished: Timestamp?, changed: Timestamp, now: Timestamp) -> Timestamp {
        guard let finished, finished.microseconds < now.microseconds + 86_400_000_000 else { return changed }
        return max(finished, changed)
    }
}
