// The file of a job, wherever it lies: for those who show what it asks for, or drop it once more.

import Foundation
import Linux

extension Folders {
    /// What was dropped, as it was written; `nil` where there is none, where it holds a job a line, or where it has more than
    /// `cap` bytes, or where only others may read it. Somebody may move it between two looks.
    package func jobText(at location: JobLocation, upTo cap: Int) throws(SystemError) -> Data? {
        switch location {
        case .dropped(let entry): return try text(entry, in: inbox, cap)
        case .queued(let ticket):
            if let text = try text(ticket.file, in: queue, cap) { return text }
            return try inFolder(ticket.folder, of: queue, cap)
        case .active(let ticket): return try inFolder(ticket.folder, of: active, cap)
        case .held(let entry):
            guard let hold = try root.directoryIfThere(Self.hold) else { return nil }
            if let text = try text(entry, in: hold, cap) { return text }
            return try inFolder(entry, of: hold, cap)
        case .done(let entry): return try inFolder(entry, of: done, cap)
        case .failed(let entry): return try inFolder(entry, of: failed, cap)
        }
    }

    private func inFolder(_ entry: FileName, of place: Directory, _ cap: Int) throws(SystemError) -> Data? {
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
