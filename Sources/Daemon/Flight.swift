// A job on its way: from the request through the server to its result. What fails is told apart in Retry.swift.

import A1111
import Foundation
import JSONText
import Linux
import Spool
import Synchronization

/// One attempt at a job whose record is on the disk. Others may be under way beside it.
actor Flight {
    /// It waits for the server and for the disk with a thread of its own: at most as many as jobs are in flight.
    nonisolated let thread = QueueExecutor(label: "flight")
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    let job: ActiveJob
    let lane: Lane
    let assignment: Assignment
    /// The server's, before the render.
    let settings: ServerSettings
    let seat: Seat
    let clerk: Clerk
    let press: Press
    private let looks = Looks()
    /// For a look at the server before a render: it waits for that.
    private static let glance = Patience.with(.seconds(1))
    /// Where its answer stays with the server for want of room: the server was free for others from then on.
    private nonisolated let held = Mutex<Answered?>(nil)
    /// It was answered, and its place at the server is not given to another before it is known whose fault the answer was.
    private var keepsPlace = false

    /// What was known when the server had rendered it.
    private struct Answered: Sendable {
        let end: Moment
        let earlier: Moment?
        let isFollowed: Bool
    }

    init(
        _ job: ActiveJob, _ assignment: Assignment, from lane: Lane, settings: ServerSettings, seat: Seat, clerk: Clerk,
        press: Press
    ) {
        self.job = job
        self.lane = lane
        self.assignment = assignment
        self.settings = settings
        self.seat = seat
        self.clerk = clerk
        self.press = press
    }

    private var ticket: Ticket { job.ticket }

    /// Sends the job and sees it to its end, in whatever folder that is. Throws CancellationError when the task is
    /// cancelled; the job is back in its place then.
    func land() async throws {
        defer {
            freePlace()
            clerk.queue.crew { $0.ended(seat) }
        }
        defer { clerk.room.left(ticket) }
        do {
            try await fly()
            clerk.disk.isOver()
        } catch let lack as NoRoom {
            try await clerk.putBack(job, to: lane, .withRoom(lack, pixels: assignment.asked?.pixels))
        } catch let error as SystemError {
            clerk.tell(.troubled(error))
            // Before the worker can take it again.
            clerk.disk.met()
            try await clerk.putBack(job, to: lane, inSilence: true)
        } catch is CancellationError {
            try await clerk.putBack(job, to: lane)
            throw CancellationError()
        }
    }

    private func fly() async throws {
        let isRender = assignment.endpoint.service != nil
        if isRender {
            // The one before is in the server's line, or is answered.
            await clerk.queue.wait { [press] in press.isReadyForNext }
            do {
                guard try await press.waitForOrphan(unless: { try await clerk.isCancelled(job) }) else {
                    stay()
                    return try await clerk.putBack(job, to: lane)
                }
            } catch {
                stay()
                try await abandon(assignment.attempts, as: Attempts.stopped)
                throw error
            }
            // Those before it have found that out.
            guard press.watch.isUp else {
                stay()
                return try await clerk.putBackUncounted(job, assignment.attempts, to: lane)
            }
        }
        let isBehind = press.isBusy
        if isRender { press.sends(ticket) }
        clerk.queue.crew { $0.left(seat) }
        let live = isRender ? await live(isBehind: isBehind) : nil
        let sent = ContinuousClock.now
        let answer = await send(live)
        let early = held.withLock { $0 }
        let answered = early ?? endsRender(isRender)
        let (end, earlier, isFollowed) = (answered.end, answered.earlier, answered.isFollowed)
        // The one before it is still at work, and takes none beside it.
        let failure = answer.failure as? Failure
        let wasRefused = isBehind && press.isBusy && failure?.status == 503
        // A gateway that gave up while others of ours were there says nothing of this one, which may have waited for them.
        let wasInLine = failure?.isGatewayTimeout == true && (isBehind || isFollowed)
        // Before the next one leaves: it would wait behind this one.
        if isRender, early == nil, !wasRefused, let failure, failure.class == .ambiguous || failure.isLostByGateway {
            press.lost(after: end.instant - sent)
        }
        // The next one would be told the same.
        let isDoubtful = failure.map { [.serverDown, .ambiguous, .notNow, .unclear].contains($0.class) } ?? false
        keepsPlace = early == nil && isDoubtful
        // In one step: the next one would leave in between, to be refused as well.
        let isNew = clerk.queue.crew { crew in
            defer { if early == nil, !isDoubtful { crew.answered(seat) } }
            guard wasRefused || wasInLine, crew.limit(seat) > 1 else { return false }
            crew.setLimit(seat, 1)
            return true
        }
        if isNew {
            let reason =
                wasInLine
                ? "stands behind a gateway that does not wait for two renders" : "takes no request while it renders"
            clerk.tell(.oneAtATime(server: press.server.description, because: reason))
        }
        let stops = await looksEnd()
        if assignment.endpoint.changesSettings { press.catalogue.settingsChanged() }
        // It waited in the server for those before it.
        let clock = max(sent, earlier?.instant ?? sent)
        var attempts = assignment.attempts
        do {
            if try await clerk.isCancelled(job) {
                answer.closeFiles()
                if let failure {
                    await press.note(try await press.clarified(failure, for: assignment.endpoint))
                }
                return try await clerk.putBack(job, to: lane)
            }
            let reply = try answer.get()
            await press.note(nil)
            clerk.queue.forgive()
            _ = press.isOutOfMemory(nil)
            let warnings = await differences(from: reply)
            if let failure = await objection(to: reply, stops, warnings, isFollowed: isFollowed) {
                if failure.keepsPictures { for file in reply.unsynced { try file.sync() } }
                throw failure
            }
            if isRender { press.took(end.instant - clock) }
            let size = reply.pictures.reduce(0) { $0 + $1.size }
            // Its lists and its state took the server a while.
            if try await clerk.isCancelled(job) {
                answer.closeFiles()
                return try await clerk.putBack(job, to: lane)
            }
            attempts.end(at: end.stamp)
            let result = JobResult(
                ticket: ticket, endpoint: assignment.endpoint, server: press.server, attempts: attempts,
                started: max(assignment.started, earlier?.stamp ?? assignment.started), finished: end.stamp,
                reply: reply, warnings: warnings)
            // Again and again, if it must be: what is missing is the disk's work, and never another render.
            let path = try await clerk.persistently { _ in
                try job.finish(with: result.document, unsynced: reply.unsynced)
            }
            clerk.queue.forget(ticket)
            clerk.room.brought(size, pixels: assignment.asked?.pixels)
            let seconds = (ContinuousClock.now - clock) / .seconds(1)
            clerk.tell(.done(ticket, path: path, pictures: reply.pictures.count, seconds: seconds, warnings: warnings))
        } catch let failure as Failure {
            answer.closeFiles()
            // It was rendered, and got lost at the server while there was no room for it here.
            if early != nil, failure.class == .ambiguous {
                try await abandon(attempts, as: Attempts.disk)
                return try await clerk.putBack(job, to: lane)
            }
            let failure = await looked(at: failure, stops, isFollowed: isFollowed)
            if wasRefused { return try await clerk.putBackUncounted(job, attempts, to: lane) }
            try await handle(wasInLine ? failure.blamed(.ambiguous) : failure, attempts)
        } catch let lost as ContentLost {
            answer.closeFiles()
            try await abandon(attempts, as: Attempts.disk)
            guard lost.cause.isNoRoom, let reply = try? answer.get() else { throw lost.cause }
            throw NoRoom(lost.cause, bytes: reply.pictures.reduce(0) { $0 + $1.size })
        } catch {
            answer.closeFiles()
            // The daemon is told to end, or the disk fails: neither is the job's fault, and the record says so.
            try await abandon(attempts, as: error is CancellationError ? Attempts.stopped : Attempts.disk)
            throw error
        }
    }

    /// What was answered is known: another may be sent, if the server is there.
    func freePlace() {
        guard keepsPlace else { return }
        keepsPlace = false
        clerk.queue.crew { $0.answered(seat) }
    }

    /// The job is not sent.
    private func stay() {
        clerk.queue.crew { crew in
            crew.left(seat)
            crew.answered(seat)
        }
    }

    private func abandon(_ attempts: Attempts, as failure: String) async throws {
        var attempts = attempts
        attempts.end(at: .now, failure: failure)
        try await clerk.persistently { _ in try job.abandon(attempts) }
    }

    /// Sends the request; a render that takes its time is looked after meanwhile.
    private func send(_ live: Live?) async -> Result<Reply, any Error> {
        let silence = live.map { live in
            Silence(after: live.canTell ? Press.lead : Press.longLead) { [looks] in
                looks.task.withLock { $0 = Task(executorPreference: Threads.shared) { await live.watch() } }
            }
        }
        do {
            return .success(
                try await press.client.send(
                    assignment.body, to: assignment.endpoint, picturesInto: job.folder, job: ticket.name.text,
                    wantsPictures: assignment.wantsPictures, on: thread, silence: silence, admission: admission))
        } catch {
            return .failure(error)
        }
    }

    /// A result for which there is no room stays with the server that made it, and the next job goes.
    private var admission: Admission? {
        guard assignment.endpoint.service != nil else { return nil }
        return Admission { [self] bytes in
            guard try !clerk.room.admits(bytes, of: job.ticket, pixels: assignment.asked?.pixels) else { return true }
            if held.withLock({ $0 == nil }) {
                let answered = endsRender(true)
                held.withLock { $0 = answered }
                clerk.queue.crew { $0.answered(seat) }
            }
            return false
        }
    }

    private nonisolated func endsRender(_ isRender: Bool) -> Answered {
        let end = Moment.now
        let (earlier, isFollowed) = isRender ? press.answered(job.ticket, at: end) : (nil, false)
        return Answered(end: end, earlier: earlier, isFollowed: isFollowed)
    }

    /// What the server told of stops while it was looked after.
    private func looksEnd() async -> [ServerProgress.State] {
        guard let looks = looks.task.withLock({ $0 }) else { return [] }
        looks.cancel()
        return await looks.value
    }

    private func live(isBehind: Bool) async -> Live {
        // Without progress nothing is asked before somebody cancels the job.
        let showsProgress = clerk.options.showsProgress
        let paths = await press.catalogue.paths()
        let task = paths?.hasTasks == true || !showsProgress ? assignment.task : nil
        var trail = isBehind && press.tellsProgress ? Trail.behindOwn : Trail(before: nil)
        if !isBehind, task == nil, showsProgress { trail = Trail(before: await press.look(within: Self.glance)) }
        return Live(
            job, press: press, asked: assignment.asked, task: task, trail: trail, showsProgress: showsProgress)
    }
}

extension Result {
    fileprivate var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}

extension Result where Success == Reply {
    /// To be called before the job's folder is emptied, removed or moved: on NFS a file that is open leaves a name there
    /// that cannot be removed.
    fileprivate func closeFiles() { if case .success(let reply) = self { reply.unsynced.forEach { $0.close() } } }
}

/// The looks at one render, begun by whoever finds that it takes its time.
private final class Looks: Sendable {
    let task = Mutex<Task<[ServerProgress.State], Never>?>(nil)
}
