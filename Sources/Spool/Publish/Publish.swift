// active → done or failed. The instant of commit is the rename of the whole folder: who sees it sees all of it, and
// nothing is left to do behind it that a crash could take away.

import Foundation
import Linux

/// The content of a job's files may not have reached the disk, and the kernel would say nothing of it when it is asked once
/// more: it has to be made again.
package struct ContentLost: Error, Sendable {
    /// What was said.
    package let cause: SystemError
}

extension ActiveJob {
    /// Ends the job with its result, and says where it lies then.
    ///
    /// A failure is ``ContentLost``, or a ``SystemError``, after which it may be called again: what is done stays done, and
    /// what is lost stays lost, since each file remembers what its own sync has said.
    ///
    /// - Parameter unsynced: files in the folder whose content is not on the disk yet. They are closed then.
    package func finish(with result: Data, unsynced: [UnsyncedFile]) throws -> String {
        if let path = try delivered(to: spool.done) { return path }
        do throws(SystemError) {
            for file in unsynced { try file.sync() }
        } catch {
            for file in unsynced { file.close() }
            throw ContentLost(cause: error)
        }
        return try finish(with: result)
    }

    /// The same where all files in the folder are on the disk.
    func finish(with result: Data) throws(SystemError) -> String {
        if let path = try delivered(to: spool.done) { return path }
        try folder.putWhole(result, as: JobFolder.result)
        return try deliverResult()
    }

    /// Makes the moves that are missing where result.json lies: of a batch's parts, if there are any, then of the
    /// folder. Recovery calls it, too.
    func deliverResult() throws(SystemError) -> String {
        try releaseParts()
        return try deliver(to: spool.done, as: .done)
    }

    /// Ends the job with the reason why it could not be done; what its attempts left goes, unless its pictures are to be
    /// kept. Where it lies then. May be called again after an error.
    package func fail(with report: ErrorReport, keepingPictures: Bool = false) throws(SystemError) -> String {
        if let path = try delivered(to: spool.failed) { return path }
        if !keepingPictures { try discardStage() }
        try folder.putWhole(report.document, as: JobFolder.error)
        return try deliver(to: spool.failed, as: .failed)
    }

    /// Moves the folder of a job that has its result.json or error.json to where that belongs. Recovery calls it, too,
    /// for a job that was cut off behind that file.
    func deliver(to place: Directory, as state: ResultKind) throws(SystemError) -> String {
        try discardPassing()
        try folder.sync()
        try post(state)
        return try spool.publishing.run { () throws(SystemError) in try committed(move(to: place), in: place) }
    }

    private func discardPassing() throws(SystemError) {
        for entry in try folder.entries() where JobFolder.isPassing(entry) { try folder.removeAll(entry) }
    }

    private func committed(_ name: FileName, in place: Directory) throws(SystemError) -> String {
        try spool.active.sync()
        try place.sync()
        return place.path(of: name)
    }

    /// Where it lies when an earlier call has moved it and was ended by an error behind that; `nil` where it is active.
    private func delivered(to place: Directory) throws(SystemError) -> String? {
        guard try !isActive else { return nil }
        let own = try folder.status()
        var number = 1
        while let other = try place.status(of: resultName(number)) {
            if other.inode == own.inode {
                let name = resultName(number)
                return try spool.publishing.run { () throws(SystemError) in try committed(name, in: place) }
            }
            number += 1
        }
        // Somebody has moved it on already.
        return place.path(of: resultName(1))
    }

    /// Renames the folder to the job's name, or with the first free number behind it: `cat`, `cat.2`, `cat.3`.
    private func move(to place: Directory) throws(SystemError) -> FileName {
        func isMoved(_ number: Int) throws(SystemError) -> Bool {
            do throws(SystemError) {
                try spool.active.rename(ticket.folder, to: place, as: resultName(number))
                return true
            } catch {
                // Some network shares say no more than that it cannot be done (sshfs: EPERM).
                if try place.status(of: resultName(number)) == nil, !error.isTaken { throw error }
                return false
            }
        }
        if try isMoved(1) { return resultName(1) }
        // Somebody who drops the same name for years must not pay for each result that is there: the free number is
        // searched in strides that double, then halved back. The rename decides, whatever the search believes.
        var taken = 1
        var free = 2
        while try place.status(of: resultName(free)) != nil {
            taken = free
            free *= 2
        }
        while free - taken > 1 {
            let middle = (taken + free) / 2
            if try place.status(of: resultName(middle)) != nil { taken = middle } else { free = middle }
        }
        while try !isMoved(free) { free += 1 }
        return resultName(free)
    }

    private func resultName(_ number: Int) -> FileName {
        ticket.name.with(suffix: number == 1 ? "" : ".\(number)")
    }
}
