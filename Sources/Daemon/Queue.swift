// The lines of waiting jobs in memory, and those who wait for a job.

import Spool
import Synchronization

/// Hands out tickets in order, one by one, while it is neither paused nor closed. Each lane has its own line.
///
/// A lock and no actor: what is told to it one after the other takes effect one after the other, also from a thread
/// that does not await. A PAUSE that comes and goes must not be heard the other way round.
final class Queue: Sendable {
    /// Somebody who sleeps, and what ends that.
    private struct Waiter {
        let isOver: @Sendable (State) -> Bool
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var lines: [Lane: Line] = [:]
        /// In a worker's hands, or to be let in later.
        var taken: Set<Ticket> = []
        /// These go when no other can, or when the server has answered another.
        var late: Set<Ticket> = []
        var crew = Crew()
        var waiting: [Waiter] = []
        var isPaused = false
        var isClosed = false

        /// How many wait.
        var count: Int { lines.values.reduce(0) { $0 + $1.count } }

        func knows(_ ticket: Ticket) -> Bool { taken.contains(ticket) || lines.values.contains { $0.contains(ticket) } }

        /// The first ticket that this worker may take, and its lane. Those that are late come last.
        func next(for seat: Seat) -> (ticket: Ticket, lane: Lane)? {
            let firsts = lanes(for: seat).compactMap { lane in
                lines[lane].flatMap { line in
                    let ticket = line.first(late.count + 1).first { !late.contains($0) } ?? line.first
                    return ticket.map { (ticket: $0, lane: lane) }
                }
            }
            let isLate = { (entry: (ticket: Ticket, lane: Lane)) in self.late.contains(entry.ticket) }
            let punctual = firsts.filter { !isLate($0) }
            return (punctual.isEmpty ? firsts : punctual).min { $0.ticket < $1.ticket }
        }

        /// The lanes out of which this worker may take a ticket now.
        func lanes(for seat: Seat) -> [Lane] {
            guard !isClosed, !isPaused, crew.room(seat) > 0 else { return [] }
            let own = Lane(seat.kind, server: seat.server)
            return crew.isTurn(seat) ? [own, Lane(seat.kind)] : [own]
        }

        /// The first tickets of one priority that this worker may take, in order, and the lane of each.
        func first(_ count: Int, for seat: Seat) -> [(ticket: Ticket, lane: Lane)] {
            let all = lanes(for: seat).flatMap { lane in
                (lines[lane]?.first(count) ?? []).map { (ticket: $0, lane: lane) }
            }
            .sorted { $0.ticket < $1.ticket }
            return Array(all.prefix { $0.ticket.priority == all[0].ticket.priority }.prefix(count))
        }
    }
    private let state = Mutex(State())

    /// How many wait, and since when the one that waits longest does.
    var waiting: (count: Int, oldest: Stamp?) {
        state.withLock { state in (state.count, state.lines.values.compactMap(\.oldest).min()) }
    }

    /// Whether a server that is idle could have a job.
    var hasWork: Bool { state.withLock { state in !state.isPaused && state.lines.values.contains { $0.first != nil } } }

    /// Whether nothing waits, and nothing is in a worker's hands.
    var isIdle: Bool { state.withLock { $0.taken.isEmpty && $0.lines.values.allSatisfy { $0.first == nil } } }

    /// The first of those that wait, in order, and how many wait.
    func waiting(atMost count: Int) -> (first: [Ticket], count: Int) {
        state.withLock { state in
            let first = state.lines.values.flatMap { $0.first(count) }.sorted().prefix(count)
            return (Array(first), state.count)
        }
    }

    /// Whether the ticket waits, or is in a worker's hands.
    func knows(_ ticket: Ticket) -> Bool { state.withLock { $0.knows(ticket) } }

    /// Those that wait, by their names. Costs a look at each.
    var names: [JobName: [Ticket]] {
        Dictionary(grouping: state.withLock { $0.lines.values.flatMap { $0.first(.max) } }, by: \.name)
    }

