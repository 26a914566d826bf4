// What lies in the inbox and is not taken: why. The daemon's own judgement is in StabilityCheck.swift, and is made of more than one
// look; this is what can be said of one.

import Foundation
import Linux

/// Why a name in the inbox is still there.
package enum InboxDiagnosis: Hashable, Sendable {
    /// It never will be a job, whatever comes: left alone.
    case noJobFile(String)
    /// Not yet; it fails if it stays so.
    case unfinished(String)
    /// It is none, and fails.
    case wrong(String)
    /// Somebody has it open for writing.
    case open
    /// It is taken as soon as a daemon looks.
    case whole
}

extension Inbox {
    /// Looks once at a name in the inbox; `nil` where it is gone.
    package func diagnosis(of name: FileName, cap: Int = JobFile.usualCap) throws(SystemError) -> InboxDiagnosis? {
        guard let status = try spool.inbox.status(of: name) else { return nil }
        switch status.kind {
        case .directory: return .noJobFile("it is a folder, and only files are jobs")
        case .symbolicLink: return .noJobFile("it is a symbolic link, and links are not followed")
        case .other: return .noJobFile("it is a FIFO, a socket or a device")
        case .file: break
        }
        guard JobName(dropped: name) != nil else {
            let isHidden = name.bytes.first == UInt8(ascii: ".")
            return .noJobFile(
                isHidden
                    ? "its name begins with a dot; rename it when it is whole"
                    : "its name does not end in .json or .jsonl")
        }
        guard status.size <= cap else { return .wrong("it has \(status.size) bytes; at most \(cap) are read") }
        let file: File
        do throws(SystemError) {
            file = try spool.inbox.file(name)
        } catch  where error.isForbidden {
            return .unfinished(JobFileError(unreadable: error).message)
        }
        let content = try file.read(upTo: cap)
        do throws(JobFileError) {
            let submission = try Submission(content, kind: JobFileKind(of: name) ?? .json)
            try submission.check()
            for asset in try submission.assets() {
                switch try? Assets(spool).look(at: asset, settle: .zero) {
                case .arriving(let error, _), .wrong(let error): return .unfinished(error.message)
                case .ready, nil: break
                }
            }
        } catch {
            return error.mayStillArrive ? .unfinished(error.message) : .wrong(error.message)
        }
        return file.hasWriter == true ? .open : .whole
    }
}
