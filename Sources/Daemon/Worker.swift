// A worker of a server, one for each lane: a job's way from the queue through the server to its result.
//
// claim → record the attempt → send → publish; what fails is told apart in Retry.swift. Whatever happens in between,
// the job is in one of the folders, and recovery knows the way on from there.

import A1111
import Foundation
import JSONText
import Linux
import Spool

/// Serves the jobs of one lane at one server, one after the other, until the queue is closed or its task is cancelled.
struct Worker {
    let folders: Folders
    let queue: Queue
    let lane: Lane
    let client: Client
    /// Shared by the workers of one server.
    let watch: ServerWatch
    /// Shared, too.
    let catalogue: Catalogue
    let options: Options
    let tell: @Sendable (Event) -> Void

    private var diskBackoff = Backoff()
    /// Of its pictures, in bytes; the first one is taken to be as large as a usual picture.
    private var largestReply = 2 << 20
    /// Jobs in a row that failed for want of memory.
    private var outOfMemory = 0
    /// Before a render and behind it.
    var looks = Pace(now: .now)
    /// So many say that it is the server and not the jobs.
    private static let outOfMemoryLimit = 3

    init(
        folders: Folders, queue: Queue, lane: Lane, client: Client, watch: ServerWatch, catalogue: Catalogue,
        options: Options,
        tell: @escaping @Sendable (Event) -> Void
    ) {
        self.folders = folders
        self.queue = queue
        self.lane = lane
        self.client = client
        self.watch = watch
        self.catalogue = catalogue
        self.options = options
        self.tell = tell
    }

    /// Works until the queue is closed. Throws CancellationError when the task is cancelled; what was under way is back
    /// in its place then.
    mutating func run() async throws {
        // Also while nothing waits, so that the log says at the start whether the server is there.
        try await watch.waitUntilThere()
        while await queue.hasNext(in: lane) {
            try await watch.waitUntilThere()
            guard let ticket = queue.next(in: lane) else { continue }
            try await serve(ticket)
        }
    }

    private mutating func serve(_ ticket: Ticket) async throws {
        let folders = folders
        guard let job = try await persistently({ try folders.claim(ticket, again: $0) }) else {
            return tell(.cancelled(ticket))
        }
        do {
            try await render(job)
            diskBackoff.reset()
        } catch let error as SystemError {
            tell(.troubled(error))
            try await putBack(job, inSilence: true)
            // A full disk is every job's. Rendering them one after the other to find that out would cost the server's
            // time and bring nothing.
            let room = largestReply
            try await persistently { _ in try folders.probe(room: room) }
            try await Task.sleep(for: diskBackoff.next())
        } catch is CancellationError {
            try await putBack(job)
            throw CancellationError()
        }
    }

    // MARK: The way of one job

