// The spool: the folder that is the interface, held open. SpoolNames.swift names what else lies in it.

import Foundation
import Linux

/// The folders of a spool, held open.
package struct Spool: Sendable {
    /// The spool itself.
    package let root: Directory
    /// Where people and programs drop job files.
    package var inbox: Directory { inboxPlace.directory }
    /// What is accepted, in the order in which it will run.
    package var queue: Directory { queuePlace.directory }
    /// What is being rendered, a folder a job.
    package var active: Directory { activePlace.directory }
    /// Results, a folder a job.
    package var done: Directory { donePlace.directory }
    /// Jobs that could not be done, a folder a job.
    package var failed: Directory { failedPlace.directory }
    /// Pictures that jobs refer to by name.
    var assets: Directory { assetsPlace.directory }

    private let inboxPlace, queuePlace, activePlace, donePlace, failedPlace, assetsPlace: SpoolDirectory

    /// The moves into queue/ that are ours and nobody else's.
    let ownMoves = ExpectedMoves()
    /// Folders in active/ that are to be removed when that is possible.
    let remains = LeftoverFolders()
    /// Jobs are moved to where they end one after the other, each with its syncs. A sync of done/ between the rename of
    /// another job and the sync of active/ could bring only the new name of that job to the disk: after a loss of power it
    /// would lie in both folders.
    let publishing = CriticalSection()
    /// There is one name for the file that tries the disk.
    let probing = CriticalSection()
    /// Messages that were written in this life.
    package let posted = OutboxEntry()

    /// Opens the spool at `path` and makes what is missing of it.
    ///
    /// Throws ``SystemError``, with EXDEV where one of the folders lies on another filesystem, or is a mount of its own: a job
    /// moves by rename(2), which is one step within one mount of one filesystem and none at all between two.
    ///
    /// - Parameter group: whose all is that is made in it; `nil` for what the kernel gives.
    package init(path: String, group: UInt32? = nil) throws(SystemError) {
        let isNew = !FileManager.default.fileExists(atPath: path)
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw Self.systemError(error, path: path)
        }
        // The path as it is from everywhere: it is told in logs and results.
        root = try Directory(path: URL(fileURLWithPath: path).standardizedFileURL.path, group: group)
        if isNew { try root.giveToGroup() }
        inboxPlace = try SpoolDirectory(making: "inbox", in: root)
        queuePlace = try SpoolDirectory(making: "queue", in: root)
        activePlace = try SpoolDirectory(making: "active", in: root)
        donePlace = try SpoolDirectory(making: "done", in: root)
        failedPlace = try SpoolDirectory(making: "failed", in: root)
        _ = try SpoolDirectory(making: SpoolNames.hold, in: root)
        assetsPlace = try SpoolDirectory(making: "assets", in: root)
        try root.sync()
    }

    /// Opens a spool that is there and makes nothing. Throws ``SystemError``, with ENOENT where there is none.
    package init(existing path: String) throws(SystemError) {
        root = try Directory(path: URL(fileURLWithPath: path).standardizedFileURL.path)
        inboxPlace = try SpoolDirectory("inbox", in: root)
        queuePlace = try SpoolDirectory("queue", in: root)
        activePlace = try SpoolDirectory("active", in: root)
        donePlace = try SpoolDirectory("done", in: root)
        failedPlace = try SpoolDirectory("failed", in: root)
        assetsPlace = try SpoolDirectory("assets", in: root)
    }

    /// Whether an entry of the spool is the name of a folder that the daemon works in.
    func isPlace(_ name: FileName) -> Bool { places.contains { $0.name == name } }

    private var places: [SpoolDirectory] { [inboxPlace, queuePlace, activePlace, donePlace, failedPlace, assetsPlace] }

    /// What an entry of a folder with that name is; `nil` where it is no job's.
    package func location(_ entry: FileName, in folder: FileName) -> JobLocation? {
        switch folder {
        case inboxPlace.name: .dropped(entry)
        case queuePlace.name: Ticket(entry: entry).map(JobLocation.queued)
        case activePlace.name: Ticket(entry: entry).map(JobLocation.active)
        case donePlace.name: .done(entry)
        case failedPlace.name: .failed(entry)
        case SpoolNames.hold: .held(entry)
        default: nil
        }
    }

    /// Opens anew what somebody has put in the place of a folder, and makes anew what is gone; only an inbox is waited
    /// for, whose next one is somebody's to bring. One that cannot be opened keeps nobody from the others.
    func renew() -> DirectoryRefresh {
        var refresh = DirectoryRefresh()
        for place in places {
            do throws(SystemError) {
                var finding = try place.find()
                if finding == .nothing, place !== inboxPlace {
                    try place.make()
                    finding = try place.find()
                }
                if finding == .another { refresh.changed.append(place.directory.path) }
                if place === inboxPlace { refresh.inbox = finding }
            } catch {
                refresh.trouble = refresh.trouble ?? error
            }
        }
        return refresh
    }

    private static func systemError(_ error: any Error, path: String) -> SystemError {
        // On Linux what lies there is an Error that only `as` makes an NSError of; `as? NSError` gives nil.
        let underlying = ((error as NSError).userInfo[NSUnderlyingErrorKey] as? any Error).map { $0 as NSError }
        let code = (underlying?.domain == NSPOSIXErrorDomain ? underlying?.code : nil).map { Int32($0) }
        return SystemError(call: "mkdir", code: code ?? EIO, path: path)
    }
}

