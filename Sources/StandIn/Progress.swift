// How far the running render is, in the terms of A1111's `state`, and which tasks wait, run and are over.

import Foundation
import JSONText

/// A1111 keeps one such state for the whole server; most of it outlives the job.
struct Progress: Sendable {
    private var job = ""
    private var jobCount = 0
    private var jobNumber = 0
    private(set) var step = 0
    private var steps = 0
    private(set) var timestamp = "0"
    private var began = ContinuousClock.now
    /// Stay true until the next job begins.
    var isInterrupted = false
    var isSkipped = false

    private(set) var waiting: [String] = []
    private var current: String?
    private var finished: [String] = []

    /// Upscaling and interrogating are renders without a task.
    mutating func wait(_ task: String?) {
        if let task { waiting.append(task) }
    }

    mutating func begin(_ task: String?, job: String) {
        waiting.removeAll { $0 == task }
        if let task { current = task }
        self.job = job
        (jobCount, jobNumber, step) = (-1, 0, 0)
        (isInterrupted, isSkipped) = (false, false)
        began = .now
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "yyyyMMddHHmmss"
        timestamp = formatter.string(from: Date())
    }

    /// One of `count` batches begins.
    mutating func beginBatch(_ number: Int, of count: Int, steps: Int) {
        if count > 1 { job = "Batch \(number + 1) out of \(count)" }
        (jobCount, jobNumber, self.steps, step) = (count, number, steps, 0)
        isSkipped = false
    }

    /// Says whether the batch should go on.
    mutating func advance(to step: Int) -> Bool {
        self.step = step
        return !isInterrupted && !isSkipped
    }

    /// A task that failed stays the current one for ever, as in A1111.
    mutating func end(_ task: String?, failed: Bool) {
        (job, jobCount, step) = ("", 0, 0)
        guard let task, !failed else { return }
        current = nil
        finished = (finished + [task]).suffix(16)
    }

    func isAt(_ task: String) -> Bool { task == current }

    /// 0 to 1, as far as the batches and their steps tell.
    var fraction: Double {
        guard jobCount > 0 else { return 0 }
        let batch = steps > 0 ? Double(step) / Double(steps) : 0
        return min(1, (Double(jobNumber) + batch) / Double(jobCount))
    }

    private func eta(_ progress: Double) -> Double {
        guard progress > 0 else { return 0 }
        let spent = (ContinuousClock.now - began) / .seconds(1)
        return spent / progress - spent
    }

    /// The answer of GET /sdapi/v1/progress.
    func json(picture: JSONValue) -> JSONValue {
        // A1111 starts a job at one percent.
        let progress = jobCount == 0 ? 0 : min(1, 0.01 + fraction)
        let state: [(String, JSONValue)] = [
            ("skipped", .boolean(isSkipped)), ("interrupted", .boolean(isInterrupted)),
            ("stopping_generation", .boolean(false)), ("job", .string(job)), ("job_count", .integer(Int64(jobCount))),
            ("job_timestamp", .string(timestamp)), ("job_no", .integer(Int64(jobNumber))),
            ("sampling_step", .integer(Int64(step))), ("sampling_steps", .integer(Int64(steps))),
        ]
        return .object([
            ("progress", .decimal(progress)), ("eta_relative", .decimal(eta(progress))), ("state", .object(state)),
            ("current_image", picture), ("textinfo", .null),
        ])
    }

    /// The answer of POST /internal/progress.
    func json(task: String, preview: String?) -> JSONValue {
        let isActive = isAt(task)
        let place = waiting.firstIndex(of: task)
        let isFinished = !isActive && place == nil && finished.contains(task)
        let words = place.map { "In queue: \($0 + 1)/\(waiting.count)" } ?? "Waiting..."
        return .object([
            ("active", .boolean(isActive)), ("queued", .boolean(place != nil)),
            ("completed", .boolean(isFinished)), ("progress", isActive ? .decimal(fraction) : .null),
            ("eta", isActive && fraction > 0 ? .decimal(eta(fraction)) : .null), ("live_preview", .optional(preview)),
            ("id_live_preview", .integer(preview == nil ? -1 : Int64(step))),
            ("textinfo", isActive ? .null : .string(words)),
        ])
    }
}
