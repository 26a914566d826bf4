// What has come of a job, as its result.json or error.json tells it. Anybody can have written into a result's folder since,
// so nothing of it is believed further than it can be shown.

import Foundation
import Linux

/// What a result's folder says of its job.
package struct ResultSummary: Sendable {
    /// Whether the job is done; else it has failed.
    package let isDone: Bool
    /// `nil` where nothing readable says.
    package let ticket: Ticket?
    /// The names of its pictures, such as `cat-1.png`.
    package let pictures: [String]
    /// Of a file with many jobs: the tickets of those.
    package let parts: [Ticket]
    /// Why it failed, in plain words.
    package let message: String?
    /// Of the failure; see ``ErrorReport/class``.
    package let `class`: String?

    private struct Document: Decodable {
        struct Image: Decodable { let file: String? }
        struct Part: Decodable { let ticket: String? }
        var ticket: String?
        var images: [Image]?
        var parts: [Part]?
        var message: String?
        var `class`: String?
    }

    /// - Parameter document: of result.json or error.json; all that is not as it was written counts as missing.
    init(isDone: Bool, _ document: Data) {
        let read = (try? JSONDecoder().decode(Document.self, from: document)) ?? Document()
        self.isDone = isDone
        ticket = Self.ticket(read.ticket)
        pictures = read.images?.compactMap(\.file).filter { FileName(bytes: $0.utf8) != nil } ?? []
        parts = read.parts?.compactMap { Self.ticket($0.ticket) } ?? []
        message = read.message
        self.class = read.class
    }

    private static func ticket(_ text: String?) -> Ticket? {
        text.flatMap { FileName(bytes: $0.utf8) }.flatMap(Ticket.init(entry:))
    }
}

extension Results {
    /// What has come of the job there; `nil` where it has not ended, or the folder is gone.
    package func outcome(at location: JobLocation) throws(SystemError) -> ResultSummary? {
        switch location {
        case .done(let entry): try outcome(entry, in: spool.done, JobFolder.result)
        case .failed(let entry): try outcome(entry, in: spool.failed, JobFolder.error)
        case .dropped, .queued, .active, .held: nil
        }
    }

    private func outcome(_ entry: FileName, in place: Directory, _ file: FileName) throws(SystemError) -> ResultSummary?
    {
        guard let folder = try place.directoryIfOpen(entry) else { return nil }
        return ResultSummary(isDone: file == JobFolder.result, try folder.readable(file) ?? Data())
    }
}
