// A server that renders, and what is known of it by all who work with it.

import A1111
import A1111API
import Foundation
import Linux
import Spool
import Synchronization

/// A moment, for people and for intervals.
struct Instant: Sendable {
    let stamp: Timestamp
    let instant: ContinuousClock.Instant

    static var now: Instant { Instant(stamp: .now, instant: .now) }
}

/// One server.
final class RenderServer: Sendable {
    let client: Client
    let health: ServerHealth
    let capabilities: ServerCapabilities
    private let queue: JobQueue
    /// See ``Metrics/record(gap:)``.
    private let gap: @Sendable (Duration) -> Void
    private let record: ServerHistory

    private struct State {
        /// The renders that it has, in the order in which they were sent.
        var renders: [Ticket] = []
        /// The last one that was sent, and whether it is surely in the server's line.
        var last: (ticket: Ticket, isAtWork: Bool)?
        /// Of its renders.
        var longest = Duration.zero
        /// When it last answered one: the next begins then, if it was there by then.
        var lastAnswer: Instant?
        /// Since when it has nothing of ours to render although there is something.
        var idle: ContinuousClock.Instant?
        /// A render that was sent, and whose answer never came: it may still be under way there.
        var orphan: LostRender?
        /// How often it said "not now" to jobs that have not ended.
        var notNow: [Ticket: Int] = [:]
        /// Renders in a row that failed for want of memory.
        var outOfMemory = 0
        /// Looks at it behind a render.
        var looks = PollSchedule(now: .now)
        /// When the renders began that an interrupt of ours has hit.
        var hit: Set<String> = []
        var interrupting: Task<Void, Never>?
    }
    private let state = Mutex(State())

    /// So many say that it is the server and not the jobs.
    static let outOfMemoryLimit = 3

    var server: ServerAddress { client.server }

    init(
        _ server: ServerAddress, options: DaemonOptions, queue: JobQueue, gap: @escaping @Sendable (Duration) -> Void,
        emit: @escaping @Sendable (Event) -> Void
    ) {
        self.queue = queue
        self.gap = gap
        client = Client(server: server, renderTimeout: options.renderTimeout)
        let name = server.description
        let client = client
        let record = ServerHistory()
        let health = ServerHealth(
            server: server, grace: options.grace, record: { isThere in queue.slots { $0.setUp(name, isThere) } },
            probe: {
                do { return try await record.obstacle(client.probe())?.message } catch { return "it is asked no more" }
            },
            emit: emit)
        (self.record, self.health) = (record, health)
        capabilities = ServerCapabilities(client: client) {
            record.hasOptions()
            health.proves()
        }
    }

    // MARK: Its renders

    /// Two requests that leave at the same moment are read by the server in any order. Behind so long it is asked whether it
    /// has the first one in its line.
    static let lead = Duration.milliseconds(50)
    /// Where it cannot tell, it may take so long to read a request. Where renders are longer the second one is still there in
    /// time, and where they are shorter there is not much to wait for.
    static let longLead = Duration.milliseconds(150)

    /// A render is about to be sent.
    func willSend(_ ticket: Ticket) {
        let idle = state.withLock { state in
            state.renders.append(ticket)
            state.last = (ticket, isAtWork: false)
            defer { state.idle = nil }
            return state.idle
        }
        if let idle { gap(.now - idle) }
    }

    /// A render is in the server's line: another request would come behind it. Whoever waits for that may go on.
    func isAtWork(_ ticket: Ticket) {
        state.withLock { if $0.last?.ticket == ticket { $0.last?.isAtWork = true } }
        queue.slots { _ in }
    }

    /// Whether another request would surely come behind those that were sent.
    var isReadyForNext: Bool {
        state.withLock { state in
            guard let last = state.last, state.renders.contains(last.ticket) else { return true }
            return last.isAtWork
        }
    }

    /// A render took so long.
    func record(renderTime time: Duration) {
        state.withLock { $0.longest = max($0.longest, time) }
        record.hasRendered()
    }

    /// Whether a render is the first of those that it has of ours; those behind it wait in the server.
    func isFirst(_ ticket: Ticket) -> Bool { state.withLock { $0.renders.first == ticket } }

    /// Whether it has any of ours.
    var isBusy: Bool { state.withLock { !$0.renders.isEmpty } }

    /// A render was answered, or will not be. Gives when it may have begun at the earliest, where others were before it, and
    /// whether others were sent behind it, the first of which has begun by now.
    func finishRender(_ ticket: Ticket, at now: Instant) -> (earlier: Instant?, isFollowed: Bool) {
        let hasWork = queue.hasWork
        let (earlier, isFollowed, isNextThere) = state.withLock { state in
            let isFollowed = state.renders.last != ticket
            state.renders.removeAll { $0 == ticket }
            state.idle = state.renders.isEmpty && hasWork ? now.instant : nil
            defer { state.lastAnswer = now }
            return (state.lastAnswer, isFollowed, !state.renders.isEmpty)
        }
        if isNextThere { gap(.zero) }
        return (earlier, isFollowed)
    }

    // MARK: Renders whose answers are lost

    /// The answer of a render that was sent so long ago is lost. It may stand behind others that are lost.
    func lost(after elapsed: Duration) {
        state.withLock { state in
            state.orphan = LostRender(after: elapsed, longest: state.longest, behind: state.orphan, now: .now)
        }
    }

