// active → its parts queued, itself done. A batch becomes its parts, all or nothing, once.
//
// The parts are staged in the batch's own folder, under the names that they will have in queue/. The instant of commit
// is the batch's result.json: until then a crash leaves a batch that is expanded again, from then on one of which only
// moves are missing. Those are made by `finish`, here and in recovery.

import A1111API
import Foundation
import JSONText
import Linux

/// What a batch has become.
package struct Expansion: Sendable {
    /// The tickets of the parts, in order, and the job class of each.
    package let parts: [(ticket: Ticket, jobClass: JobClass)]
    /// Where the batch lies, with the table of its parts in its result.json.
    package let path: String
}

extension Batch {
    /// The ticket of a part. The arrivals right before the batch's own are its parts': as the batch has the last of
    /// them, a clock that goes on behind the batch gives none of them to anybody else, also after a crash.
    func ticket(of part: Part, in batch: Ticket) -> Ticket {
        let arrival = batch.arrival.microseconds - Int64(count - part.number + 1)
        return Ticket(
            priority: part.priority, arrival: Timestamp(microseconds: max(0, arrival)),
            name: batch.name.part(part.number, of: count))
    }
}

extension ActiveJob {
    /// Expands the batch that the job file holds. May be called again after an error: what is done stays done. `nil`
    /// where somebody has deleted the file, which cancels it.
    ///
    /// Of what the combinations of a matrix leave to chance all get what the first that asked for it got, so that they can
    /// be compared.
    package func expand(_ batch: Batch, at servers: [ServerAddress]) throws(SystemError) -> Expansion? {
        guard try folder.status(of: file) != nil else { return nil }
        var stage: Directory?
        var sync: FilesystemSync?
        if try folder.status(of: JobFolder.result) == nil {
            // What an attempt left that the disk stopped.
            try folder.removeAll(JobFolder.parts)
            try folder.makeDirectory(JobFolder.parts)
            stage = try folder.directory(JobFolder.parts)
            sync = try folder.filesystemSync()
        }
        var parts: [(ticket: Ticket, jobClass: JobClass)] = []
        var table = Data()
        var chance = Chance()
        try batch.forEach { part throws(SystemError) in
            let ticket = batch.ticket(of: part, in: ticket)
            // It was read as a job before anything was made of the batch.
            let job = try? JobFile(text: part.text)
            parts.append((ticket, job.map { JobClass(of: $0, at: servers) } ?? .renders))
            table.append(contentsOf: (table.isEmpty ? "[\n    " : ",\n    ").utf8)
            table.append(part.row(as: ticket).compact)
            guard let stage else { return }
            let file = try stage.createFile(ticket.file)
            try file.write(chance.settle(part, job))
            try file.close()
        }
        table.append(contentsOf: "\n  ]".utf8)
        if let stage {
            // One call for the contents of thousands of files. After an error all of them are written anew.
            try sync.take()?.run()
            try stage.sync()
            try folder.sync()
        }
        return Expansion(parts: parts, path: try finish(with: result(of: table, dropped: attempts().dropped)))
    }

    /// 202, Accepted (RFC 9110 section 15.3.3): the parts are in the queue, and each ends in a folder of its own.
    private func result(of table: Data, dropped: String?) -> Data {
        let name: [(String, JSONValue)] = [("name", .string(ticket.name.text))]
        let original = dropped.map { [("dropped", JSONValue.string($0))] } ?? []
        return JSONValue.object(
            [("ticket", .string(ticket.description))] + name + original + [
                ("status", .integer(202)),
                ("reason", .string("Accepted")), ("parts", .raw(table)), ("accepted", .string(ticket.arrival.iso8601)),
                ("finished", .string(Timestamp.now.iso8601)),
            ]
        ).document
    }

    /// Moves the staged parts into queue/, where there are any. The result must lie in the folder.
    func releaseParts() throws(SystemError) {
        guard try folder.status(of: JobFolder.parts) != nil else { return }
        // On the disk before the first part leaves: a batch without result would be expanded again.
        try folder.sync()
        let stage = try folder.directory(JobFolder.parts)
        for part in try stage.entries().sorted() where !part.isSillyRename {
            spool.ownMoves.expect(part)
            try stage.rename(part, to: spool.queue, as: part)
        }
        // The source first, as in `commitAccepted`.
        try stage.sync()
        try spool.queue.sync()
        // What an NFS client keeps in it goes by itself, and the folder with it lies in nobody's way.
        try folder.removeAll(JobFolder.parts)
    }
}

/// What the combinations of one matrix share of what they leave to chance.
private struct Chance {
    private var piece = -1
    private var drawn: [String: Int64] = [:]

    /// The text of a part, with what its matrix leaves to chance drawn. A job without matrix draws for itself, later.
    mutating func settle(_ part: Batch.Part, _ job: JobFile?) -> Data {
        guard !part.choices.isEmpty, let job else { return part.text }
        if part.piece != piece {
            piece = part.piece
            drawn = [:]
        }
        // Who names −1 in a matrix asks for a picture by chance.
        let wanted = job.drawn.filter { value in !part.choices.contains { $0.key == value.key } }
        guard !wanted.isEmpty else { return part.text }
        drawn.merge(wanted) { first, _ in first }
        let values = wanted.keys.sorted().map { ($0, Data(String(drawn[$0] ?? 0).utf8)) }
        return job.object.text(removing: [], setting: values)
    }
}

extension Batch.Part {
    /// A longer value is told by its place: pictures in a table would be as large as all parts together.
    private static let longestShown = 256

    /// Of the table of parts: which name and which ticket are which combination.
    fileprivate func row(as ticket: Ticket) -> JSONValue {
        var members: [(String, JSONValue)] = [
            ("name", .string(ticket.name.text)), ("ticket", .string(ticket.description)),
        ]
        if !choices.isEmpty {
            let values = choices.map { choice -> (String, JSONValue) in
                let isShown = choice.value.count <= Self.longestShown
                let place = "value \(choice.place.number) of \(choice.place.count)"
                return (choice.key, isShown ? .raw(choice.value) : .string(place))
            }
            members.append(("matrix", .object(values)))
        }
        return .object(members)
    }
}
