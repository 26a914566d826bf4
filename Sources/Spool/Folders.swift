// The folder that is the interface. This file alone spells the names of what lies in it.

import Foundation
import Linux

/// The folders of a spool, held open.
public struct Folders: Sendable {
    /// The spool itself.
    public let root: Directory
    /// Where people and programs drop job files.
    public let inbox: Directory
    /// What is accepted, in the order in which it will run.
    public let queue: Directory
    /// What is being rendered, a folder a job.
    public let active: Directory
    /// Results, a folder a job.
    public let done: Directory
    /// Jobs that could not be done, a folder a job.
    public let failed: Directory
    /// Pictures that jobs refer to by name.
    let assets: Directory

    /// The moves into queue/ that are ours and nobody's wish.
    let ownMoves = OwnMoves()

    /// While a file of this name lies in the spool, no job is started.
    public static let pause: FileName = "PAUSE"
    static let lock: FileName = ".lock"
    static let hold: FileName = "hold"
    static let status: FileName = "status.json"
    /// In active/: a file on its way to somewhere else, or to nowhere. One that a start finds is swept away.
    static let draft: FileName = ".draft"

    /// Opens the spool at `path` and makes what is missing of it.
    ///
    /// Throws ``SystemError``, with EXDEV where one of the folders lies on another filesystem: a job moves by
    /// rename(2), which is one step on one filesystem and none at all between two.
    public init(path: String) throws(SystemError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw Self.systemError(error, path: path)
        }
        // The path as it is from everywhere: it is told in logs and results.
        root = try Directory(path: URL(fileURLWithPath: path).standardizedFileURL.path)
        inbox = try Self.open("inbox", in: root)
        queue = try Self.open("queue", in: root)
        active = try Self.open("active", in: root)
        done = try Self.open("done", in: root)
        failed = try Self.open("failed", in: root)
        _ = try Self.open(Self.hold, in: root)
        assets = try Self.open("assets", in: root)
        try root.sync()
    }

    /// Opens a spool that is there and makes nothing. Throws ``SystemError``, with ENOENT where there is none.
    public init(existing path: String) throws(SystemError) {
        root = try Directory(path: URL(fileURLWithPath: path).standardizedFileURL.path)
        inbox = try root.directory("inbox")
        queue = try root.directory("queue")
        active = try root.directory("active")
        done = try root.directory("done")
        failed = try root.directory("failed")
        assets = try root.directory("assets")
    }

    private static func open(_ name: FileName, in root: Directory) throws(SystemError) -> Directory {
        do throws(SystemError) {
            try root.makeDirectory(name)
        } catch  where error.code == EEXIST {
            // It is there already, the usual case.
        }
        let folder = try root.directory(name)
        guard try folder.status().device == root.status().device else {
            throw SystemError(call: "rename", code: EXDEV, path: folder.path)
        }
        return folder
    }

    private static func systemError(_ error: any Error, path: String) -> SystemError {
        // On Linux what lies there is an Error that only `as` makes an NSError of; `as? NSError` gives nil.
        let underlying = ((error as NSError).userInfo[NSUnderlyingErrorKey] as? any Error).map { $0 as NSError }
        let code = (underlying?.domain == NSPOSIXErrorDomain ? underlying?.code : nil).map { Int32($0) }
        return SystemError(call: "mkdir", code: code ?? EIO, path: path)
    }
}

/// The names in a job's own folder, which travels from active/ to done/ or failed/.
public enum InFolder {
    /// What was tried so far, with the seed that was drawn; goes into the result.
    static let attempts: FileName = "attempts.json"
    /// The result. It is the last file written: where it is, the job is finished but for the move to done/.
    public static let result: FileName = "result.json"
    /// What went wrong; as final as `result`, for failed/.
    public static let error: FileName = "error.json"

    /// The parts of a batch, named as they will be in queue/, until they are moved there.
    static let parts: FileName = "parts"

    /// How far the render is; there while it is under way.
    public static let progress: FileName = "progress.json"

    /// What there is of the picture, beside `progress`: `preview.png`. No picture of a job is called so: those have a
    /// number behind the job's name, or `grid`.
    public static func preview(suffix: String) -> FileName? { FileName(bytes: Array("preview.\(suffix)".utf8)) }

    /// What is of no use behind the render: the record of the attempts, which goes into the result, drafts, and what
    /// told of the render while it was under way.
    static func isPassing(_ entry: FileName) -> Bool {
        entry == attempts || entry == progress || entry.bytes.first == UInt8(ascii: ".") || isPreview(entry)
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