    private mutating func render(_ job: ActiveJob) async throws {
        let namesTasks = lane == .renders && options.showsProgress ? await catalogue.hasTasks() : false
        let assignment: Assignment
        switch try await assign(job, namesTasks: namesTasks) {
        case .cancelled: return try await putBack(job)
        case .batch(let batch): return try await expand(job, batch)
        case .hopeless(let report): return try await fail(job, report)
        case .ready(let ready): assignment = ready
        }
        if let problem = await catalogue.problem(with: assignment.endpoint) {
            return try await fail(job, ErrorReport(ticket: job.ticket, class: "permanent", message: problem))
        }
        if lane == .renders, assignment.attempts.mayStillRun, try await !waitedUntilIdle(for: job) {
            return try await putBack(job)
        }
        let settings = assignment.asked == nil ? ServerSettings() : await catalogue.settings()

        let server = client.server
        let started = Stamp.now
        var attempts = assignment.attempts
        attempts.begin(server: server.description, at: started)
        try await record(attempts, of: job)
        // While the server refuses, each try would be another line of the log that says nothing new.
        if await !watch.isRefusing { tell(.started(job.ticket, server: server.description)) }
        let live = assignment.endpoint.service == nil ? nil : await live(job, assignment, namesTasks: namesTasks)
        let clock = ContinuousClock.now
        let (answer, stops) = await send(assignment, of: job, live)
        if assignment.endpoint.changesSettings { await catalogue.settingsChanged() }
        do {
            if try await isCancelled(job) {
                await note(answer)
                return try await putBack(job)
            }
            let reply = try answer.get()
            await watch.isBack()
            outOfMemory = 0
            let finished = Stamp.now
            let warnings = await differences(assignment, reply, settings)
            if let failure = await objection(to: reply, of: assignment, stops, warnings) { throw failure }
            largestReply = max(largestReply, reply.pictures.reduce(0) { $0 + $1.size })
            // Its lists and its state took the server a while.
            if try await isCancelled(job) { return try await putBack(job) }
            attempts.end(at: finished)
            let result = JobResult(
                ticket: job.ticket, endpoint: assignment.endpoint, server: server, attempts: attempts, started: started,
                finished: finished, reply: reply, warnings: warnings)
            // Again and again, if it must be: what is missing is the disk's work, and never another render.
            let path = try await persistently { _ in try job.finish(with: result.document) }
            let seconds = (ContinuousClock.now - clock) / .seconds(1)
            tell(.done(job.ticket, path: path, pictures: reply.pictures.count, seconds: seconds, warnings: warnings))
        } catch let failure as Failure {
            let failure = await looked(at: failure.after(ContinuousClock.now - clock), stops)
            try await handle(failure, of: job, assignment, attempts)
        } catch {
            // The daemon is told to end, or the disk fails: neither is the job's fault, and the record says so.
            attempts.end(at: .now, failure: error is CancellationError ? Attempts.stopped : Attempts.disk)
            let record = attempts
            try await persistently { _ in try job.abandon(record) }
            throw error
        }
    }

    /// The front desk has expanded most batches before they come here.
    private func expand(_ job: ActiveJob, _ batch: Batch) async throws {
        // Again and again, if it must be: behind the instant of commit only moves are missing.
        let expansion = try await persistently { _ in try job.expand(batch, with: .jobs) }
        guard let expansion else { return try await putBack(job) }
        queue.add(expansion)
        tell(.expanded(job.ticket, expansion))
    }

    /// Sends the request; a render is looked after meanwhile.
    private func send(
        _ assignment: Assignment, of job: ActiveJob, _ live: Live?
    ) async -> (Result<Reply, any Error>, stops: [ServerProgress.State]) {
        func send() async throws -> Reply {
            try await client.send(
                assignment.body, to: assignment.endpoint, picturesInto: job.folder, job: job.ticket.name.text,
                wantsPictures: assignment.wantsPictures)
        }
        if let live { return await live.during(send) }
        do { return (.success(try await send()), []) } catch { return (.failure(error), []) }
    }

    private mutating func live(_ job: ActiveJob, _ assignment: Assignment, namesTasks: Bool) async -> Live {
        // Without progress nothing is asked before somebody cancels the job.
        let task = namesTasks || !options.showsProgress ? assignment.task : nil
        let before = task == nil && options.showsProgress ? await look(within: .seconds(1)) : nil
        return Live(
            job, client: client, asked: assignment.asked, task: task, trail: Trail(before: before),
            showsProgress: options.showsProgress)
    }

    /// What an answer says of the server.
    private mutating func note(_ answer: Result<Reply, any Error>) async {
        guard case .failure(let error) = answer else { return await watch.isBack() }
        guard let failure = error as? Failure else { return }
        if failure.class == .serverDown {
            await watch.isAway(because: failure.message)
            await catalogue.forget()
            looks = Pace(now: .now)
        } else if failure.status != nil {
            await watch.isBack()
        }
    }

