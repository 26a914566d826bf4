// A job on its way: from the request through the server to its result. What fails is told apart in FailedAttempt.swift.

import A1111
import Foundation
import JSONText
import Linux
import Spool
import Synchronization

/// One attempt at a job whose record is on the disk. Others may be under way beside it.
actor RenderAttempt {
    /// It waits for the server and for the disk with a thread of its own: at most as many as jobs are in attempt.
    nonisolated let thread = SerialQueueExecutor(label: "flight")
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    let job: ActiveJob
    let jobClass: JobClass
    let prepared: PreparedJob
    /// The server's, before the render.
    let settings: ServerSettings
    let slot: SlotKey
    let transitions: JobTransitions
    let renderServer: RenderServer
    private let progressLook = ProgressLook()
    /// For a look at the server before a render: it waits for that.
    private static let glance = TimeLimit.with(.seconds(1))
    /// Where its answer stays with the server for want of room: the server was free for others from then on.
    private nonisolated let held = Mutex<Answered?>(nil)
    /// It was answered, and its place at the server is not given to another before it is known whose fault the answer was.
    private var keepsSlot = false

    /// What was known when the server had rendered it.
    private struct Answered: Sendable {
        let end: Instant
        let earlier: Instant?
        let isFollowed: Bool
    }

    init(
        _ job: ActiveJob, _ prepared: PreparedJob, from jobClass: JobClass, settings: ServerSettings, slot: SlotKey,
        transitions: JobTransitions,
        renderServer: RenderServer
    ) {
        self.job = job
        self.jobClass = jobClass
        self.prepared = prepared
        self.settings = settings
        self.slot = slot
        self.transitions = transitions
        self.renderServer = renderServer
    }

    private var ticket: Ticket { job.ticket }

    /// Sends the job and sees it to its end, in whatever folder that is. Throws CancellationError when the task is
    /// cancelled; the job is back in its place then.
    func run() async throws {
        defer {
            freeSlot()
            transitions.queue.slots { $0.released(slot) }
        }
        defer { transitions.space.left(ticket) }
        do {
            try await perform()
            transitions.disk.recovered()
        } catch let lack as NoSpace {
            try await transitions.requeue(job, to: jobClass, .withRoom(lack, pixels: prepared.asked?.pixels))
        } catch let error as SystemError {
            transitions.emit(.diskError(error))
            // Before the dispatcher can take it again.
            transitions.disk.failed()
            try await transitions.requeue(job, to: jobClass, inSilence: true)
        } catch is CancellationError {
            try await transitions.requeue(job, to: jobClass)
            throw CancellationError()
        }
    }

    private func perform() async throws {
        let isRender = prepared.endpoint.service != nil
        if isRender {
            // The one before is in the server's line, or is answered.
            await transitions.queue.wait { [renderServer] in renderServer.isReadyForNext }
            do {
                guard
                    try await renderServer.waitForLostRender(
                        unless: { try await transitions.isCancelled(job) },
                        waits: { transitions.tell(ticket, waitsForLostRender: $0) })
                else {
                    leaveUnsent()
                    return try await transitions.requeue(job, to: jobClass)
                }
            } catch {
                leaveUnsent()
                try await abandon(prepared.attempts, as: Attempts.stopped)
                throw error
            }
            // Those before it have found that out.
            guard renderServer.health.isUp else {
                leaveUnsent()
                return try await transitions.requeueUncounted(job, prepared.attempts, to: jobClass)
            }
        }
        let isBehind = renderServer.isBusy
        transitions.emit(.started(ticket, server: renderServer.server.description))
        if isRender { renderServer.willSend(ticket) }
        transitions.queue.slots { $0.sent(slot) }
        let monitor = isRender ? await progressMonitor(isBehind: isBehind) : nil
        let sent = ContinuousClock.now
        let answer = await send(monitor)
        let early = held.withLock { $0 }
        let answered = early ?? endsRender(isRender)
        let (end, earlier, isFollowed) = (answered.end, answered.earlier, answered.isFollowed)
        // The one before it is still at work, and takes none beside it.
        let failure = answer.failure as? Failure
        let wasRefused = isBehind && renderServer.isBusy && failure?.status == 503
        // A gateway that gave up while others of ours were there says nothing of this one, which may have waited for them.
        let wasInLine = failure?.isGatewayTimeout == true && (isBehind || isFollowed)
        // Before the next one leaves: it would wait behind this one.
        if isRender, early == nil, !wasRefused, let failure, failure.class == .ambiguous || failure.isLostByGateway {
            renderServer.lost(after: end.instant - sent)
        }
        // The next one would be told the same.
        let isDoubtful = failure.map { [.serverDown, .ambiguous, .notNow, .unclear].contains($0.class) } ?? false
        keepsSlot = early == nil && isDoubtful
        // In one step: the next one would leave in between, to be refused as well.
        let isNew = transitions.queue.slots { slots in
            defer { if early == nil, !isDoubtful { slots.publishing(slot) } }
            guard wasRefused || wasInLine, slots.limit(slot) > 1 else { return false }
            slots.setLimit(slot, 1)
            return true
        }
        if isNew {
            let reason =
                wasInLine
                ? "stands behind a gateway that does not wait for two renders" : "takes no request while it renders"
            transitions.emit(.oneAtATime(server: renderServer.server.description, because: reason))
        }
        let stops = await stopsSeen()
        if prepared.endpoint.changesSettings { renderServer.capabilities.settingsChanged() }
        // It waited in the server for those before it.
        let clock = max(sent, earlier?.instant ?? sent)
        var attempts = prepared.attempts
        do {
            if try await transitions.isCancelled(job) {
                answer.closeFiles()
                if let failure {
                    await renderServer.record(try await renderServer.clarified(failure, for: prepared.endpoint))
                }
                return try await transitions.requeue(job, to: jobClass)
            }
            let reply = try answer.get()
            if let failure = try await pageInstead(of: reply) { throw failure }
            await renderServer.record(nil)
            transitions.queue.clearLate()
            _ = renderServer.isOutOfMemory(nil)
            let warnings = await differences(from: reply)
            if let failure = await objection(to: reply, stops, warnings, isFollowed: isFollowed) {
                if failure.keepsPictures { for file in reply.unsynced { try file.sync() } }
                throw failure
            }
            if isRender { renderServer.record(renderTime: end.instant - clock) }
            let size = reply.pictures.reduce(0) { $0 + $1.size }
            // Its lists and its state took the server a while.
            if try await transitions.isCancelled(job) {
                answer.closeFiles()
                return try await transitions.requeue(job, to: jobClass)
            }
            attempts.end(at: end.stamp)
            let result = JobResult(
                ticket: ticket, endpoint: prepared.endpoint, server: renderServer.server, attempts: attempts,
                started: max(prepared.started, earlier?.stamp ?? prepared.started), finished: end.stamp,
                reply: reply, warnings: warnings)
            // Again and again, if it must be: what is missing is the disk's work, and never another render.
            let path = try await transitions.retryingDiskErrors { _ in
                try job.finish(with: result.document, unsynced: reply.unsynced)
            }
            transitions.queue.forget(ticket)
            transitions.space.recordResult(size, pixels: prepared.asked?.pixels)
            let seconds = (ContinuousClock.now - clock) / .seconds(1)
            transitions.emit(
                .done(ticket, path: path, pictures: reply.pictures.count, seconds: seconds, warnings: warnings))
        } catch let failure as Failure {
            answer.closeFiles()
            // It was rendered, and got lost at the server while there was no room for it here.
            if early != nil, failure.class == .ambiguous {
                try await abandon(attempts, as: Attempts.disk)
                return try await transitions.requeue(job, to: jobClass)
            }
            let failure = await explained(failure, stops, isFollowed: isFollowed)
            if wasRefused { return try await transitions.requeueUncounted(job, attempts, to: jobClass) }
            try await handle(wasInLine ? failure.blamed(.ambiguous) : failure, attempts)
        } catch let lost as ContentLost {
            answer.closeFiles()
            try await abandon(attempts, as: Attempts.disk)
            guard lost.cause.isNoRoom, let reply = try? answer.get() else { throw lost.cause }
            throw NoSpace(lost.cause, bytes: reply.pictures.reduce(0) { $0 + $1.size })
        } catch {
            answer.closeFiles()
            // The daemon is told to end, or the disk fails: neither is the job's fault, and the record says so.
            try await abandon(attempts, as: error is CancellationError ? Attempts.stopped : Attempts.disk)
            throw error
        }
    }

    /// What was answered is known: another may be sent, if the server is there.
    func freeSlot() {
        guard keepsSlot else { return }
        keepsSlot = false
        transitions.queue.slots { $0.publishing(slot) }
    }

    /// The job is not sent.
    private func leaveUnsent() {
        transitions.queue.slots { slots in
            slots.sent(slot)
            slots.publishing(slot)
        }
    }

    private func abandon(_ attempts: Attempts, as failure: String) async throws {
        var attempts = attempts
        attempts.end(at: .now, failure: failure)
        try await transitions.retryingDiskErrors { _ in try job.abandon(attempts) }
    }

    /// Sends the request; a render that takes its time is looked after meanwhile.
    private func send(_ monitor: ProgressMonitor?) async -> Result<Reply, any Error> {
        let silence = monitor.map { monitor in
            FirstByteTimer(after: monitor.canTell ? RenderServer.lead : RenderServer.longLead) { [progressLook] in
                progressLook.task.withLock {
                    $0 = Task(executorPreference: TaskQueueExecutor.shared) { await monitor.watch() }
                }
            }
        }
        do {
            return .success(
                try await renderServer.client.send(
                    prepared.body, to: prepared.endpoint, picturesInto: job.folder, job: ticket.name.text,
                    wantsPictures: prepared.wantsPictures, on: thread, silence: silence, admission: admission))
        } catch {
            return .failure(error)
        }
    }

    /// A result for which there is no room stays with the server that made it, and the next job goes.
    private var admission: Admission? {
        guard prepared.endpoint.service != nil else { return nil }
        return Admission { [self] bytes in
            guard try !transitions.space.admits(bytes, of: job.ticket, pixels: prepared.asked?.pixels) else {
                return true
            }
            if held.withLock({ $0 == nil }) {
                let answered = endsRender(true)
                held.withLock { $0 = answered }
                transitions.queue.slots { $0.publishing(slot) }
            }
            return false
        }
    }

    private nonisolated func endsRender(_ isRender: Bool) -> Answered {
        let end = Instant.now
        let (earlier, isFollowed) = isRender ? renderServer.finishRender(job.ticket, at: end) : (nil, false)
        return Answered(end: end, earlier: earlier, isFollowed: isFollowed)
    }

    /// What the server told of stops while it was looked after.
    private func stopsSeen() async -> [ServerProgress.State] {
        guard let progressLook = progressLook.task.withLock({ $0 }) else { return [] }
        progressLook.cancel()
        return await progressLook.value
    }

    private func progressMonitor(isBehind: Bool) async -> ProgressMonitor {
        // Without progress nothing is asked before somebody cancels the job.
        let showsProgress = transitions.options.showsProgress
        let paths = await renderServer.capabilities.paths()
        let task = paths?.hasTasks == true || !showsProgress ? prepared.task : nil
        var identity = isBehind && renderServer.tellsProgress ? RenderIdentity.behindOwn : RenderIdentity(before: nil)
        if !isBehind, task == nil, showsProgress {
            identity = RenderIdentity(before: await renderServer.progress(within: Self.glance))
        }
        return ProgressMonitor(
            job, renderServer: renderServer, asked: prepared.asked, task: task, identity: identity,
            showsProgress: showsProgress)
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
private final class ProgressLook: Sendable {
    let task = Mutex<Task<[ServerProgress.State], Never>?>(nil)
}
