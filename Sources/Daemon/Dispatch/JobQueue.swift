// The lines of waiting jobs in memory, and those who wait for a job.

import Linux
import Spool
import Synchronization

/// Hands out tickets in order, one by one, while it is neither paused nor closed. Each job class has its own line.
///
/// A lock and no actor: what is told to it one after the other takes effect one after the other, also from a thread
/// that does not await. A PAUSE that comes and goes must not be heard the other way round.
final class JobQueue: Sendable {
    /// Somebody who sleeps, and what ends that.
    private struct Waiter {
        let isOver: @Sendable (State) -> Bool
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var lines: [JobClass: TicketQueue] = [:]
        /// In a dispatcher's hands, or to be let in later.
        var taken: Set<Ticket> = []
        /// These go when no other can, or when the server has answered another.
        var late: Set<Ticket> = []
        /// Those of the taken that are let in later, unless the server answers another before.
        var sleeps: [Ticket: Task<Void, Never>] = [:]
        var slots = SlotTable()
        var waiting: [Waiter] = []
        var isPaused = false
        var isClosed = false

        /// How many wait.
        var count: Int { lines.values.reduce(0) { $0 + $1.count } }

        func knows(_ ticket: Ticket) -> Bool { taken.contains(ticket) || lines.values.contains { $0.contains(ticket) } }

        /// The first ticket that this dispatcher may take, and its job class. Those that are late come last.
        func next(for slot: SlotKey) -> (ticket: Ticket, jobClass: JobClass)? {
            let firsts = jobClasses(for: slot).compactMap { jobClass in
                lines[jobClass].flatMap { line in
                    let ticket = line.first(late.count + 1).first { !late.contains($0) } ?? line.first
                    return ticket.map { (ticket: $0, jobClass: jobClass) }
                }
            }
            let isLate = { (entry: (ticket: Ticket, jobClass: JobClass)) in self.late.contains(entry.ticket) }
            let punctual = firsts.filter { !isLate($0) }
            return (punctual.isEmpty ? firsts : punctual).min { $0.ticket < $1.ticket }
        }

        /// The job classes out of which this dispatcher may take a ticket now.
        func jobClasses(for slot: SlotKey) -> [JobClass] {
            guard !isClosed, !isPaused, slots.room(slot) > 0 else { return [] }
            let own = JobClass(slot.kind, server: slot.server)
            return slots.isTurn(slot) ? [own, JobClass(slot.kind)] : [own]
        }

        /// The first tickets of one priority that this dispatcher may take, in order, and the job class of each.
        func first(_ count: Int, for slot: SlotKey) -> [(ticket: Ticket, jobClass: JobClass)] {
            let all = jobClasses(for: slot).flatMap { jobClass in
                (lines[jobClass]?.first(count) ?? []).map { (ticket: $0, jobClass: jobClass) }
            }
            .sorted { $0.ticket < $1.ticket }
            return Array(all.prefix { $0.ticket.priority == all[0].ticket.priority }.prefix(count))
        }
    }
    private let state = Mutex(State())

    /// How many wait, and since when the one that waits longest does.
    var waiting: (count: Int, oldest: Timestamp?) {
        state.withLock { state in (state.count, state.lines.values.compactMap(\.oldest).min()) }
    }

    /// Whether a server that is idle could have a job.
    var hasWork: Bool { state.withLock { state in !state.isPaused && state.lines.values.contains { $0.first != nil } } }

    /// Whether nothing waits, and nothing is in a dispatcher's hands.
    var isIdle: Bool { state.withLock { $0.taken.isEmpty && $0.lines.values.allSatisfy { $0.first == nil } } }

    /// The first of those that wait, in order, and how many wait.
    func waiting(atMost count: Int) -> (first: [Ticket], count: Int) {
        state.withLock { state in
            let first = state.lines.values.flatMap { $0.first(count) }.sorted().prefix(count)
            return (Array(first), state.count)
        }
    }

    /// Whether the ticket waits, or is in a dispatcher's hands.
    func knows(_ ticket: Ticket) -> Bool { state.withLock { $0.knows(ticket) } }

    /// Those that wait, by their names. Costs a look at each.
    var names: [JobName: [Ticket]] {
        Dictionary(grouping: state.withLock { $0.lines.values.flatMap { $0.first(.max) } }, by: \.name)
    }

    /// Takes a ticket out of its line that is nobody's any more; false where a dispatcher has it.
    func withdraw(_ ticket: Ticket) -> Bool {
        state.withLock { state in
            state.late.remove(ticket)
            for jobClass in state.lines.keys where state.lines[jobClass]?.remove(ticket) == true { return true }
            return false
        }
    }

    /// A dispatcher has ended with it, and it does not come back.
    func forget(_ ticket: Ticket) {
        state.withLock { state in
            state.taken.remove(ticket)
            state.late.remove(ticket)
        }
    }

    /// Lets tickets in; those that wait already, or are in a dispatcher's hands, stay where they are: a look at the folders may
    /// have found them first.
    func add(_ tickets: some Sequence<Ticket>, to jobClass: JobClass = .renders) {
        changing { state in
            for ticket in tickets where !state.knows(ticket) {
                _ = state.lines[jobClass, default: TicketQueue()].insert(ticket)
            }
        }
    }

    /// A dispatcher puts one back into its place.
    ///
    /// - Parameter isLate: it goes after the others, until one of them was answered (see ``clearLate()``).
    func requeue(_ ticket: Ticket, to jobClass: JobClass, isLate: Bool = false) {
        changing { state in
            state.taken.remove(ticket)
            state.sleeps[ticket] = nil
            if isLate { state.late.insert(ticket) }
            _ = state.lines[jobClass, default: TicketQueue()].insert(ticket)
        }
    }

