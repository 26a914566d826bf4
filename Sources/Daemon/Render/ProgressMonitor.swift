// Beside a render: shows how far it is, and stops it at the server when somebody cancels the job.
//
// The server's state and its interrupt know no job. What it tells is shown, and what runs is stopped, only where that
// is this render for sure. Nothing here fails: a look that brings nothing is a look less.

import A1111
import Foundation
import Linux
import Spool

/// Looks after one render while it is under way.
struct ProgressMonitor: Sendable {
    private let job: ActiveJob
    private let renderServer: RenderServer
    private var client: Client { renderServer.client }
    private let asked: RequestedRender?
    private let showsProgress: Bool
    /// The name by which the server knows the render, where it knows renders by names.
    private let task: String?
    /// How to tell it where not.
    private var identity: RenderIdentity

    private var pace = PollSchedule(now: .now)
    private var wantsPreview = true
    /// The file that shows the last preview.
    private var preview: FileName?
    private var interrupted: ContinuousClock.Instant?
    /// What the server told of stops by other hands, of this render or another.
    private var stops: [ServerProgress.State] = []

    /// Behind the lead: short renders are over before anybody looks.
    private static let first = Duration.milliseconds(250)
    private static let interval = Duration.seconds(1)
    /// An interrupt is obeyed between two steps, and some take long.
    private static let patience = Duration.seconds(5)

    init(
        _ job: ActiveJob, renderServer: RenderServer, asked: RequestedRender?, task: String?, identity: RenderIdentity,
        showsProgress: Bool
    ) {
        self.job = job
        self.renderServer = renderServer
        self.asked = asked
        self.task = task
        self.identity = identity
        self.showsProgress = showsProgress
    }

    /// Whether the server tells that it has the render in its line.
    var canTell: Bool { task != nil && showsProgress }

    /// Looks after the render, which the server has not answered at once, until the task is cancelled. Gives what the server
    /// told of stops meanwhile.
    func watch() async -> [ServerProgress.State] {
        if canTell { await waitUntilAtWork() }
        renderServer.isAtWork(job.ticket)
        var monitor = self
        return await monitor.look()
    }

    /// A server that does not say it within a second will not say it.
    private func waitUntilAtWork() async {
        guard let task else { return }
        let end = ContinuousClock.now + .seconds(1)
        while ContinuousClock.now < end, !Task.isCancelled {
            guard let state = try? await client.state(ofTask: task), state.renderState == .unknown else { return }
            try? await TaskQueueExecutor.rest(for: RenderServer.lead)
        }
    }

    private mutating func look() async -> [ServerProgress.State] {
        var isCancelled = false
        try? await TaskQueueExecutor.rest(for: Self.first)
        while !Task.isCancelled {
            if !isCancelled, await jobIsCancelled() {
                isCancelled = true
                pace.hurry(now: .now)
            }
            if pace.isDue(.now) {
                if isCancelled { await stop() } else if showsProgress { await show() }
            }
            try? await TaskQueueExecutor.rest(for: Self.interval)
        }
        return stops
    }

    /// A disk that does not tell is met by those who need it more.
    private func jobIsCancelled() async -> Bool {
        (try? await TaskQueueExecutor.blocking { [job] in try job.isCancelled }) ?? false
    }

    // MARK: Showing

    private mutating func show() async {
        guard let (place, progress) = await ask(forNumbers: true), place != .unknown else { return }
        if let state = progress?.state, state.skipped || state.interrupted { stops = stops.suffix(7) + [state] }
        let (job, asked, last) = (job, asked, preview)
        // A folder that has just been taken away, or a full disk: the pictures meet it, too, and that is told.
        preview =
            (try? await TaskQueueExecutor.blocking {
                var document = ProgressDocument(progress: progress, asked: asked, preview: last, now: .now)
                if let picture = progress?.preview {
                    document.preview = try job.show(preview: picture.bytes, suffix: picture.format.suffix)
                }
                try job.show(document.document)
                return document.preview
            }) ?? last
    }

    // MARK: Stopping

    private mutating func stop() async {
        guard let (place, _) = await ask(forNumbers: false), place == .running else { return }
        if let interrupted, .now - interrupted < Self.patience { return }
        interrupted = .now
        // One that does not get there is tried again.
        await renderServer.interrupt()
    }

    // MARK: Asking

    /// Where the render is, and what the server tells; `nil` where it cannot be asked.
    private mutating func ask(forNumbers: Bool) async -> (RenderState, ServerProgress?)? {
        let start = ContinuousClock.now
        do {
            let answer = try await renderState(forNumbers: forNumbers)
            pace.answered(after: .now - start, now: .now)
            return answer
        } catch let failure as Failure where failure.class == .wrongResult && wantsPreview && forNumbers {
            // The preview is larger than anybody needs it.
            wantsPreview = false
        } catch {
            pace.failed(error as? Failure, now: .now)
        }
        return nil
    }

    private mutating func renderState(forNumbers: Bool) async throws -> (RenderState, ServerProgress?) {
        // It waits in the server behind others of ours: nothing has to be asked for to know that.
        guard renderServer.isFirst(job.ticket) else { return (.waiting, nil) }
        if let task {
            let place = try await client.state(ofTask: task).renderState
            return (place, place == .running && forNumbers ? try await progress() : nil)
        }
        guard identity.leads else { return (.unknown, nil) }
        let progress = try await progress(withPreview: forNumbers)
        let place = identity.renderState(progress)
        return (place, place == .running ? progress : nil)
    }

    private func progress(withPreview: Bool = true) async throws -> ServerProgress {
        try await client.progress(withPreview: withPreview && wantsPreview, within: Client.lookTimeout)
    }
}
