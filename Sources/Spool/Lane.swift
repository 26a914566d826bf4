// Two lanes: what asks a server something need not wait behind an hour of pictures.

import Foundation
import Linux

/// Where a job waits.
public enum Lane: Sendable, CaseIterable {
    /// Jobs that use the server's one renderer, and all that keep their turn.
    case renders
    /// Jobs that only ask, and may overtake those.
    case queries
}

extension Folders {
    /// The lane of a job that waits in queue/ already, told by its file. Anything but a small file is a render: a query
    /// has no body, and its file is its orders alone.
    public func lane(of ticket: Ticket, sort: (JobFile) -> Lane) throws -> Lane {
        let isFolder = try queue.status(of: ticket.folder)?.kind == .directory
        let (place, name) =
            isFolder ? (try queue.directory(ticket.folder), InFolder.job(ticket.name)) : (queue, ticket.file)
        guard let status = try place.status(of: name), status.kind == .file, status.size < 64 << 10 else {
            return .renders
        }
        guard let job = try? JobFile(place.file(name).read(upTo: 64 << 10)) else { return .renders }
        return sort(job)
    }
}
