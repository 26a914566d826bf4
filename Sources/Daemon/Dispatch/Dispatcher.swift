// The dispatcher of a server: takes jobs from the queue, makes them ready, and sends them in their order.
//
// claim → record the attempt → send → publish. The last two are a RenderAttempt's, and several are on their way
// at once: while one job is rendered the next waits in the server already, and the last is written to the disk.
// Whatever happens in between, the job is in one of the folders, and recovery knows the way on from there.

import A1111
import Foundation
import Linux
import Spool

/// Serves the jobs of one kind at one server until the queue is closed or its task is cancelled.
actor Dispatcher {
    /// Jobs are made ready on a thread that may wait for the disk: each change of threads would cost as much as a sync.
    private let thread = SerialQueueExecutor(label: "worker")
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let transitions: JobTransitions
    private let kind: JobClass.Kind
    private let renderServer: RenderServer

    private nonisolated var queue: JobQueue { transitions.queue }
    private nonisolated var slot: SlotKey { SlotKey(server: renderServer.server.description, kind: kind) }

    private typealias RenderAttempts = ThrowingDiscardingTaskGroup<any Error>

    /// Takes its seat: from now on it is counted with.
    init(_ kind: JobClass.Kind, at renderServer: RenderServer, transitions: JobTransitions) {
        self.transitions = transitions
        self.kind = kind
        self.renderServer = renderServer
        let slot = SlotKey(server: renderServer.server.description, kind: kind)
        transitions.queue.slots { $0.add(slot, limit: kind == .renders ? transitions.options.inFlight : 1) }
    }

    /// Works until the queue is closed. Throws CancellationError when the task is cancelled; what was under way is back
    /// in its place then.
    func run() async throws {
        // Also while nothing waits, so that the log says at the start whether the server is there.
        try await renderServer.health.waitUntilUp()
        try await withThrowingDiscardingTaskGroup { attempts in
            while await queue.hasNext(for: slot) {
                if !renderServer.health.isUp { try await renderServer.health.waitUntilUp() }
                try await transitions.waitForDisk()
                let paths = await renderServer.capabilities.paths()
                guard let next = queue.next(for: slot, by: transitions.affinity) else { continue }
                try await serve(.init(ticket: next.ticket, jobClass: next.jobClass), paths, &attempts)
            }
        }
    }

    private func claimer(_ paths: ServerPaths?) -> Claimer {
        Claimer(
            spool: transitions.spool, options: transitions.options, server: renderServer.server, paths: paths,
            space: transitions.space,
            namesTasks: kind == .renders && transitions.options.showsProgress && paths?.hasTasks == true)
    }

    // MARK: Sending

    private func serve(_ taken: Claimer.Taken, _ paths: ServerPaths?, _ attempts: inout RenderAttempts) async throws {
        var isSent = false
        // What is not sent is in nobody's hands, however it ends here: others may wait for that.
        defer {
            if !isSent {
                transitions.space.left(taken.ticket)
                queue.slots { $0.cancelled(slot) }
            }
        }
        do {
            let claimer = claimer(paths)
            var result = try claimer.prepare(taken)
            if case .unclaimed(let error) = result {
                transitions.emit(.diskError(error))
                result = try await transitions.retryingDiskErrors { _ in
                    let result = try claimer.prepare(taken, again: true)
                    if case .unclaimed(let error) = result { throw error }
                    return result
                }
            }
            switch result {
            case .ready(let job, let prepared):
                await queue.waitToStart(slot)
                isSent = try await send(job, prepared, taken.jobClass, &attempts)
            case .alone(let job, let prepared):
                isSent = try await sendAlone(job, prepared, taken.jobClass, &attempts)
            case .batch(let job, let batch): try await transitions.expand(job, batch, jobClass: taken.jobClass)
            case .invalid(let job, let report): try await transitions.fail(job, report)
            case .elsewhere(let job, let jobClass): try await transitions.requeue(job, to: jobClass, inSilence: true)
            case .cancelled(let job): try await transitions.requeue(job, to: taken.jobClass)
            case .unrecorded(let job, let attempts, let error):
                try await transitions.requeueUnrecorded(job, attempts, to: taken.jobClass, because: error)
            case .locked(let error):
                // The next look at the folders finds it again.
                transitions.emit(.diskError(error))
                queue.forget(taken.ticket)
            case .gone:
                queue.forget(taken.ticket)
                transitions.emit(.cancelled(taken.ticket))
            case .tooLarge, .unclaimed:
                // The one comes back when there is room; the other is tried until it is claimed, above.
                break
            }
        } catch let error as SystemError {
            try await transitions.giveBack(taken.ticket, to: taken.jobClass, because: error)
        } catch is CancellationError {
            try await transitions.giveBack(taken.ticket, to: taken.jobClass)
            throw CancellationError()
        }
    }

    /// Sends the job behind those that are with the server; all that can be done before is done by then.
    /// False where those have found the server away meanwhile; then it is back in its place.
    private func send(
        _ job: ActiveJob, _ prepared: PreparedJob, _ jobClass: JobClass, _ attempts: inout RenderAttempts
    ) async throws -> Bool {
        let settings = prepared.asked == nil ? ServerSettings() : await renderServer.capabilities.settings()
        guard renderServer.health.isUp else {
            try await transitions.requeueUncounted(job, prepared.attempts, to: jobClass)
            return false
        }
        queue.slots { $0.starting(slot) }
        let attempt = RenderAttempt(
            job, prepared, from: jobClass, settings: settings, slot: slot, transitions: transitions,
            renderServer: renderServer)
        attempts.addTask(executorPreference: attempt.thread) { [renderServer] in
            try await attempt.run()
            // Also when nothing waits for it: the log and the status say when it is back.
            if !renderServer.health.isUp { try await renderServer.health.waitUntilUp() }
        }
        return true
    }

    /// Sends a job when no other is there, and none behind it. False where it is not sent, and is back in its place.
    private func sendAlone(
        _ job: ActiveJob, _ prepared: PreparedJob, _ jobClass: JobClass, _ attempts: inout RenderAttempts
    ) async throws -> Bool {
        await queue.waitForNone(at: slot)
        if prepared.attempts.mayStillRun, try await !waitedUntilIdle(for: job) {
            try await transitions.requeue(job, to: jobClass)
            return false
        }
        var prepared = prepared
        prepared.begin(at: renderServer.server)
        do throws(SystemError) {
            try job.record(prepared.attempts)
        } catch {
            try await transitions.requeueUnrecorded(job, prepared.attempts, to: jobClass, because: error)
            return false
        }
        guard try await send(job, prepared, jobClass, &attempts) else { return false }
        await queue.waitForNone(at: slot)
        return true
    }

    /// The server may still be rendering what an earlier attempt asked for. Another request would only wait behind it
    /// in the server, and cost a second render if the first one's answer had come.
    /// False where the job is cancelled meanwhile.
    private func waitedUntilIdle(for job: ActiveJob) async throws -> Bool {
        let patience = Duration.seconds(600)
        let deadline = ContinuousClock.now + patience
        var isTold = false
        while ContinuousClock.now < deadline, try await !transitions.isCancelled(job) {
            do {
                if try await renderServer.client.progress().isIdle { break }
            } catch is Failure {
                // A server that does not tell is not waited for.
                break
            }
            if !isTold { transitions.tell(job.ticket, waitsForLostRender: patience) }
            isTold = true
            try await TaskQueueExecutor.rest(for: .seconds(1))
        }
        return try await !transitions.isCancelled(job)
    }
}
