// Messages to those whom jobs name: kept in the spool until they are delivered.
//
// A message is written when the job's result.json or error.json is safe in its folder, and before that folder is moved to
// done/ or failed/. So there is no end of a job without its message, whatever happens in between: recovery makes the move
// and, before it, the message once more. As long as the job lies in active/ its message is not due. A message holds all
// that is sent: people may collect the folder before it is. It is removed when it is delivered, which no one waits for the
// disk to know: it is sent at least once.

import Foundation
import Glibc
import Linux
import Synchronization

/// One message.
package struct OutboxMessage: Sendable {
    /// The first line of the file; the rest is the body.
    private struct Head: Codable {
        let callback: String
        /// Missing where it is the usual one.
        let form: Callback.Form?
        let state: ResultKind
        /// In microseconds since 1970.
        let since: Int64
    }

    /// Of the job.
    package let ticket: Ticket
    /// How it ended.
    package let state: ResultKind
    /// Who is told.
    package let callback: Callback
    /// When the job ended.
    package let since: Timestamp
    /// The bytes of result.json or error.json.
    package let body: Data

    /// `nil` for what is none: it is ours and written whole, so somebody has changed it.
    init?(_ content: Data, of ticket: Ticket) {
        guard let end = content.firstIndex(of: UInt8(ascii: "\n")),
            let head = try? JSONDecoder().decode(Head.self, from: content[..<end]),
            let callback = Callback(head.callback, form: head.form ?? .json), head.since >= 0
        else { return nil }
        self.ticket = ticket
        self.callback = callback
        state = head.state
        since = Timestamp(microseconds: head.since)
        body = Data(content[(end + 1)...])
    }

    static func content(to callback: Callback, _ state: ResultKind, since: Timestamp, body: Data) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let head = Head(
            callback: callback.text, form: callback.form == .json ? nil : callback.form, state: state,
            since: since.microseconds)
        do { return try encoder.encode(head) + Data("\n".utf8) + body } catch {
            preconditionFailure("texts and a whole number can be encoded: \(error)")
        }
    }
}

/// The messages of a spool.
package struct Outbox: Sendable {
    let spool: Spool

    package init(_ spool: Spool) { self.spool = spool }

    /// `nil` where nobody has ever asked for a message.
    private func outbox() throws(SystemError) -> Directory? {
        do throws(SystemError) {
            return try spool.root.directory(SpoolNames.outbox)
        } catch  where error.isMissing {
            return nil
        }
    }

    fileprivate func madeOutbox() throws(SystemError) -> Directory {
        if let outbox = try outbox() { return outbox }
        do throws(SystemError) {
            try spool.root.makeDirectory(SpoolNames.outbox)
        } catch  where error.isExisting {
            // Somebody was faster.
            return try spool.root.directory(SpoolNames.outbox)
        }
        do throws(SystemError) {
            try spool.root.sync()
        } catch {
            // The next try has to find it missing, or it would not sync its name.
            try? spool.root.removeDirectory(SpoolNames.outbox)
            throw error
        }
        return try spool.root.directory(SpoolNames.outbox)
    }

    /// Removes what a daemon left that was killed while it wrote a message.
    func removeDrafts() throws(SystemError) {
        guard let outbox = try outbox() else { return }
        for name in try outbox.entries() where name.bytes.first == UInt8(ascii: ".") { try outbox.removeAll(name) }
    }

    /// The jobs for which messages lie there, in order; not all of them are due.
    package func messages() throws(SystemError) -> [Ticket] {
        try outbox()?.entries().filter { $0.bytes.first != UInt8(ascii: ".") }.compactMap { Ticket(entry: $0) }.sorted()
            ?? []
    }

    /// The message of a job; `nil` where there is none, or none that can be read. It is due when the job is where it ends
    /// (see ``isPublished(_:)``).
    package func message(of ticket: Ticket) throws(SystemError) -> OutboxMessage? {
        guard let content = try outbox()?.readable(ticket.file, upTo: .max) else { return nil }
        return OutboxMessage(content, of: ticket)
    }

    /// Whether a job that has a message is where it ends.
    package func isPublished(_ ticket: Ticket) throws(SystemError) -> Bool {
        try spool.active.status(of: ticket.folder) == nil
    }

    /// The pictures of the job that a message tells of, and where they lie; `nil` where somebody has collected its folder.
    package func pictures(of message: OutboxMessage) throws(SystemError) -> (folder: Directory, files: [FileName])? {
        guard let location = try JobLocator(spool).location(of: message.ticket),
            let outcome = try Results(spool).outcome(at: location)
        else {
            return nil
        }
        switch location {
        case .done(let name), .failed(let name):
            guard let job = try Results(spool).ended(name) else { return nil }
            return (job.folder, outcome.pictures.compactMap { FileName(bytes: $0.utf8) })
        case .dropped, .queued, .active, .held: return nil
        }
    }

    /// Takes the message away: it is delivered, or nobody is going to.
    package func remove(_ ticket: Ticket) throws(SystemError) {
        do throws(SystemError) {
            try outbox()?.unlink(ticket.file)
        } catch  where error.isMissing || error.isForbidden || error.code == EISDIR {
            // Somebody was faster, or has put something there that is none.
        }
    }
}

extension ActiveJob {
    /// Writes the message to whom the job names, if it names somebody, in place of one that is there. Its result.json or
    /// error.json must be safe in its folder.
    func post(_ state: ResultKind) throws(SystemError) {
        guard let callback, let body = try folder.readable(state.document, upTo: .max) else { return }
        let outbox = try Outbox(spool).madeOutbox()
        let content = OutboxMessage.content(to: callback, state, since: .now, body: body)
        try outbox.putWhole(content, as: ticket.file)
        try outbox.sync()
        spool.posted.add(ticket)
    }
}

/// The messages that were written and that nobody has looked for yet.
package final class OutboxEntry: Sendable {
    private let tickets = Mutex<Set<Ticket>>([])

    fileprivate func add(_ ticket: Ticket) { tickets.withLock { _ = $0.insert(ticket) } }

    /// Whether there are any.
    package var isEmpty: Bool { tickets.withLock(\.isEmpty) }

    /// Those that `isDue` is true of; they are nobody's here from then on.
    package func take(where isDue: (Ticket) throws -> Bool) rethrows -> [Ticket] {
        let due = try tickets.withLock { $0 }.filter(isDue)
        tickets.withLock { $0.subtract(due) }
        return due.sorted()
    }
}
