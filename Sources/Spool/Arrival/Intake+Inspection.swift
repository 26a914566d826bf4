// One look at a name in the inbox: what lies there, whether it is a job, and whether all that it needs is there, too.

import Foundation
import Glibc
import Linux

extension Intake {
    /// Of files that are held in memory until they are accepted together, in bytes.
    private static let room = 16 << 20

    /// So many files and more are brought to the disk with all that is written to the filesystem (syncfs(2)). It costs the
    /// same however many they are, but others' writes, too; a few wait for themselves alone.
    private static let many: Int = {
        #if DEBUG
            // The crash suite takes two jobs through what is for many.
            if let text = ProcessInfo.processInfo.environment["SDSPOOL_MANY"], let count = Int(text) { return count }
        #endif
        return 3
    }()

    /// What reading a name has shown.
    private struct Reading {
        /// What was found; `nil` for what is a job by its text, and lies in `file`.
        var look: Inspection?
        var seen: [FileStatus] = []
        var submission: Submission?
        /// It has a job a line.
        var isLines = false
        /// Still open, its content maybe not on the disk.
        var file: UnsyncedFile?
        var content = Data()
    }

    /// Looks at the small files among many, whose contents one call brings to the disk then. The others, and those whose
    /// content that call has lost, are to be looked at one by one.
    mutating func lookAtMany(_ names: [FileName]) -> [FileName: (Inspection, seen: [FileStatus])] {
        // The descriptors come first: only one that was open before an error is sure to be told of it.
        guard names.count >= Self.many, let sync = try? spool.inbox.filesystemSync() else { return [:] }
        var readings: [(name: FileName, reading: Reading)] = []
        var room = Self.room
        for name in names {
            // What an error hides is found again by the look that follows.
            guard let reading = try? read(name) else { continue }
            room -= reading.seen.reduce(0) { $0 + Int(clamping: $1.size) }
            guard room > 0 else { break }
            if let status = reading.seen.first, failures.contains(status) { continue }
            readings.append((name, reading))
        }
        let isSynced = (try? sync.run()) != nil
        var looks: [FileName: (Inspection, seen: [FileStatus])] = [:]
        for (name, reading) in readings {
            if let file = reading.file, let status = reading.seen.first, (try? file.check()) == nil {
                failures.add(status, name, reading.content)
            } else if isSynced {
                looks[name] = (look(reading, hasWriter: reading.file?.hasWriter == true), reading.seen)
            }
        }
        return looks
    }

    /// What lies there. The content of what is whole is on the disk when the call returns.
    mutating func look(at name: FileName) throws(SystemError) -> (Inspection, seen: [FileStatus]) {
        let reading = try read(name)
        guard let file = reading.file, let status = reading.seen.first else {
            return (look(reading, hasWriter: false), reading.seen)
        }
        let hasWriter = file.hasWriter == true
        if !failures.contains(status) {
            // Its writer may not have: before the name moves on, the content is on the disk.
            do throws(SystemError) {
                try file.sync()
                return (look(reading, hasWriter: hasWriter), reading.seen)
            } catch {
                failures.add(status, name, reading.content)
                // What is written into the old file later would be lost with it.
                if hasWriter { throw error }
            }
        }
        file.close()
        if hasWriter { throw SystemError(call: "fsync", code: EIO, path: spool.inbox.path(of: name)) }
        guard let now = try Acceptance(spool).rewrite(name, reading.content, insteadOf: status) else {
            // Somebody has changed it in this moment.
            return try look(at: name)
        }
        failures.remove(status)
        return (look(reading, hasWriter: false), [now] + reading.seen.dropFirst())
    }

    private func look(_ reading: Reading, hasWriter: Bool) -> Inspection {
        switch (reading.look, reading.submission) {
        case (let look?, _): look
        case (nil, .job(let job)): .whole(job, hasWriter: hasWriter)
        case (nil, .batch(let batch)) where reading.isLines: .lines(batch, hasWriter: hasWriter)
        case (nil, .batch(let batch)): .batch(batch, hasWriter: hasWriter)
        case (nil, nil): .gone
        }
    }

    private mutating func read(_ name: FileName) throws(SystemError) -> Reading {
        lacking.remove(name)
        guard let status = try spool.inbox.status(of: name) else { return Reading(look: .gone) }
        switch status.kind {
        case .directory: return Reading(look: .noFile("it is a folder"), seen: [status])
        case .symbolicLink:
            return Reading(look: .noFile("it is a symbolic link; links are not followed"), seen: [status])
        case .other: return Reading(look: .noFile("it is a FIFO, a socket or a device"), seen: [status])
        case .file: break
        }
        if status.size > cap {
            let error = JobFileError(message: "the file has \(status.size) bytes; at most \(cap) are read")
            return Reading(look: .wrong(error), seen: [status])
        }
        do throws(SystemError) {
            let file = try spool.inbox.file(name)
            // Of what is open: the name may be another file's by now.
            let status = try file.status()
            let content = if let kept = failures.content(of: status) { kept } else { try file.read(upTo: cap + 1) }
            let submission: Submission
            let assets: [AssetName]
            let kind = JobFileKind(of: name) ?? .json
            do throws(JobFileError) {
                submission = try Submission(content, kind: kind)
                try submission.check()
                assets = try submission.assets()
            } catch {
                return Reading(look: error.mayStillArrive ? .unfinished(error) : .wrong(error), seen: [status])
            }
            let (lack, pictures) = try look(at: assets, of: name)
            if let lack { return Reading(look: lack, seen: [status] + pictures) }
            return Reading(
                seen: [status] + pictures, submission: submission, isLines: kind != .json, file: UnsyncedFile(file),
                content: content)
        } catch  where error.isMissing {
            return Reading(look: .gone)
        } catch  where error.isForbidden {
            return Reading(look: .unfinished(JobFileError(unreadable: error)), seen: [status])
        }
    }

    /// A job whose pictures are not there yet is one that is still arriving; `nil` where they all are.
    private mutating func look(
        at assets: [AssetName], of name: FileName
    ) throws(SystemError) -> (Inspection?, seen: [FileStatus]) {
        var seen: [FileStatus] = []
        var lack: Inspection?
        for asset in assets {
            var state = try Assets(spool).look(at: asset, settle: settle)
            if case .arriving = state {
                try watch(asset)
                lacking.insert(name)
                // Once more: what came before the watch is not told.
                state = try Assets(spool).look(at: asset, settle: settle)
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
            _ = try inotify.watch(asset.parent(in: spool).folder, for: [.written, .movedIn, .created])
        } catch  where error.isForbidden {
            // A folder that only others may enter: the job waits for as long as it may, and fails.
        }
    }
}