/// The names in a job's own folder, which travels from active/ to done/ or failed/.
package enum JobFolder {
    /// What was tried so far, with the seed that was drawn; goes into the result.
    static let attempts: FileName = "attempts.json"
    /// The result. It is the last file written: where it is, the job is finished but for the move to done/.
    package static let result: FileName = "result.json"
    /// What went wrong; as final as `result`, for failed/.
    package static let error: FileName = "error.json"

    /// The parts of a batch, named as they will be in queue/, until they are moved there.
    static let parts: FileName = "parts"

    /// How far the render is; there while it is under way.
    package static let progress: FileName = "progress.json"

    /// What there is of the picture, beside `progress`: `preview.png`. No picture of a job is called so: those have a
    /// number behind the job's name, or `grid`.
    package static func preview(suffix: String) -> FileName? { FileName(bytes: Array("preview.\(suffix)".utf8)) }

    /// What is of no use behind the render: the record of the attempts, which goes into the result, drafts, and what
    /// told of the render while it was under way.
    static func isPassing(_ entry: FileName) -> Bool {
        entry == attempts || entry == progress || entry.bytes.first == UInt8(ascii: ".") || isPreview(entry)
    }

    /// Whether it is a job file: neither a picture nor a document of ours.
    static func isJob(_ entry: FileName) -> Bool {
        JobFileKind(of: entry) != nil && ![result, error, attempts, progress].contains(entry)
    }

    static func isPreview(_ entry: FileName) -> Bool {
        ["png", "jpg", "webp"].contains { entry == preview(suffix: $0) }
    }

    /// The job file in the folder of the job `name`: `cat.json` or, with a job a line, `cat.jsonl`. A job that is named
    /// like a file of ours gets a name that is nobody's: `result.job.json`.
    static func job(_ name: JobName, _ kind: JobFileKind = .json) -> FileName {
        let ours = ["result", "error", "attempts", "progress"]
        let isOurs = ours.contains(String(decoding: name.bytes, as: UTF8.self).lowercased())
        return name.with(suffix: (isOurs ? ".job" : "") + kind.suffix)
    }

    /// Whatever the job file in the folder of the job `name` may be called.
    static func jobs(_ name: JobName) -> [FileName] { [job(name, .json), job(name, .lines)] }
}
