// What the daemon writes for others, read again: status.json and progress.json. Anybody can have written into them since, so
// nothing of it is believed further than it can be shown.

import Foundation
import Linux

/// status.json, as far as it is read again.
package struct StatusSnapshot: Decodable, Sendable {
    /// One of the servers.
    package struct Server: Decodable, Sendable {
        /// Without credentials.
        package let url: String
        /// Whether it answers.
        package let up: Bool
        /// Why not.
        package let reason: String?
        /// Tickets of jobs that are with it.
        package let rendering: [String]?
    }
    /// What the queue does: `rendering`, `idle`, `paused`, …
    package let state: String
    /// Why it does not go on.
    package let reason: String?
    /// When it began to, in ISO 8601.
    package let since: String?
    /// When the daemon wrote this, in ISO 8601.
    package let updated: String?
    /// In the order in which the daemon was given them.
    package let servers: [Server]?

    /// Whether a job is with a server.
    package func has(_ ticket: Ticket) -> Bool {
        servers?.contains { $0.rendering?.contains(ticket.description) == true } == true
    }
}

/// progress.json, as far as it is read again.
package struct ProgressSnapshot: Decodable, Sendable {
    /// `rendering`, or `waiting at the server`.
    package let state: String?
    /// From 0 to 1.
    package let progress: Double?
    /// Of `steps`.
    package let step: Int?
    /// Of the picture that is being rendered.
    package let steps: Int?
    /// In seconds.
    package let eta: Double?

    /// `nil` for a text that is none.
    package init?(_ text: Data) {
        guard let note = try? JSONDecoder().decode(Self.self, from: text) else { return nil }
        self = note
    }

    /// In plain words.
    package var words: String {
        guard let progress else {
            return state == "waiting at the server" ? "waits at the server" : "is with the server"
        }
        // Written by whoever writes into active/: a number that is none is no reason to stop.
        let percent = progress.isFinite ? Int(min(1, max(0, progress)) * 100) : 0
        let steps = if let step, let steps { ", step \(step) of \(steps)" } else { "" }
        let left = eta.flatMap { (0..<1e8).contains($0) ? ", \(Int($0.rounded(.up))) s left" : nil } ?? ""
        return "\(percent) %\(steps)\(left)"
    }
}

extension StatusFiles {
    /// The text of status.json; `nil` where there is none.
    package func text() throws(SystemError) -> Data? { try spool.root.content(of: SpoolNames.status) }

    /// What status.json says; `nil` where there is none, or none that can be read.
    package func snapshot() throws(SystemError) -> StatusSnapshot? {
        try text().flatMap { try? JSONDecoder().decode(StatusSnapshot.self, from: $0) }
    }

    /// How far a render is; `nil` where nothing tells.
    package func progress(of ticket: Ticket) throws(SystemError) -> ProgressSnapshot? {
        try progressText(of: ticket).flatMap(ProgressSnapshot.init)
    }

    /// The text of progress.json; `nil` where there is none.
    package func progressText(of ticket: Ticket) throws(SystemError) -> Data? {
        try spool.active.directoryIfOpen(ticket.folder)?.readable(JobFolder.progress, upTo: 16 << 10)
    }
}
