// What lies in done/ and failed/, for those who show it. Anybody may have put it there.

import Foundation
import Linux

/// A folder of results, and when it came there.
package struct ResultEntry: Hashable, Sendable {
    /// In done/ or failed/.
    package let folder: FileName
    /// When the result was written, or when the folder was last changed where nobody has looked into it.
    package let ended: Timestamp

    /// A folder that was told of.
    package init(folder: FileName, ended: Timestamp) {
        self.folder = folder
        self.ended = ended
    }
}

/// What is to be told of a folder of results.
package struct ResultContent: Sendable {
    /// See ``ResultEntry/ended``.
    package let ended: Timestamp
    /// The job file, if it is there.
    package let job: FileName?
    /// result.json or error.json, or its beginning.
    package let document: Data
}

/// How a job ended.
package enum ResultKind: String, Codable, Sendable {
    case done, failed

    var document: FileName { self == .done ? JobFolder.result : JobFolder.error }
}

/// Looks at results.
package struct Results: Sendable {
    let spool: Spool

    package init(_ spool: Spool) { self.spool = spool }

    private func place(_ ending: ResultKind) -> Directory { ending == .done ? spool.done : spool.failed }

    /// So much of a document is read.
    private static let most = 256 << 10

    /// All folders, the oldest first; with `after`, those whose results were written later. Costs a stat(2) for each that
    /// is there, and a look into those that changed after it.
    package func all(_ ending: ResultKind, after: Timestamp? = nil) throws(SystemError) -> [ResultEntry] {
        let place = place(ending)
        var places: [ResultEntry] = []
        for folder in try place.entries() where folder.bytes.first != UInt8(ascii: ".") {
            guard let status = try place.status(of: folder), status.kind == .directory else { continue }
            var ended = Timestamp(microseconds: status.changed / 1000)
            if let after {
                // A folder changes behind its result, and when somebody deletes a picture.
                guard ended > after, let written = try written(folder, ending), written > after else { continue }
                ended = written
            }
            places.append(ResultEntry(folder: folder, ended: ended))
        }
        return places.sorted { ($0.ended, $0.folder) < ($1.ended, $1.folder) }
    }

    private func written(_ folder: FileName, _ ending: ResultKind) throws(SystemError) -> Timestamp? {
        do throws(SystemError) {
            return try place(ending).directory(folder).status(of: ending.document).map {
                Timestamp(microseconds: $0.modified / 1000)
            }
        } catch  where error.isMissing || error.isForbidden {
            return nil
        }
    }

    /// Looks into a folder; `nil` where it is gone, or is none of ours: file servers keep folders of their own everywhere, which
    /// only they may enter.
    package func content(of folder: FileName, _ ending: ResultKind) throws(SystemError) -> ResultContent? {
        do throws(SystemError) {
            return try look(into: folder, ending)
        } catch  where error.isMissing || error.isForbidden {
            return nil
        }
    }

    private func look(into folder: FileName, _ ending: ResultKind) throws(SystemError) -> ResultContent? {
        guard try place(ending).status(of: folder)?.kind == .directory else { return nil }
        let directory = try place(ending).directory(folder)
        guard let status = try directory.status(of: ending.document), status.kind == .file else { return nil }
        let document = try directory.file(ending.document).read(upTo: Self.most)
        var job: FileName?
        for file in Self.jobNames(of: folder).flatMap(JobFolder.jobs) where job == nil {
            if try directory.status(of: file)?.kind == .file { job = file }
        }
        return ResultContent(ended: Timestamp(microseconds: status.modified / 1000), job: job, document: document)
    }

    /// Whether a folder is still there.
    package func isThere(_ folder: FileName, _ ending: ResultKind) throws(SystemError) -> Bool {
        try place(ending).status(of: folder) != nil
    }

    /// What the job in a folder may be called: like the folder, or without the number behind a name that was taken.
    private static func jobNames(of folder: FileName) -> [JobName] {
        var names = [JobName(written: folder.bytes)]
        if let dot = folder.bytes.lastIndex(of: UInt8(ascii: ".")),
            folder.bytes[(dot + 1)...].allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        {
            names.append(JobName(written: folder.bytes[..<dot]))
        }
        return names.compactMap { $0 }
    }

    /// The folder that an event tells of by its path, which is made for people: a name may be escaped in it.
    package func folder(of name: JobName, at path: String, _ ending: ResultKind) -> FileName? {
        let plain = place(ending).path(of: name.with(suffix: ""))
        guard path.hasPrefix(plain) else { return nil }
        let number = path.dropFirst(plain.count)
        guard number.isEmpty || number.first == "." && number.dropFirst().allSatisfy(\.isNumber) else { return nil }
        return name.with(suffix: String(number))
    }

    /// What there is to show of a render: progress.json, and the beginning of the job file. Each `nil` where it is not
    /// there.
    package func look(at ticket: Ticket) -> (progress: Data?, job: Data?) {
        // It ends in this moment, or the disk does not let us look: then there is less to see.
        guard let job = try? ActiveJob(ticket, in: spool) else { return (nil, nil) }
        let progress = try? job.folder.file(JobFolder.progress).read(upTo: 16 << 10)
        return (progress, try? job.content(upTo: Self.most) ?? nil)
    }
}

// MARK: The pages

/// The pages of a spool.
package struct Pages: Sendable {
    let spool: Spool

    package init(_ spool: Spool) { self.spool = spool }

    /// Puts index.html into the spool, in one step. Nothing of it need outlive a crash.
    package func show(sheet: Data) throws(SystemError) {
        try spool.root.putWhole(sheet, as: SpoolNames.sheet, lasting: false)
    }

    /// Puts now.html into pages/, in one step. Nothing of it need outlive a crash.
    package func show(now: Data) throws(SystemError) { try pages().putWhole(now, as: SpoolNames.now, lasting: false) }

    /// Puts a page of older results into pages/, in one step, and for good.
    package func show(page: Data, _ name: String) throws(SystemError) {
        guard let name = FileName(bytes: Array(name.utf8)) else { return }
        try pages().putWhole(page, as: name)
    }

    /// A page of older results, if it is there.
    package func page(_ name: String) throws(SystemError) -> Data? {
        guard let name = FileName(bytes: Array(name.utf8)) else { return nil }
        let pages = try pages()
        return try pages.readable(name, upTo: 4 << 20)
    }

    /// The numbers of the pages of older results, in order.
    package func numbers() throws(SystemError) -> [Int] {
        try pages().entries().compactMap { name in
            guard let text = name.text, text.hasSuffix(".html") else { return nil }
            return Int(text.dropLast(5)).flatMap { (1...9_999_999).contains($0) ? $0 : nil }
        }.sorted()
    }

    private func pages() throws(SystemError) -> Directory {
        do throws(SystemError) {
            try spool.root.makeDirectory(SpoolNames.pages)
        } catch  where error.isExisting {
            // The usual case.
        }
        return try spool.root.directory(SpoolNames.pages)
    }

    /// Removes what a daemon left that was killed while it wrote a page.
    func removeDrafts() throws(SystemError) {
        try spool.root.removeDraft(of: SpoolNames.sheet)
        guard try spool.root.status(of: SpoolNames.pages)?.kind == .directory else { return }
        let pages = try spool.root.directory(SpoolNames.pages)
        for entry in try pages.entries() where entry.bytes.first == UInt8(ascii: ".") { try pages.removeAll(entry) }
    }
}
