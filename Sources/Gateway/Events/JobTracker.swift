// What the gateway is told of jobs as it happens, and who at the gateway waits for it. Nothing is told that the folders do not
// show: whoever is woken looks there.

import Foundation
import Linux
import Spool
import Synchronization

/// Something that happened to a job.
package enum JobEvent: Sendable {
    case accepted(Ticket)
    case started(Ticket)
    /// It goes back to its place.
    case putBack(Ticket)
    /// It has another place, and so another ticket.
    case moved(Ticket, to: Ticket)
    /// It is gone from its folder.
    case cancelled(Ticket)
    /// `seconds` is what its render took; `nil` for a file with many jobs, which is done when it has become them.
    case done(Ticket, seconds: Double?)
    /// One that never was a job has no ticket.
    case failed(JobName, Ticket?, message: String)

    /// Of which job.
    package var name: JobName {
        switch self {
        case .accepted(let ticket), .started(let ticket), .putBack(let ticket), .cancelled(let ticket): ticket.name
        case .done(let ticket, _), .moved(_, let ticket): ticket.name
        case .failed(let name, _, _): name
        }
    }

    /// `nil` where it has none.
    package var ticket: Ticket? {
        switch self {
        case .accepted(let ticket), .started(let ticket), .putBack(let ticket), .cancelled(let ticket): ticket
        case .done(let ticket, _), .moved(_, let ticket): ticket
        case .failed(_, let ticket, _): ticket
        }
    }

    /// Nothing comes of the job any more.
    package var isEnd: Bool {
        switch self {
        case .done, .failed, .cancelled: true
        case .accepted, .started, .putBack, .moved: false
        }
    }
}

/// The jobs that have not ended, and those who wait for news of them.
package final class JobTracker: Sendable {
    fileprivate struct State {
        var waiting: [JobName: [Ticket]] = [:]
        /// The same, in order.
        var line = TicketQueue()
        var moves = TicketAliases()
        var rendering: Set<Ticket> = []
        var listeners: [Int: (name: JobName?, stream: AsyncStream<JobEvent>.Continuation)] = [:]
        var count = 0
        /// What a render takes, about.
        var seconds: Double?
    }
    private let state = Mutex(State())

    /// What earlier lives have left.
    package func begin(with tickets: [Ticket]) {
        state.withLock { state in
            for ticket in tickets { state.add(ticket) }
        }
    }

    package func record(_ event: JobEvent) {
        state.withLock { state in
            // The gateway makes moves itself, and is told of them by the daemon, too.
            if case .moved(let old, let new) = event, state.has(new), !state.has(old) { return }
            if let ticket = event.ticket { state.record(event, ticket) }
            for listener in state.listeners.values where listener.name == nil || listener.name == event.name {
                listener.stream.yield(event)
            }
        }
    }

    /// The news from now on: of one job, or of all.
    package func listen(to name: JobName? = nil) -> AsyncStream<JobEvent> {
        // A listener that falls behind by so much has lost its place; what it waits for, it finds in the folders.
        let (stream, listener) = AsyncStream.makeStream(of: JobEvent.self, bufferingPolicy: .bufferingNewest(1024))
        let number = state.withLock { state in
            state.count += 1
            state.listeners[state.count] = (name, listener)
            return state.count
        }
        listener.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.listeners.removeValue(forKey: number) }
        }
        return stream
    }

    /// The first of the jobs of that name that have not ended.
    package func ticket(of name: JobName) -> Ticket? { state.withLock { $0.waiting[name]?.min() } }

    /// What a ticket has become since it was told to somebody; itself where its job has not moved.
    package func current(_ ticket: Ticket) -> Ticket { state.withLock { $0.moves.current(ticket) } }

    /// How many jobs go before it: those that are with a server, and those of the queue.
    package func before(_ ticket: Ticket) -> Int { state.withLock { $0.line.count(before: ticket) } }

    /// How many have not ended.
    package var count: Int { state.withLock { $0.line.count } }

    /// What a render takes, about; `nil` where none has ended yet.
    package var seconds: Double? { state.withLock { $0.seconds } }

    /// With a server, as far as was told.
    package var rendering: [Ticket] { state.withLock { $0.rendering.sorted() } }
}

extension JobTracker.State {
    package func has(_ ticket: Ticket) -> Bool { line.contains(ticket) }

    fileprivate mutating func add(_ ticket: Ticket) {
        if line.insert(ticket) { waiting[ticket.name, default: []].append(ticket) }
    }

    private mutating func remove(_ ticket: Ticket) {
        guard line.remove(ticket) else { return }
        waiting[ticket.name]?.removeAll { $0 == ticket }
        if waiting[ticket.name]?.isEmpty == true { waiting[ticket.name] = nil }
    }

    package mutating func record(_ event: JobEvent, _ ticket: Ticket) {
        switch event {
        case .accepted: add(ticket)
        case .moved(let old, let new):
            remove(old)
            add(new)
            moves.record(old, new)
        case .started:
            // One that comes back from hold/ is not accepted once more.
            add(ticket)
            rendering.insert(ticket)
        case .putBack: rendering.remove(ticket)
        case .done, .failed, .cancelled:
            rendering.remove(ticket)
            remove(ticket)
        }
        if case .done(_, let took?) = event { seconds = seconds.map { $0 * 0.8 + took * 0.2 } ?? took }
    }
}

/// What tickets have become, for those who were told an old one. It is known as long as the gateway is open.
package struct TicketAliases {
    private var next: [Ticket: Ticket] = [:]
    /// The keys in the order in which they came.
    private var order: [Ticket] = []
    private let limit: Int

    /// - Parameter limit: about so many are known; the oldest are forgotten.
    package init(limit: Int = 10_000) { self.limit = limit }

    /// A job has another ticket from now on. One that is a job's is no old one any more, so no way leads in a circle.
    package mutating func record(_ old: Ticket, _ new: Ticket) {
        next[new] = nil
        guard old != new else { return }
        if next.updateValue(new, forKey: old) == nil { order.append(old) }
        guard order.count > limit else { return }
        for ticket in order.prefix(limit / 2) { next[ticket] = nil }
        order.removeFirst(limit / 2)
    }

    package func current(_ ticket: Ticket) -> Ticket {
        var ticket = ticket
        while let later = next[ticket] { ticket = later }
        return ticket
    }
}
