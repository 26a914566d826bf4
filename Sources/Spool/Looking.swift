// One look at a name in the inbox: what lies there, whether it is a job, and whether all that it needs is there, too.

import Foundation
import Linux

extension Intake {
    /// Of files that are held in memory until they are accepted together, in bytes.
    private static let room = 16 << 20

    /// Looks at the small files among many, whose contents one call brings to the disk then. The others are to be looked at
    /// one by one.
    mutating func lookAtMany(_ names: [FileName]) -> [FileName: (Look, seen: [FileStatus])] {
        guard names.count >= Folders.many else { return [:] }
        var looks: [FileName: (Look, seen: [FileStatus])] = [:]
        var room = Self.room
        for name in names {
            // What an error hides is found again by the look that follows.
            guard let found = try? look(at: name, syncs: false) else { continue }
            room -= found.seen.reduce(0) { $0 + Int($1.size) }
            guard room > 0 else { break }
            looks[name] = found
        }
        return (try? folders.inbox.syncFilesystem()) == nil ? [:] : looks
    }

    /// - Parameter syncs: whether the content of what is whole is on the disk when the call returns.
    mutating func look(at name: FileName, syncs: Bool = true) throws(SystemError) -> (Look, seen: [FileStatus]) {
        lacking.remove(name)
        guard let status = try folders.inbox.status(of: name) else { return (.gone, []) }
        switch status.kind {
        case .directory: return (.noFile("it is a folder"), [status])
        case .symbolicLink: return (.noFile("it is a symbolic link; links are not followed"), [status])
        case .other: return (.noFile("it is a FIFO, a socket or a device"), [status])
        case .file: break
        }
        if status.size > cap {
            let error = JobFileError(message: "the file has \(status.size) bytes; at most \(cap) are read")
            return (.wrong(error), [status])
        }
        do throws(SystemError) {
            let file = try folders.inbox.file(name)
            let content = try file.read(upTo: cap + 1)
            let kind = JobFileKind(of: name) ?? .json
            let submission: Submission
            let assets: [AssetName]
            do throws(JobFileError) {
                submission = try Submission(content, kind: kind)
                try submission.check(insight)
                assets = try submission.assets(insight)
            } catch {
                return (error.mayStillArrive ? .unfinished(error) : .wrong(error), [status])
            }
            let (lack, pictures) = try look(at: assets, of: name)
            if let lack { return (lack, [status] + pictures) }
            // Its writer may not have: before the name moves on, the content is on the disk.
            do throws(SystemError) {
                if syncs { try file.sync() }
            } catch {
                try folders.rewrite(name, content)
            }
            let hasWriter = file.hasWriter == true
            switch submission {
            case .job(let job): return (.whole(job, hasWriter: hasWriter), [status] + pictures)
            case .batch(let batch) where kind == .json:
                return (.batch(batch, hasWriter: hasWriter), [status] + pictures)
            case .batch(let batch): return (.lines(batch, hasWriter: hasWriter), [status] + pictures)
            }
        } catch  where error.isMissing {
            return (.gone, [])
        } catch  where error.isForbidden {
            return (.unfinished(JobFileError(unreadable: error)), [status])
        }
    }

    /// A job whose pictures are not there yet is one that is still arriving; `nil` where they all are.
    private mutating func look(
        at assets: [AssetName], of name: FileName
    ) throws(SystemError) -> (Look?, seen: [FileStatus]) {
        var seen: [FileStatus] = []
        var lack: Look?
        for asset in assets {
            var state = try folders.look(at: asset, settle: settle)
            if case .arriving = state {
                try watch(asset)
                lacking.insert(name)
                // Once more: what came before the watch is not told.
                state = try folders.look(at: asset, settle: settle)
            }
            switch state {
            case .ready(let status): seen.append(status)
            case .arriving(let error, let status):
                seen += [status].compactMap { $0 }
                lack = lack ?? .unfinished(error)
            case .wrong(let error): return (.wrong(error), seen)
            }
        }
        return (lack, seen)
    }

    /// Watches the folder that a picture will come to, or the one that its folder will.
    private func watch(_ asset: AssetName) throws(SystemError) {
        do throws(SystemError) {
            _ = try inotify.watch(asset.parent(in: folders).folder, for: [.written, .movedIn, .created])
        } catch  where error.isForbidden {
            // A folder that only others may enter: the job waits for as long as it may, and fails.
        }
    }
}