    /// The same when so much time is over.
    ///
    /// - Parameter untilSuccess: or when the server has answered another.
    func requeue(
        _ ticket: Ticket, to jobClass: JobClass, isLate: Bool = false, after delay: Duration, untilSuccess: Bool = false
    ) {
        guard delay > .zero else { return requeue(ticket, to: jobClass, isLate: isLate) }
        let sleep = Task(executorPreference: TaskQueueExecutor.shared) { [self] in
            try? await TaskQueueExecutor.rest(for: delay)
            requeue(ticket, to: jobClass, isLate: isLate && !Task.isCancelled)
        }
        guard untilSuccess else { return }
        state.withLock { if $0.taken.contains(ticket) { $0.sleeps[ticket] = sleep } }
    }

    /// A server has answered a job: those that went after the others have their old places again.
    func clearLate() {
        guard state.withLock({ !$0.late.isEmpty || !$0.sleeps.isEmpty }) else { return }
        let sleeps = changing { state in
            defer { (state.late, state.sleeps) = ([], [:]) }
            return Array(state.sleeps.values)
        }
        sleeps.forEach { $0.cancel() }
    }

    /// Lets the parts of a batch in, each in its job class.
    func add(_ expansion: Expansion) {
        for (jobClass, parts) in Dictionary(grouping: expansion.parts, by: \.jobClass) {
            add(parts.map(\.ticket), to: jobClass)
        }
    }

    /// A render that turned out to be something else changes the line, unless it has left already.
    func move(_ ticket: Ticket, to jobClass: JobClass) {
        changing { state in
            guard state.lines[.renders]?.remove(ticket) == true else { return }
            _ = state.lines[jobClass, default: TicketQueue()].insert(ticket)
        }
    }

    /// Stops or restarts handing out. True where that is a change.
    func pause(_ paused: Bool) -> Bool {
        changing { state in
            defer { state.isPaused = paused }
            return state.isPaused != paused
        }
    }

    /// No more is handed out.
    func close() { changing { $0.isClosed = true } }

    /// Waits until there is a ticket to take; false where the queue is closed.
    func hasNext(for slot: SlotKey) async -> Bool {
        await wait { $0.isClosed || $0.next(for: slot) != nil }
        return state.withLock { !$0.isClosed }
    }

    /// The first ticket that the dispatcher may take, and its job class, if there is one.
    func next(for slot: SlotKey) -> (ticket: Ticket, jobClass: JobClass)? {
        state.withLock { state in
            guard let (ticket, jobClass) = state.next(for: slot), state.lines[jobClass]?.remove(ticket) == true else {
                return nil
            }
            state.taken.insert(ticket)
            state.slots.reserve(slot)
            return (ticket, jobClass)
        }
    }

    /// The same, but for jobs that go before others because the server has loaded their checkpoint. Blocks on the disk.
    func next(for slot: SlotKey, by affinity: CheckpointAffinity?) -> (ticket: Ticket, jobClass: JobClass)? {
        // Who comes late has overtaken nobody, and is not grouped.
        guard let affinity, slot.kind == .renders, state.withLock(\.late).isEmpty else { return next(for: slot) }
        affinity.look(at: state.withLock { $0.first(affinity.limit + 1, for: slot).map(\.ticket) })
        return state.withLock { state in
            // What came in between has not been looked at, and keeps its turn.
            let next = state.first(affinity.limit + 1, for: slot)
            guard let ticket = affinity.take(of: next.map(\.ticket), for: slot),
                let jobClass = next.first(where: { $0.ticket == ticket })?.jobClass,
                state.lines[jobClass]?.remove(ticket) == true
            else { return nil }
            state.taken.insert(ticket)
            state.slots.reserve(slot)
            return (ticket, jobClass)
        }
    }

    // MARK: The slots

    /// Tells of a change in somebody's hands; whoever waits looks again.
    func slots<Value: Sendable>(_ change: (inout SlotTable) -> Value) -> Value { changing { change(&$0.slots) } }

    /// Waits until an attempt of the dispatcher may get ready to leave.
    func waitToStart(_ slot: SlotKey) async { await wait { $0.slots.mayStart(slot) } }

    /// Waits until none of the dispatcher's jobs is with its server.
    func waitForNone(at slot: SlotKey) async { await wait { $0.slots.count(at: slot) == 0 } }

    /// Waits until `isOver`, which is asked again behind each change in somebody's hands.
    func wait(until isOver: @escaping @Sendable () -> Bool) async { await wait { _ in isOver() } }

    private func wait(_ isOver: @escaping @Sendable (State) -> Bool) async {
        while !state.withLock({ isOver($0) }) {
            await withCheckedContinuation { continuation in
                let isLate = state.withLock { state in
                    guard !isOver(state) else { return true }
                    state.waiting.append(Waiter(isOver: isOver, continuation: continuation))
                    return false
                }
                if isLate { continuation.resume() }
            }
        }
    }

    /// Behind a change those go on who have waited for it. The others sleep: to be woken in vain costs a change of threads.
    private func changing<Value: Sendable>(_ change: (inout sending State) -> sending Value) -> Value {
        let (value, woken) = state.withLock { state in
            let value = change(&state)
            var (woken, waiting) = ([Waiter](), [Waiter]())
            for waiter in state.waiting {
                if waiter.isOver(state) { woken.append(waiter) } else { waiting.append(waiter) }
            }
            state.waiting = waiting
            return (value, woken.map(\.continuation))
        }
        woken.forEach { $0.resume() }
        return value
    }
}
