// What becomes of a job whose request failed: whose fault it was is asked first, and the others go on meanwhile.

import A1111
import Foundation
import Spool

extension RenderAttempt {
    /// Sees the job to its next place: its own in the queue, one after the others, or failed/.
    func handle(_ answer: Failure, _ attempts: Attempts) async throws {
        var attempts = attempts
        let failure = try await renderServer.clarified(answer, for: prepared.endpoint)
        attempts.end(at: .now, failure: failure.class.rawValue, message: failure.message)
        let wasProven = renderServer.health.isProven
        let pause = renderServer.wait(of: job.ticket, after: failure)
        await renderServer.record(failure, pause: pause)
        freeSlot()
        // By us: it was meant for another render, which had ended in that moment.
        if failure.class == .interrupted, await renderServer.hasInterrupted(failure.began) {
            return try await transitions.requeueUncounted(job, attempts, to: jobClass)
        }
        switch step(after: failure.class, attempts: attempts.counted) {
        case .waitForServer:
            // It went away under the job although it had answered: others go first when it is back.
            guard wasProven, answer.class == .ambiguous || failure.isLostByGateway else {
                return try await transitions.requeueUncounted(job, attempts, to: jobClass)
            }
            guard attempts.counted < attemptLimit else { return try await fail(failure.blamed(.ambiguous), attempts) }
            try job.record(attempts)
            try await transitions.requeue(job, to: jobClass, .late(after: .zero), inSilence: true)
        case .later:
            // One that says so to all is left alone, and all jobs wait.
            let delay = failure.isForAll ? .zero : pause ?? .zero
            if delay > .zero { transitions.emit(.retrying(job.ticket, failure.message, after: delay)) }
            try await transitions.requeueUncounted(
                job, attempts, to: jobClass, .late(after: delay, untilSuccess: failure.retryAfter == nil))
        case .tryAgain(let delay):
            transitions.emit(.retrying(job.ticket, failure.message, after: delay))
            try job.record(attempts)
            try await transitions.requeue(job, to: jobClass, .after(delay))
        case .fail: try await fail(failure, attempts)
        }
    }

    private func fail(_ failure: Failure, _ attempts: Attempts) async throws {
        var report = ErrorReport(ticket: job.ticket, class: failure.class.rawValue, message: failure.message)
        report.endpoint = prepared.endpoint.path
        report.server = renderServer.server.description
        report.status = failure.status
        report.answer = failure.answer
        report.attempts = attempts
        try await transitions.fail(job, report, keepingPictures: failure.keepsPictures)
        if renderServer.isOutOfMemory(failure) { try await transitions.pauseForMemory() }
    }
}