    /// Returns when nothing can be rendered there any more of which the answer is lost: another request would wait behind it,
    /// and a gateway would give up on that as well. A server that does not tell is given as long as its renders take.
    ///
    /// - Parameters:
    ///   - isCancelled: the job that waits is not wanted any more; then it is false.
    ///   - waits: told once, where there is something to wait for, how long that may take.
    nonisolated(nonsending) func waitForLostRender(
        unless isCancelled: () async throws -> Bool, waits: (Duration) -> Void
    ) async throws -> Bool {
        guard let orphan = state.withLock(\.orphan) else { return true }
        var (isTold, isUntold) = (false, false)
        while !orphan.isOver(at: .now, isUntold: false) {
            guard try await !isCancelled() else { return false }
            do {
                if try await client.progress().isIdle { break }
            } catch let failure as Failure {
                if failure.class == .serverDown || orphan.isOver(at: .now, isUntold: true) { break }
                isUntold = true
            }
            if !isTold { waits((isUntold ? orphan.end : orphan.patience) - .now) }
            isTold = true
            try await TaskQueueExecutor.rest(for: .seconds(1))
        }
        state.withLock { if $0.orphan == orphan { $0.orphan = nil } }
        return true
    }

    // MARK: What it says

    /// Whose fault an answer is that is not the API's (see ``Blame``), or that did not come: asks the server. The job's, where
    /// the API answers; else the server is away. Throws CancellationError.
    nonisolated(nonsending) func clarified(_ failure: Failure, for endpoint: Endpoint) async throws -> Failure {
        guard failure.class == .unclear || failure.class == .ambiguous else { return failure }
        guard let obstacle = try await client.probe() else {
            record.hasOptions()
            return failure.clarified(for: endpoint)
        }
        let isThere = record.obstacle(obstacle) == nil && !record.hasLost(endpoint, failure)
        return isThere ? failure.clarified(for: endpoint) : failure.blamed(.serverDown)
    }

    /// What an answer says of it.
    ///
    /// - Parameter pause: how long it is to be left alone, where it says "not now".
    nonisolated(nonsending) func record(_ failure: Failure?, pause: Duration? = nil) async {
        switch failure?.class {
        case .serverDown:
            await health.isAway(because: failure?.message ?? "")
            capabilities.forget()
            state.withLock { $0.looks = PollSchedule(now: .now) }
        case .notNow where failure?.isForAll == true:
            await health.isAway(because: failure?.message ?? "", for: pause)
        case .notNow: break
        case nil,
            _ where failure?.status != nil:
            health.proves()
            if !health.isUp { await health.isBack() }
        default: break
        }
    }

    /// How long a job waits to which it says "not now": as long as it says, but 2 s at least, doubling to 30 s.
    func wait(of ticket: Ticket, after failure: Failure) -> Duration? {
        guard failure.class == .notNow else { return nil }
        let ended = state.withLock { Array($0.notNow.keys) }.filter { !queue.knows($0) }
        let count = state.withLock { state in
            for ticket in ended { state.notNow[ticket] = nil }
            state.notNow[ticket, default: 0] += 1
            return state.notNow[ticket, default: 1]
        }
        return max(failure.retryAfter ?? .zero, .seconds(min(30, 1 << min(count, 5))))
    }

    /// Counts failures for want of memory: true where so many came in a row that failing the rest would help nobody.
    func isOutOfMemory(_ failure: Failure?) -> Bool {
        state.withLock { state in
            state.outOfMemory = failure?.class == .outOfMemory ? state.outOfMemory + 1 : 0
            guard state.outOfMemory >= Self.outOfMemoryLimit else { return false }
            state.outOfMemory = 0
            return true
        }
    }

    /// What it is doing. One that does not tell costs the renders no time: it is left alone for a while.
    nonisolated(nonsending) func progress(within timeout: Duration) async -> ServerProgress? {
        guard state.withLock({ $0.looks.isDue(.now) }) else { return nil }
        do {
            return try await client.progress(within: timeout)
        } catch {
            state.withLock { $0.looks.failed(error as? Failure, now: .now) }
            return nil
        }
    }

    /// Whether it has told so far what it is doing.
    var tellsProgress: Bool { state.withLock { $0.looks.isDue(.now) } }

    // MARK: Interrupts

    /// Stops what runs, and notes what that was: it may have ended in this moment, and another begun.
    func interrupt() async {
        let task = Task(executorPreference: TaskQueueExecutor.shared) {
            do { try await self.client.interrupt() } catch { return }
            let now = await self.progress(within: Client.lookTimeout)?.state
            guard let now, now.interrupted, let began = now.job_timestamp else { return }
            self.state.withLock { _ = $0.hit.insert(began) }
        }
        state.withLock { $0.interrupting = task }
        // Not given up half-way when the render ends meanwhile: it would hit whatever runs when it gets there.
        await task.value
    }

    /// Whether an interrupt of ours has hit the render that began then.
    nonisolated(nonsending) func hasInterrupted(_ began: String?) async -> Bool {
        let interrupting = state.withLock { $0.interrupting }
        await interrupting?.value
        return state.withLock { state in began.map(state.hit.contains) ?? false }
    }
}
