// What the spool shows of its daemon, what a job's folder in active/ shows while its render is under way, and whether somebody has cancelled it.

import Foundation
import Linux

/// status.json and what is beside it.
package struct StatusFiles: Sendable {
    let spool: Spool

    package init(_ spool: Spool) { self.spool = spool }

    /// Puts the daemon's status into the spool, in one step. Nothing of it need outlive a crash.
    package func show(status: Data) throws(SystemError) {
        try spool.root.putWhole(status, as: SpoolNames.status, lasting: false)
    }

    /// Puts the daemon's numbers beside it, likewise.
    package func show(metrics: Data) throws(SystemError) {
        try spool.root.putWhole(metrics, as: SpoolNames.metrics, lasting: false)
    }
}

extension ActiveJob {
    /// Puts `progress` into progress.json, in one step. Nothing of it need outlive a crash.
    package func show(_ progress: Data) throws(SystemError) {
        try folder.putWhole(progress, as: JobFolder.progress, lasting: false)
    }

    /// Puts a picture that is not whole beside it, in place of the last one, and gives the name of its file; `nil` where
    /// none can be named so.
    package func show(preview: Data, suffix: String) throws(SystemError) -> FileName? {
        guard let name = JobFolder.preview(suffix: suffix), JobFolder.isPreview(name) else { return nil }
        try folder.putWhole(preview, as: name, lasting: false)
        for entry in try folder.entries() where JobFolder.isPreview(entry) && entry != name { try folder.unlink(entry) }
        return name
    }

    /// Somebody has deleted its file, or has taken its folder away.
    package var isCancelled: Bool {
        get throws(SystemError) {
            guard try folder.status(of: file) != nil else { return true }
            return try !isActive
        }
    }
}
