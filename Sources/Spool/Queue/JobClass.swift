// The job classes of the queue: what asks a server something need not wait behind an hour of pictures, and what only one server
// may do waits for that one.

import A1111API
import Foundation
import Linux

/// Where a job waits.
package struct JobClass: Hashable, Sendable {
    /// What it needs of a server.
    package enum Kind: Sendable, CaseIterable {
        /// The server's one renderer; also all that keeps its turn.
        case renders
        /// An answer: it may overtake renders.
        case queries
    }
    /// See ``Kind``.
    package var kind: Kind
    /// The URL of the only server that may serve it; `nil` where all may.
    package var server: String?

    /// The job class of jobs that need `kind` of `server`.
    package init(_ kind: Kind, server: String? = nil) {
        self.kind = kind
        self.server = server
    }

    /// Of jobs that any server may render.
    package static let renders = JobClass(.renders)
    /// Of jobs that ask any server something.
    package static let queries = JobClass(.queries)
}

extension JobFiles {
    /// The class of a job that waits in queue/ already, told by its file. Of anything but a small file nothing is told
    /// before its turn: a query has no body, and its file is its options alone.
    package func jobClass(of ticket: Ticket, at servers: [ServerAddress]) throws -> JobClass {
        try waitingJob(ticket, upTo: 64 << 10).map { JobClass(of: $0, at: servers) } ?? .renders
    }

    /// The job that waits in queue/; `nil` where its file is no job, or has more than `cap` bytes.
    package func waitingJob(_ ticket: Ticket, upTo cap: Int) throws -> JobFile? {
        let isFolder = try spool.queue.status(of: ticket.folder)?.kind == .directory
        let (place, name) =
            isFolder
            ? (try spool.queue.directory(ticket.folder), JobFolder.job(ticket.name)) : (spool.queue, ticket.file)
        guard let status = try place.status(of: name), status.kind == .file, status.size < cap else {
            return nil
        }
        return try? JobFile(place.file(name).read(upTo: cap))
    }
}