    private mutating func handle(
        _ failure: Failure, of job: ActiveJob, _ assignment: Assignment, _ attempts: Attempts
    ) async throws {
        var attempts = attempts
        attempts.end(at: .now, failure: failure.class.rawValue, message: failure.message)
        await note(.failure(failure))
        switch step(after: failure.class, attempts: attempts.counted) {
        case .waitForServer:
            attempts.list.removeLast()
            try await record(attempts, of: job)
            try await putBack(job, inSilence: true)
        case .tryAgain(let delay):
            tell(.tryingAgain(job.ticket, failure.message, after: delay))
            try await record(attempts, of: job)
            try await putBack(job, after: delay)
        case .fail:
            var report = ErrorReport(ticket: job.ticket, class: failure.class.rawValue, message: failure.message)
            report.endpoint = assignment.endpoint.path
            report.server = client.server.description
            report.status = failure.status
            report.answer = failure.answer
            report.attempts = attempts
            try await fail(job, report, keepingPictures: failure.keepsPictures)
            try await countOutOfMemory(failure)
        }
    }

    /// Several jobs in a row without memory: the server is to blame, and failing the whole queue would help nobody.
    private mutating func countOutOfMemory(_ failure: Failure) async throws {
        outOfMemory = failure.class == .outOfMemory ? outOfMemory + 1 : 0
        guard outOfMemory >= Self.outOfMemoryLimit else { return }
        outOfMemory = 0
        let folders = folders
        try await persistently { _ in
            try folders.pause(
                because: "\(Self.outOfMemoryLimit) jobs in a row failed because the server ran out of memory. "
                    + "Free some (or restart the server), then delete this file to go on.")
        }
        // At once: the word of the folder comes when the next job is under way.
        if queue.pause(true) { tell(.paused(true)) }
    }

    /// The server may still be rendering what an earlier attempt asked for. Another request would only wait behind it
    /// in the server, and cost a second render if the first one's answer had come.
    /// False where the job is cancelled meanwhile.
    private func waitedUntilIdle(for job: ActiveJob) async throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(600)
        while ContinuousClock.now < deadline, try await !isCancelled(job) {
            do {
                if try await client.progress().isIdle { break }
            } catch is Failure {
                // A server that does not tell is not waited for.
                break
            }
            try await Task.sleep(for: .seconds(1))
        }
        return try await !isCancelled(job)
    }

    // MARK: The folders

    private func assign(_ job: ActiveJob, namesTasks: Bool) async throws -> Assignment.Outcome {
        let (folders, options) = (folders, options)
        return try await blocking {
            try Assignment.read(job, in: folders, options: options, namesTasks: namesTasks)
        }
    }

    private func isCancelled(_ job: ActiveJob) async throws -> Bool {
        try await persistently { _ in try job.isCancelled }
    }

    private func record(_ attempts: Attempts, of job: ActiveJob) async throws {
        try await blocking { try job.record(attempts) }
    }

    private func fail(_ job: ActiveJob, _ report: ErrorReport, keepingPictures: Bool = false) async throws {
        let path = try await persistently { _ in try job.fail(with: report, keepingPictures: keepingPictures) }
        tell(.failed(job.ticket, report.message, path: path))
    }

    /// Puts the job back into its place on the disk at once and into the line after `delay`, so that a job that keeps
    /// failing does not hold up the others.
    private func putBack(
        _ job: ActiveJob, after delay: Duration = .zero, inSilence: Bool = false
    ) async throws {
        switch try await persistently({ _ in try job.requeue() }) {
        case .queued: break
        case .concluded: return
        case .gone: return tell(.cancelled(job.ticket))
        }
        if !inSilence { tell(.putBack(job.ticket)) }
        guard delay > .zero else { return queue.add([job.ticket], to: lane) }
        let (queue, lane) = (queue, lane)
        Task {
            try? await Task.sleep(for: delay)
            queue.add([job.ticket], to: lane)
        }
    }

    /// Tries a step on the disk until it is done. Without it the job would be in nobody's hands until the next start.
    /// `body` is told whether it is tried again.
    private func persistently<Value: Sendable>(
        _ body: @escaping @Sendable (_ again: Bool) throws -> Value
    ) async throws -> Value {
        var backoff = Backoff()
        var again = false
        while true {
            do {
                let isAgain = again
                return try await blocking { try body(isAgain) }
            } catch let error as SystemError {
                tell(.troubled(error))
                again = true
                try await Task.sleep(for: backoff.next())
            }
        }
    }
}
