// The folders as Agent Scheduler's lists: what waits, what has ended, and one task of either.

import Foundation
import Gateway
import JSONText
import Linux
import Spool

/// Looks at jobs as tasks. Throws ``SystemError`` where the disk does not let it.
struct AgentSchedulerView: Sendable {
    let view: JobView
    /// Of a job file, in bytes.
    let cap: Int
    private var spool: Spool { view.spool }

    /// What is with a server and what waits, in order. As in Agent Scheduler a task that runs is the first that is pending.
    func line() throws(SystemError) -> [JobLocation] {
        let (active, waiting) = try view.line()
        return active.map(JobLocation.active) + waiting.map(JobLocation.queued)
    }

    /// Whether a server is at work at it, and not at the one before it.
    func isRunning(_ location: JobLocation) throws(SystemError) -> Bool {
        guard case .active(let ticket) = location else { return false }
        return try StatusFiles(spool).progress(of: ticket)?.state != "waiting at the server"
    }

    /// The first that runs; `nil` where none does.
    func current(of line: [JobLocation]) throws(SystemError) -> String? {
        for location in line { if try isRunning(location) { return location.ticket?.name.text } }
        return nil
    }

    /// The one at a place of the line; `nil` where it is gone.
    func task(at location: JobLocation, number: Int) throws(SystemError) -> AgentSchedulerTask? {
        guard let ticket = location.ticket else { return nil }
        let job = try job(at: location)
        // It may have gone on since the line was looked at; what is shown is how it was.
        return AgentSchedulerTask(
            id: ticket.name.text, state: try isRunning(location) ? .running : .pending, created: ticket.arrival,
            updated: ticket.arrival, location: number, job: job)
    }

    /// The one of that name; `nil` where there is none.
    func task(_ id: String) throws(SystemError) -> (task: AgentSchedulerTask, location: JobLocation)? {
        guard let location = try view.location(of: id) else { return nil }
        switch location {
        case .queued(let ticket), .active(let ticket):
            guard var task = try task(at: location, number: view.tracker.before(ticket)) else { return nil }
            if task.state == .running { task.location = nil }
            return (task, location)
        case .dropped, .held:
            // On its way into the line, or taken out of it by somebody's hand.
            let job = try job(at: location)
            let arrival = location.ticket?.arrival ?? .now
            let number = if case .dropped = location { view.tracker.count } else { nil as Int? }
            let task = AgentSchedulerTask(
                id: id, state: .pending, created: arrival, updated: arrival, location: number, job: job)
            return (task, location)
        case .done(let name), .failed(let name):
            guard let job = try Results(spool).ended(name) else { return nil }
            return (try ended(job, at: nil), location)
        }
    }

    // MARK: What has ended

    /// A result, and when it came.
    struct Past: Sendable {
        let place: ResultEntry
        let ending: ResultKind
    }

    /// What has ended in one of those ways, the newest first.
    func past(_ states: Set<AgentSchedulerTask.State>) throws(SystemError) -> [Past] {
        var past: [Past] = []
        if states.contains(.done) { past += try Results(spool).all(.done).map { Past(place: $0, ending: .done) } }
        let unsuccessful = states.subtracting([.done])
        if !unsuccessful.isEmpty {
            for place in try Results(spool).all(.failed) {
                if unsuccessful.count == 1 {
                    guard let outcome = try Results(spool).outcome(at: .failed(place.folder)),
                        unsuccessful.contains(Self.state(of: outcome))
                    else {
                        continue
                    }
                }
                past.append(Past(place: place, ending: .failed))
            }
        }
        return past.sorted { ($0.place.ended, $0.place.folder) > ($1.place.ended, $1.place.folder) }
    }

    func task(_ past: Past) throws(SystemError) -> AgentSchedulerTask? {
        guard let job = try Results(spool).ended(past.place.folder) else { return nil }
        return try ended(job, at: past.place.ended)
    }

    private func ended(_ job: ResultFolder, at moment: Timestamp?) throws(SystemError) -> AgentSchedulerTask {
        let outcome = job.outcome
        let state = Self.state(of: outcome)
        let ended: Timestamp
        if let moment {
            ended = moment
        } else {
            ended = try Results(spool).content(of: job.name, job.ending)?.ended ?? .now
        }
        var task = AgentSchedulerTask(
            id: job.name.text ?? "\(job.name)", state: state, created: outcome.ticket?.arrival ?? ended, updated: ended)
        let document = try? ObjectText(job.document)
        task.result = state == .done ? try result(of: job, document) : outcome.message
        task.parameters = document?.value(of: "parameters").flatMap { try? ObjectText($0) }
        task.job = try self.job(at: outcome.isDone ? .done(job.name) : .failed(job.name))
        return task
    }

    private static func state(of outcome: ResultSummary) -> AgentSchedulerTask.State {
        guard !outcome.isDone else { return .done }
        return outcome.class == "interrupted" ? .interrupted : .failed
    }

    /// Where the pictures lie, the words for each, and what the server says of all of them.
    private func result(of job: ResultFolder, _ document: ObjectText?) throws(SystemError) -> String {
        let pictures = try PictureLink.all(of: job)
        let members: [(String, JSONValue)] = [
            ("images", .array(pictures.map { .string(job.folder.path(of: $0.file)) })),
            ("geninfo", document?.value(of: "info").map { .raw($0) } ?? .null),
            ("infotexts", .array(pictures.map { .optional($0.infotext) })),
        ]
        return String(decoding: JSONValue.object(members).compact, as: UTF8.self)
    }

    private func job(at location: JobLocation) throws(SystemError) -> JobFile? {
        let text = try JobFiles(spool).text(at: location, upTo: cap)
        return text.flatMap { try? JobFile($0) }
    }
}
