// What a job is up to, and what the queue is: the folders, as JSON.

import Foundation
import HTTP
import JSONText
import Linux
import Spool

/// Tells of jobs.
package struct JobView: Sendable {
    package let spool: Spool
    package let tracker: JobTracker

    /// The address of a job at the gateway.
    package static func address(of name: String) -> String {
        "/spool/v1/jobs/\(name.addingPercentEncoding(withAllowedCharacters: unreserved) ?? name)"
    }

    /// RFC 3986 section 2.3.
    private static let unreserved = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

    /// Where the job of that name, or with that ticket, is; `nil` where there is none.
    package func location(of text: String) throws(SystemError) -> JobLocation? {
        guard let name = FileName(bytes: text.utf8) else { return nil }
        if let ticket = Ticket(entry: name) { return try location(of: ticket) }
        guard let job = JobName(called: text) else { return nil }
        // Those that are here are looked for where they would be, for a client that asks again and again.
        if let ticket = tracker.ticket(of: job), let location = try JobLocator(spool).location(of: ticket) {
            return location
        }
        if let ended = try Results(spool).ended(name) { return ended.ending == .done ? .done(name) : .failed(name) }
        return try JobLocator(spool).positions(of: job).first
    }

    /// A job that was moved in the queue is found by the ticket that it had, too.
    private func location(of ticket: Ticket) throws(SystemError) -> JobLocation? {
        if let location = try JobLocator(spool).location(of: ticket) { return location }
        let current = tracker.current(ticket)
        return current == ticket ? nil : try JobLocator(spool).location(of: current)
    }

    /// Its state; `nil` where it is gone in this moment.
    package func document(of location: JobLocation) throws(SystemError) -> JSONValue? {
        switch location {
        case .dropped(let entry):
            return .object([("name", .string(JobName(dropped: entry)?.text ?? "")), ("state", .string("arriving"))])
        case .held(let entry):
            let name = Ticket(entry: entry)?.name ?? JobName(dropped: entry)
            return .object([("name", .string(name?.text ?? "")), ("state", .string("held"))])
        case .queued(let ticket), .active(let ticket): return .object(members(of: ticket, location))
        case .done(let name), .failed(let name):
            guard let job = try Results(spool).ended(name) else { return nil }
            return .object(try members(of: job))
        }
    }

    /// - Parameter before: how many jobs go before it, where that is known already.
    private func members(
        of ticket: Ticket, _ location: JobLocation, before known: Int? = nil
    ) -> [(String, JSONValue)] {
        var members: [(String, JSONValue)] = [
            ("name", .string(ticket.name.text)), ("ticket", .string(ticket.description)),
            ("priority", .integer(Int64(ticket.priority))), ("accepted", .string(ticket.arrival.iso8601)),
        ]
        if case .active = location {
            members.append(("state", .string("active")))
            if let progress = try? StatusFiles(spool).progressText(of: ticket), (try? ObjectText(progress)) != nil {
                members.append(("progress", .raw(progress)))
                if let eta = ProgressSnapshot(progress)?.eta { members.append(("eta", Self.seconds(eta))) }
            }
        } else {
            let before = known ?? tracker.before(ticket)
            members += [("state", .string("queued")), ("before", .integer(Int64(before)))]
            if let seconds = tracker.seconds { members.append(("eta", Self.seconds(seconds * Double(before + 1)))) }
        }
        return members
    }

    private func members(of job: ResultFolder) throws(SystemError) -> [(String, JSONValue)] {
        let name = job.name.text ?? "\(job.name)"
        var members: [(String, JSONValue)] = [("name", .string(name)), ("state", .string(job.ending.rawValue))]
        guard let object = try? ObjectText(job.document) else { return members }
        if let ticket = object.value(of: "ticket") { members.insert(("ticket", .raw(ticket)), at: 1) }
        members.append((job.ending == .done ? "result" : "error", .raw(job.document)))
        let pictures = try PictureLink.all(of: job)
        let address = Self.address(of: name)
        members.append(("images", .array((0..<pictures.count).map { .string("\(address)/images/\($0 + 1)") })))
        return members
    }

    private static func seconds(_ number: Double) -> JSONValue {
        .raw(Data((number.isFinite ? "\((number * 10).rounded() / 10)" : "null").utf8))
    }

    /// So many jobs are told at once: an answer is made whole before it is sent.
    private static let page = 1000

    /// What is with a server and what waits, in order. In this order of looks a job that is claimed meanwhile is seen twice,
    /// and counts as claimed; in the other one it would not be seen at all.
    package func line() throws(SystemError) -> (active: [Ticket], waiting: [Ticket]) {
        let waiting = try Listing(spool).waiting()
        let active = try Listing(spool).activeTickets()
        let taken = Set(active)
        return (active, waiting.filter { !taken.contains($0) })
    }

    /// What waits and what is being rendered, from the `offset`-th on.
    package func queue(offset: Int, limit: Int) throws(SystemError) -> JSONValue {
        let note = try StatusFiles(spool).snapshot()
        let (active, waiting) = try line()
        let jobs = active.map(JobLocation.active) + waiting.map(JobLocation.queued)
        let page = jobs.enumerated().dropFirst(offset).prefix(min(limit, Self.page))
        return .object([
            ("state", .optional(note?.state)), ("reason", .optional(note?.reason)),
            ("paused", .boolean(try PauseFile(spool).isLaidDown())), ("active", .integer(Int64(active.count))),
            ("waiting", .integer(Int64(waiting.count))),
            (
                "jobs",
                .array(
                    page.map { index, job in
                        .object(job.ticket.map { members(of: $0, job, before: index) } ?? [])
                    })
            ),
        ])
    }
}
