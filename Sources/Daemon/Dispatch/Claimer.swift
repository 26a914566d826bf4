// queued → active, read and recorded: all that the disk has to do before a request may leave.

import A1111
import A1111API
import Foundation
import Linux
import Spool

/// Makes a job ready to be sent to one server. Blocks on the disk.
struct Claimer: Sendable {
    let spool: Spool
    let options: DaemonOptions
    let server: ServerAddress
    /// The paths that the server has; `nil` where it does not tell.
    let paths: ServerPaths?
    let space: DiskSpace
    /// The server finds a render by a name that its request gave it.
    let namesTasks: Bool

    /// A ticket that a dispatcher took, and out of which job class.
    struct Taken: Sendable {
        let ticket: Ticket
        let jobClass: JobClass
    }

    /// What is to be done with it.
    enum ClaimResult: Sendable {
        /// To be sent: its attempt is recorded.
        case ready(ActiveJob, PreparedJob)
        /// To be sent, but not beside others. Its attempt is not recorded yet.
        case alone(ActiveJob, PreparedJob)
        /// Many jobs: an expansion that was cut off, or a batch that somebody has put into the queue.
        case batch(ActiveJob, Batch)
        /// It can never be sent, and why.
        case invalid(ActiveJob, ErrorReport)
        /// It waited in the wrong line: only another server may have it, or it is a query of an earlier life.
        case elsewhere(ActiveJob, JobClass)
        /// Somebody has deleted its file.
        case cancelled(ActiveJob)
        /// It is not in the queue any more.
        case gone
        /// There is no room on the disk for its result; it waits for that, unclaimed.
        case tooLarge
        /// Whether it was moved is not known.
        case unclaimed(SystemError)
        /// A folder that somebody else has put into the queue, and that only he may move.
        case locked(SystemError)
        /// Whether its attempt is on the disk is not known: it is not sent, and the attempt was none.
        case unrecorded(ActiveJob, Attempts, SystemError)
    }

    /// Claims and reads a job, and records its attempt if it is ready.
    ///
    /// - Parameter again: an earlier call has not told what it has moved.
    func prepare(_ taken: Taken, again: Bool = false) throws(SystemError) -> ClaimResult {
        let result = try claim(taken, again: again)
        guard case .ready(let job, let prepared) = result else { return result }
        do throws(SystemError) {
            try job.record(prepared.attempts)
        } catch {
            return .unrecorded(job, prepared.attempts, error)
        }
        return result
    }

    private func claim(_ taken: Taken, again: Bool) throws(SystemError) -> ClaimResult {
        guard again || space.admits(taken.ticket, from: taken.jobClass, pixels: { pixels(of: taken.ticket) }) else {
            return .tooLarge
        }
        var job: ActiveJob
        do throws(SystemError) {
            guard let claimed = try Claims(spool).claim(taken.ticket, again: again) else { return .gone }
            job = claimed
        } catch {
            let isFolder = (try? spool.queue.status(of: taken.ticket.folder)?.kind) == .directory
            return error.isForbidden && isFolder ? .locked(error) : .unclaimed(error)
        }
        do {
            return try read(&job, taken.jobClass)
        } catch let error as SystemError {
            guard error.isForbidden else { throw error }
            // Of somebody who has put it into the queue by hand; the disk is well, and the others can be read.
            return .invalid(
                job, ErrorReport(ticket: job.ticket, class: "not a job", message: "it cannot be read: \(error)"))
        } catch let error as JobFileError {
            return .invalid(
                job,
                ErrorReport(
                    ticket: job.ticket, class: error.class, message: error.message, line: error.line,
                    column: error.column))
        } catch {
            let message = (error as? EndpointError)?.message ?? "\(error)"
            return .invalid(job, ErrorReport(ticket: job.ticket, class: "not a job", message: message))
        }
    }

    /// As many as its file asks for; `nil` where that does not tell, or cannot be read now.
    private func pixels(of ticket: Ticket) -> Int? {
        guard let file = try? JobFiles(spool).waitingJob(ticket, upTo: options.cap), let endpoint = try? file.endpoint
        else {
            return nil
        }
        return endpoint.service.map { RequestedRender(file.object, of: $0).pixels }
    }

    private func read(_ job: inout ActiveJob, _ jobClass: JobClass) throws -> ClaimResult {
        guard let content = try job.content(upTo: options.cap + 1) else { return .cancelled(job) }
        let file: JobFile
        switch try Submission(content, kind: job.kind) {
        case .job(let read): file = read
        case .batch(let batch): return .batch(job, batch)
        }
        job.callback = file.jobOptions.callback
        let attempts = try job.attempts()
        let endpoint = try file.endpoint
        if let problem = options.problem(with: file, endpoint) { throw EndpointError(message: problem) }
        let own = JobClass(of: file, at: options.servers)
        guard own.kind == jobClass.kind, own.server ?? server.description == server.description else {
            return .elsewhere(job, own)
        }
        guard attempts.counted < attemptLimit else { return .invalid(job, poison(job, attempts)) }
        if let problem = paths?.problem(with: endpoint) {
            return .invalid(job, ErrorReport(ticket: job.ticket, class: "permanent", message: problem))
        }
        var prepared = try PreparedJob(
            job, file, to: endpoint, attempts: attempts, in: spool, namesTasks: namesTasks)
        // What is no render does not wait in the server for the renders before it, and may change what those behind it
        // get. One that was under way when the daemon or its server ended may be the cause: none beside it is to be taken
        // for it.
        if jobClass.kind == .renders, endpoint.service == nil || attempts.counted > 0 || attempts.mayStillRun {
            return .alone(job, prepared)
        }
        prepared.begin(at: server)
        return .ready(job, prepared)
    }

    /// A job that was under way at each of several ends of the daemon is taken to be their cause.
    private func poison(_ job: ActiveJob, _ attempts: Attempts) -> ErrorReport {
        let cut = attempts.list.count { $0.ended == nil }
        var report = ErrorReport(
            ticket: job.ticket, class: "poison",
            message: "it was sent \(attempts.counted) times and is given up: the daemon ended before the answer came"
                + (cut < attempts.counted ? ", \(cut) of these times" : ", each time"))
        report.attempts = attempts
        return report
    }
}
