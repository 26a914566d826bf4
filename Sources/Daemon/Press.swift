// A press of the shop: a server that renders, and what is known of it by all who work with it.

import A1111
import Foundation
import Linux
import Spool
import Synchronization

/// A moment, for people and for intervals.
struct Moment: Sendable {
    let stamp: Stamp
    let instant: ContinuousClock.Instant

    static var now: Moment { Moment(stamp: .now, instant: .now) }
}

/// One server.
final class Press: Sendable {
    let client: Client
    let watch: ServerWatch
    let catalogue: Catalogue
    private let queue: Queue
    /// See ``Metrics/note(gap:)``.
    private let gap: @Sendable (Duration) -> Void

    private struct State {
        /// The renders that it has, in the order in which they were sent.
        var renders: [Ticket] = []
        /// The last one that was sent, and whether it is surely in the server's line.
        var last: (ticket: Ticket, isAtWork: Bool)?
        /// What the renders take, the last ones above all.
        var time: Duration?
        /// When it last answered one: the next begins then, if it was there by then.
        var lastAnswer: Moment?
        /// Since when it has nothing of ours to render although there is something.
        var idle: ContinuousClock.Instant?
        /// Renders in a row that failed for want of memory.
        var outOfMemory = 0
        /// Of a render's pictures, in bytes; the first one is taken to be as large as a usual picture.
        var largestReply = 2 << 20
        /// Looks at it behind a render.
        var looks = Pace(now: .now)
        /// When the renders began that an interrupt of ours has hit.
        var hit: Set<String> = []
        var interrupting: Task<Void, Never>?
    }
    private let state = Mutex(State())

    /// So many say that it is the server and not the jobs.
    static let outOfMemoryLimit = 3

    var server: ServerAddress { client.server }

    init(
        _ server: ServerAddress, options: Options, queue: Queue, gap: @escaping @Sendable (Duration) -> Void,
        tell: @escaping @Sendable (Event) -> Void
    ) {
        self.queue = queue
        self.gap = gap
        client = Client(server: server, renderTimeout: options.renderTimeout)
        let name = server.description
        watch = ServerWatch(
            server: server, grace: options.grace, note: { isThere in queue.crew { $0.setThere(name, isThere) } },
            tell: tell)
        catalogue = Catalogue(client: client)
    }

    // MARK: Its renders

    /// Two requests that leave at the same moment are read by the server in any order. Behind so long it is asked whether it
    /// has the first one in its line.
    static let lead = Duration.milliseconds(50)
    /// Where it cannot tell, it may take so long to read a request. Where renders are longer the second one is still there in
    /// time, and where they are shorter there is not much to wait for.
    static let longLead = Duration.milliseconds(150)

    /// A render is about to be sent.
    func sends(_ ticket: Ticket) {
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
        queue.crew { _ in }
    }

    /// Whether another request would surely come behind those that were sent.
    var isReadyForNext: Bool {
        state.withLock { state in
            guard let last = state.last, state.renders.contains(last.ticket) else { return true }
            return last.isAtWork
        }
    }

    /// A render took so long.
    func took(_ time: Duration) {
        state.withLock { state in state.time = state.time.map { ($0 * 3 + time) / 4 } ?? time }
    }

    /// How many renders it makes in so much time, as far as the last ones tell.
    func renders(in time: Duration) -> Int {
        guard let own = state.withLock({ $0.time }), own > .zero else { return 0 }
        return Int(min(1000, time / own))
    }

    /// Whether a render is the first of those that it has of ours; those behind it wait in the server.
    func isFirst(_ ticket: Ticket) -> Bool { state.withLock { $0.renders.first == ticket } }

    /// Whether it has any of ours.
    var isBusy: Bool { state.withLock { !$0.renders.isEmpty } }

    /// A render was answered, or will not be. Gives when it may have begun at the earliest, where others were before it, and
    /// whether others were sent behind it, the first of which has begun by now.
    func answered(_ ticket: Ticket, at now: Moment) -> (earlier: Moment?, isFollowed: Bool) {
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

    // MARK: What it says

    /// What an answer says of it.
    nonisolated(nonsending) func note(_ failure: Failure?) async {
        guard let failure else {
            if !watch.isUp { await watch.isBack() }
            return
        }
        if failure.class == .serverDown {
            await watch.isAway(because: failure.message)
            catalogue.forget()
            state.withLock { $0.looks = Pace(now: .now) }
        } else if failure.status != nil {
            await watch.isBack()
        }
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

    /// See ``State``.
    var largestReply: Int { state.withLock { $0.largestReply } }
    /// Notes how much a render brought.
    func brought(_ size: Int) { state.withLock { $0.largestReply = max($0.largestReply, size) } }

    /// What it is doing. One that does not tell costs the renders no time: it is left alone for a while.
    nonisolated(nonsending) func look(within timeout: Duration) async -> ServerProgress? {
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
        let task = Task(executorPreference: Threads.shared) {
            do { try await self.client.interrupt() } catch { return }
            let now = await self.look(within: Client.lookTimeout)?.state
            guard let now, now.interrupted, let began = now.job_timestamp else { return }
            self.state.withLock { _ = $0.hit.insert(began) }
        }
        state.withLock { $0.interrupting = task }
        // Not given up half-way when the render ends meanwhile: it would hit whatever runs when it gets there.
        await task.value
    }

    /// Whether an interrupt of ours has hit the render that began then.
    nonisolated(nonsending) func hasHit(_ began: String?) async -> Bool {
        let interrupting = state.withLock { $0.interrupting }
        await interrupting?.value
        return state.withLock { state in began.map(state.hit.contains) ?? false }
    }
}
