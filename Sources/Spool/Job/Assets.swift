// assets/: pictures that jobs refer to by name.
//
// A name is a path below assets/ and nothing else: each part of it is opened in the folder before it, and no symbolic
// link is followed, so a job cannot have a file of the machine sent away.

import Foundation
import Linux

/// The name of a file in assets/, as a job has it: `cat.png`, `people/ann.png`, or with `assets/` before it.
package struct AssetName: Hashable, Sendable, CustomStringConvertible {
    private let folders: [FileName]
    private let file: FileName

    /// Throws ``JobFileError`` where it is no path below assets/.
    package init(_ text: String) throws(JobFileError) {
        let inside = text.hasPrefix("assets/") ? text.dropFirst("assets/".count) : text[...]
        let parts = inside.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let names = parts.compactMap {
            $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) ? nil : FileName(bytes: $0)
        }
        guard names.count == parts.count, let file = names.last else {
            throw JobFileError(
                message: "it names the picture \"\(escapedForPeople(Array(text.utf8)))\"; a picture's name is a path "
                    + "below assets/, without .. and without / at its beginning")
        }
        self.folders = names.dropLast()
        self.file = file
    }

    /// The names of one job, each once. Throws ``JobFileError``, also where they are more than can be held open.
    package static func all(_ texts: [String]) throws(JobFileError) -> [AssetName] {
        var names: [AssetName] = []
        for text in texts {
            let name = try AssetName(text)
            if !names.contains(name) { names.append(name) }
            guard names.count <= limit else {
                throw JobFileError(message: "it names more than \(limit) pictures in assets/")
            }
        }
        return names
    }

    private static let limit = 100

    /// Escaped for people, from the spool on.
    package var description: String { (["assets"] + (folders + [file]).map(\.description)).joined(separator: "/") }

    /// Opens the folders before the file, as far as they are there: the last one, and whether it is the file's own.
    func parent(in spool: Spool) throws(SystemError) -> (folder: Directory, isItsOwn: Bool) {
        var folder = spool.assets
        for name in folders {
            guard try folder.status(of: name)?.kind == .directory else { return (folder, false) }
            folder = try folder.directory(name)
        }
        return (folder, true)
    }

    /// Its entry in a folder that `parent(in:)` gave as its own.
    fileprivate func status(in folder: Directory) throws(SystemError) -> FileStatus? { try folder.status(of: file) }
    fileprivate func open(in folder: Directory) throws(SystemError) -> File { try folder.file(file) }
}

extension Submission {
    /// The pictures that its jobs need. Throws ``JobFileError`` where one of them names something else.
    package func assets() throws(JobFileError) -> [AssetName] {
        switch self {
        case .job(let job): return try job.assets
        case .batch(let batch):
            var names: Set<AssetName> = []
            var failure: JobFileError?
            batch.forEachTelling { job in
                do throws(JobFileError) {
                    names.formUnion(try job.assets)
                } catch {
                    failure = failure ?? error
                }
            }
            if let failure { throw failure }
            return names.sorted { $0.description < $1.description }
        }
    }
}

/// The pictures of a spool.
package struct Assets: Sendable {
    let spool: Spool

    package init(_ spool: Spool) { self.spool = spool }

    /// Of a picture in assets/, in bytes. It is sent in base64, and the server takes it into memory.
    package static let assetCap: Int64 = 512 << 20

    /// Whether a picture can be sent, and what was seen of it.
    enum AssetLook {
        case ready(FileStatus)
        /// Not there yet, or still being written.
        case arriving(JobFileError, FileStatus?)
        /// Never to be sent.
        case wrong(JobFileError)
    }

    /// Looks whether a picture is there and whole. Where the kernel cannot tell of writers, a file is taken to be whole
    /// when it has not changed for `settle`.
    func look(at asset: AssetName, settle: Duration) throws(SystemError) -> AssetLook {
        func arriving(_ what: String, _ status: FileStatus?) -> AssetLook {
            .arriving(JobFileError(message: "it needs \(asset), which \(what)", class: "missing asset"), status)
        }
        let (folder, isItsOwn): (Directory, Bool)
        do throws(SystemError) {
            (folder, isItsOwn) = try asset.parent(in: spool)
        } catch  where error.isForbidden {
            return arriving("lies in a folder that cannot be entered: \(error.reason)", nil)
        }
        guard isItsOwn, let status = try asset.status(in: folder) else { return arriving("is not there", nil) }
        func wrong(_ what: String) -> AssetLook {
            .wrong(JobFileError(message: "it needs \(asset), which \(what)", class: "missing asset"))
        }
        guard status.kind == .file else {
            return wrong(status.kind == .symbolicLink ? "is a symbolic link; links are not followed" : "is no file")
        }
        guard status.size <= Self.assetCap else {
            return wrong("has \(status.size) bytes; at most \(Self.assetCap) are sent")
        }
        guard status.size > 0 else { return arriving("is empty", status) }
        do throws(SystemError) {
            let file = try asset.open(in: folder)
            let isSettled = Timestamp.now.microseconds - status.changed / 1000 >= settle.microseconds
            return file.hasWriter ?? !isSettled ? arriving("is still being written", status) : .ready(status)
        } catch  where error.isMissing {
            return arriving("is not there", nil)
        } catch  where error.isForbidden {
            return arriving("cannot be read: \(error.reason)", status)
        }
    }

    /// Opens a picture to be sent; ``JobFileError`` says why it cannot be.
    package func open(_ asset: AssetName) throws -> File {
        switch try look(at: asset, settle: .zero) {
        case .arriving(let error, _), .wrong(let error): throw error
        case .ready: return try asset.open(in: asset.parent(in: spool).folder)
        }
    }
}

extension Duration {
    fileprivate var microseconds: Int64 { Int64(self / .microseconds(1)) }
}
