// What a dispatcher has done with its jobs in the folders; all of it is tried until it is done.

import A1111
import Foundation
import Linux
import Spool
import Synchronization

/// Moves the jobs of a dispatcher between the folders and the lines. Waits for the disk with the thread that it is called on.
struct JobTransitions: Sendable {
    let spool: Spool
    let queue: JobQueue
    let options: DaemonOptions
    let emit: @Sendable (Event) -> Void

    let space: DiskSpace
    /// `nil` for strict order.
    var affinity: CheckpointAffinity?
    let disk = DiskHealth()

    /// A job that is ready waits at most so long before it is sent.
    func tell(_ ticket: Ticket, waitsForLostRender delay: Duration) {
        emit(.delayed(ticket, "a render whose answer is lost may still run at the server", atMost: delay))
    }

    nonisolated(nonsending) func isCancelled(_ job: ActiveJob) async throws -> Bool {
        try await retryingDiskErrors { _ in try job.isCancelled }
    }

    nonisolated(nonsending) func fail(_ job: ActiveJob, _ report: ErrorReport, keepingPictures: Bool = false)
        async throws
    {
        let path = try await retryingDiskErrors { _ in
            try job.commitClaim()
            return try job.fail(with: report, keepingPictures: keepingPictures)
        }
        queue.forget(job.ticket)
        emit(.failed(job.ticket, report.message, path: path))
    }

    /// The spool monitor has expanded most batches before they come here.
    nonisolated(nonsending) func expand(_ job: ActiveJob, _ batch: Batch, jobClass: JobClass) async throws {
        // Again and again, if it must be: behind the instant of commit only moves are missing.
        let expansion = try await retryingDiskErrors { _ in
            try job.commitClaim()
            return try job.expand(batch, at: options.servers)
        }
        guard let expansion else { return try await requeue(job, to: jobClass) }
        emit(.expanded(job.ticket, expansion))
        queue.add(expansion)
        queue.forget(job.ticket)
    }

    /// When a job that is put back may go.
    enum RequeueTiming {
        case now
        /// Not before so long: a job that keeps failing does not hold up the others.
        case after(Duration)
        /// When the others have gone, or one of them was answered; and not before so long, unless `untilSuccess` says that an
        /// answer to another ends that, too.
        case late(after: Duration, untilSuccess: Bool = false)
        /// When there is room for its result on the disk.
        case withRoom(NoSpace, pixels: Int?)
    }

    /// Puts the job back into its place on the disk at once, and into the line in its turn.
    nonisolated(nonsending) func requeue(
        _ job: ActiveJob, to jobClass: JobClass, _ turn: RequeueTiming = .now, inSilence: Bool = false
    ) async throws {
        switch try await retryingDiskErrors({ _ in try job.requeue() }) {
        case .queued: break
        case .concluded: return queue.forget(job.ticket)
        case .gone:
            queue.forget(job.ticket)
            return emit(.cancelled(job.ticket))
        }
        if !inSilence { emit(.requeued(job.ticket)) }
        switch turn {
        case .now: queue.requeue(job.ticket, to: jobClass)
        case .after(let delay): queue.requeue(job.ticket, to: jobClass, after: delay)
        case .late(let delay, let untilSuccess):
            queue.requeue(job.ticket, to: jobClass, isLate: true, after: delay, untilSuccess: untilSuccess)
        case .withRoom(let lack, let pixels): space.waitForSpace(job.ticket, jobClass, lack, pixels: pixels)
        }
    }

    /// Puts back a job whose last attempt was none.
    nonisolated(nonsending) func requeueUncounted(
        _ job: ActiveJob, _ attempts: Attempts, to jobClass: JobClass, _ turn: RequeueTiming = .now
    ) async throws {
        var attempts = attempts
        attempts.list.removeLast()
        try await retryingDiskErrors { [attempts] _ in try job.abandon(attempts) }
        try await requeue(job, to: jobClass, turn, inSilence: true)
    }

    /// The same for one whose attempt the disk would not have.
    nonisolated(nonsending) func requeueUnrecorded(
        _ job: ActiveJob, _ attempts: Attempts, to jobClass: JobClass, because error: SystemError
    ) async throws {
        emit(.diskError(error))
        disk.failed()
        try await requeueUncounted(job, attempts, to: jobClass)
    }

    /// Several jobs in a row without memory: the server is to blame, and failing the whole queue would help nobody.
    nonisolated(nonsending) func pauseForMemory() async throws {
        try await retryingDiskErrors { _ in
            try PauseFile(spool).layDown(
                because: "\(RenderServer.outOfMemoryLimit) jobs in a row failed because the server ran out of memory. "
                    + "Free some (or restart the server), then delete this file to go on.")
        }
        // At once: the word of the folder comes when the next job is under way.
        if queue.pause(true) { emit(.paused(true)) }
    }

    /// Puts back what a dispatcher took and cannot send, wherever it lies by now.
    nonisolated(nonsending) func giveBack(_ ticket: Ticket, to jobClass: JobClass, because error: SystemError? = nil)
        async throws
    {
        if let error {
            emit(.diskError(error))
            disk.failed()
        }
        guard let job = try await retryingDiskErrors({ _ in try Claims(spool).claim(ticket, again: true) }) else {
            return queue.forget(ticket)
        }
        try await requeue(job, to: jobClass, inSilence: error != nil)
    }

    /// Waits, where the disk has stopped a job, until it does its work again: that is every job's. Rendering them one after
    /// the other to find that out would cost the server's time and bring nothing.
    nonisolated(nonsending) func waitForDisk() async throws {
        guard let delay = disk.delay() else { return }
        try await retryingDiskErrors { _ in try DiskProbe(spool).run(room: SpaceEstimate.documents) }
        try await TaskQueueExecutor.rest(for: delay)
    }

    nonisolated(nonsending) func retryingDiskErrors<Value>(
        _ body: (_ again: Bool) throws -> Value
    ) async throws -> Value {
        try await retryUntilDone(emit: emit, body)
    }
}

/// Whether the disk has stopped a job since it was last waited for.
final class DiskHealth: Sendable {
    private let state = Mutex((isFailing: false, backoff: Backoff()))

    func failed() { state.withLock { $0.isFailing = true } }

    /// Whether it has, and nobody has waited for it yet.
    var isFailing: Bool { state.withLock(\.isFailing) }

    /// A job has come to its end.
    func recovered() { state.withLock { $0.backoff.reset() } }

    /// How long to wait; `nil` where nothing was met since the last time.
    func delay() -> Duration? {
        state.withLock { state in
            guard state.isFailing else { return nil }
            state.isFailing = false
            return state.backoff.next()
        }
    }
}
