// Keeps status.json up to date.

@preconcurrency import Dispatch
import Foundation
import Spool
import Synchronization

/// Puts the status into the spool when something has happened, and at most twice a second: a burst is told as one.
final class StatusBoard: Sendable {
    private let folders: Folders
    private let writes = DispatchQueue(label: "status")
    private let state = Mutex((status: Status(), isDue: false))

    private static let interval = 0.5

    init(_ folders: Folders) { self.folders = folders }

    func note(_ event: Event) {
        let isNew = state.withLock { state in
            state.status.note(event)
            defer { state.isDue = true }
            return !state.isDue
        }
        if isNew { writes.asyncAfter(deadline: .now() + Self.interval) { self.write() } }
    }

    /// Writes what has not been written yet.
    func finish() { writes.sync { write() } }

    private func write() {
        let document = state.withLock { state in
            state.isDue = false
            return state.status.document()
        }
        // A disk that does not take it is in the log, and gets the next one.
        try? folders.show(status: document)
    }
}
