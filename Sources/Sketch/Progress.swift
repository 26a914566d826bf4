// How far the running render is, in the terms of A1111's `state`, and which tasks wait, run and are over.

import Glibc

/// A1111 keeps one such state for the whole server; most of it outlives the job.
struct Progress: Sendable {
    private(set) var job = ""
    private(set) var jobCount = 0
    private(set) var jobNumber = 0
    private(set) var step = 0
    private(set) var steps = 0
    private(set) var timestamp = "0"
    private var began = ContinuousClock.now
    /// Stay true until the next job begins.
    var isInterrupted = false
    var isSkipped = false

    private(set) var waiting: [String] = []
    private(set) var current: String?
    private(set) var finished: [String] = []
    private static let finishedLimit = 16

    /// Upscaling and interrogating are renders without a task.
    mutating func wait(_ task: String?) {
        if let task { waiting.append(task) }
    }

    mutating func begin(_ task: String?, job: String) {
        waiting.removeAll { $0 == task }
        if let task { current = task }
        self.job = job
        jobCount = -1
        jobNumber = 0
        step = 0
        isInterrupted = false
        isSkipped = false
        began = .now
        var now = time(nil)
        var parts = tm()
        localtime_r(&now, &parts)
        let numbers = [
            parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
        ]
        timestamp = numbers.map { ($0 < 10 ? "0" : "") + "\($0)" }.joined()
    }

    /// One of `count` batches begins.
    mutating func beginBatch(_ number: Int, of count: Int, steps: Int) {
        if count > 1 { job = "Batch \(number + 1) out of \(count)" }
        jobCount = count
        self.steps = steps
        step = 0
        isSkipped = false
    }

    mutating func advance(to step: Int) { self.step = step }

    mutating func endBatch() {
        step = 0
        jobNumber += 1
    }

    /// A task that failed stays the current one for ever, as in A1111; so does its batch.
    mutating func end(_ task: String?, failed: Bool) {
        job = ""
        jobCount = 0
        step = 0
        guard let task, !failed else { return }
        current = nil
        finished = (finished + [task]).suffix(Self.finishedLimit)
    }

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
    func json(picture: JSON) -> JSON {
        // A1111 starts a job at one percent.
        let progress = jobCount == 0 ? 0 : min(1, 0.01 + fraction)
        return [
            "progress": .double(progress), "eta_relative": .double(eta(progress)),
            "state": [
                "skipped": .bool(isSkipped), "interrupted": .bool(isInterrupted),
                "stopping_generation": false,
                "job": .string(job), "job_count": .int(jobCount), "job_timestamp": .string(timestamp),
                "job_no": .int(jobNumber), "sampling_step": .int(step), "sampling_steps": .int(steps),
            ],
            "current_image": picture, "textinfo": nil,
        ]
    }

    /// The answer of POST /internal/progress.
    func json(task: String) -> JSON {
        let isActive = task == current
        let place = waiting.firstIndex(of: task)
        let isKnown = isActive || place != nil
        let words = place.map { "In queue: \($0 + 1)/\(waiting.count)" } ?? "Waiting..."
        return [
            "active": .bool(isActive), "queued": .bool(!isActive && place != nil),
            "completed": .bool(!isKnown && finished.contains(task)),
            "progress": isActive ? .double(fraction) : nil,
            "eta": isActive && fraction > 0 ? .double(eta(fraction)) : nil,
            "live_preview": nil, "id_live_preview": -1, "textinfo": isActive ? nil : .string(words),
        ]
    }
}