    /// Takes a ticket out of its line that is nobody's any more; false where a worker has it.
    func withdraw(_ ticket: Ticket) -> Bool {
        state.withLock { state in
            state.late.remove(ticket)
            for lane in state.lines.keys where state.lines[lane]?.remove(ticket) == true { return true }
            return false
        }
    }

    /// A worker has ended with it, and it does not come back.
    func forget(_ ticket: Ticket) {
        state.withLock { state in
            state.taken.remove(ticket)
            state.late.remove(ticket)
        }
    }

    /// Lets tickets in; those that wait already, or are in a worker's hands, stay where they are: a look at the folders may
    /// have found them first.
    func add(_ tickets: some Sequence<Ticket>, to lane: Lane = .renders) {
        changing { state in
            for ticket in tickets where !state.knows(ticket) {
                _ = state.lines[lane, default: Line()].insert(ticket)
            }
        }
    }

    /// A worker puts one back into its place.
    ///
    /// - Parameter isLate: it goes after the others, until one of them was answered (see ``forgive()``).
    func putBack(_ ticket: Ticket, to lane: Lane, isLate: Bool = false) {
        changing { state in
            state.taken.remove(ticket)
            if isLate { state.late.insert(ticket) }
            _ = state.lines[lane, default: Line()].insert(ticket)
        }
    }

    /// A server has answered a job: those that went after the others have their old places again.
    func forgive() {
        guard state.withLock({ !$0.late.isEmpty }) else { return }
        changing { $0.late = [] }
    }

    /// Lets the parts of a batch in, each in its lane.
    func add(_ expansion: Expansion) {
        for (lane, parts) in Dictionary(grouping: expansion.parts, by: \.lane) { add(parts.map(\.ticket), to: lane) }
    }

    /// A render that turned out to be something else changes the line, unless it has left already.
    func move(_ ticket: Ticket, to lane: Lane) {
        changing { state in
            guard state.lines[.renders]?.remove(ticket) == true else { return }
            _ = state.lines[lane, default: Line()].insert(ticket)
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
    func hasNext(for seat: Seat) async -> Bool {
        await wait { $0.isClosed || $0.next(for: seat) != nil }
        return state.withLock { !$0.isClosed }
    }

    /// The first ticket that the worker may take, and its lane, if there is one.
    func next(for seat: Seat) -> (ticket: Ticket, lane: Lane)? {
        state.withLock { state in
            guard let (ticket, lane) = state.next(for: seat), state.lines[lane]?.remove(ticket) == true else {
                return nil
            }
            state.taken.insert(ticket)
            state.crew.took(seat)
            return (ticket, lane)
        }
    }

    /// The same, but for jobs that go before others because the server has loaded their checkpoint. Blocks on the disk.
    func next(for seat: Seat, by grouping: Grouping?) -> (ticket: Ticket, lane: Lane)? {
        // Who comes late has overtaken nobody, and is not grouped.
        guard let grouping, seat.kind == .renders, state.withLock(\.late).isEmpty else { return next(for: seat) }
        grouping.look(at: state.withLock { $0.first(grouping.limit + 1, for: seat).map(\.ticket) })
        return state.withLock { state in
            // What came in between has not been looked at, and keeps its turn.
            let next = state.first(grouping.limit + 1, for: seat)
            guard let ticket = grouping.take(of: next.map(\.ticket), for: seat),
                let lane = next.first(where: { $0.ticket == ticket })?.lane, state.lines[lane]?.remove(ticket) == true
            else { return nil }
            state.taken.insert(ticket)
            state.crew.took(seat)
            return (ticket, lane)
        }
    }

    // MARK: The crew

    /// Tells of a change in somebody's hands; whoever waits looks again.
    func crew<Value: Sendable>(_ change: (inout Crew) -> Value) -> Value { changing { change(&$0.crew) } }

    /// Waits until a flight of the worker may get ready to leave.
    func waitToBoard(_ seat: Seat) async { await wait { $0.crew.mayBoard(seat) } }

    /// Waits until none of the worker's jobs is with its server.
    func waitForNone(at seat: Seat) async { await wait { $0.crew.count(at: seat) == 0 } }

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
