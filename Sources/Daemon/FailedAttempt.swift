// What becomes of a job whose request failed: whose fault it was is asked first, and the others go on meanwhile.

import A1111
import Foundation
import Spool

extension Flight {
    /// Sees the job to its next place: its own in the queue, one after the others, or failed/.
    func handle(_ answer: Failure, _ attempts: Attempts) async throws {
        var attempts = attempts
        let failure = try await press.clarified(answer, for: assignment.endpoint)
        attempts.end(at: .now, failure: failure.class.rawValue, message: failure.message)
        let wasProven = press.watch.isProven
        let pause = press.wait(of: job.ticket, after: failure)
        await press.note(failure, pause: pause)
        freePlace()
        // By us: it was meant for another render, which had ended in that moment.
        if failure.class == .interrupted, await press.hasHit(failure.began) {
            return try await clerk.putBackUncounted(job, attempts, to: lane)
        }
        switch step(after: failure.class, attempts: attempts.counted) {
        case .waitForServer:
            // It went away under the job although it had answered: others go first when it is back.
            guard wasProven, answer.class == .ambiguous || failure.isLostByGateway else {
                return try await clerk.putBackUncounted(job, attempts, to: lane)
            }
            guard attempts.counted < attemptLimit else { return try await fail(failure.blamed(.ambiguous), attempts) }
            try job.record(attempts)
            try await clerk.putBack(job, to: lane, .late(after: .zero), inSilence: true)
        case .later:
            // One that says so to all is left alone, and all jobs wait.
            let delay = failure.isForAll ? .zero : pause ?? .zero
            if delay > .zero { clerk.tell(.tryingAgain(job.ticket, failure.message, after: delay)) }
            try await clerk.putBackUncounted(job, attempts, to: lane, .late(after: delay))
        case .tryAgain(let delay):
            clerk.tell(.tryingAgain(job.ticket, failure.message, after: delay))
            try job.record(attempts)
            try await clerk.putBack(job, to: lane, .after(delay))
        case .fail: try await fail(failure, attempts)
        }
    }

    private func fail(_ failure: Failure, _ attempts: Attempts) async throws {
        var report = ErrorReport(ticket: job.ticket, class: failure.class.rawValue, message: failure.message)
        report.endpoint = assignment.endpoint.path
        report.server = press.server.description
        report.status = failure.status
        report.answer = failure.answer
        report.attempts = attempts
        try await clerk.fail(job, report, keepingPictures: failure.keepsPictures)
        if press.isOutOfMemory(failure) { try await clerk.pauseForMemory() }
    }
}
