// queued → queued, in another place of the line: a rename within queue/, as a hand would make it, so a daemon that runs sees
// it there.
//
// A place is a priority and a microsecond, and what arrived in a burst stands without a gap. Where there is no moment left
// before a job, those around it step aside by a microsecond each, on the side where fewer must; their order among themselves
// never changes, at no instant of it. Their priority is theirs and is not touched: another digit would let the job that
// moves go before others that nobody has spoken of.

import Glibc
import Linux

/// A place in the line.
package enum MoveTarget: Hashable, Sendable {
    case first
    case last
    /// Right before another job that waits.
    case before(Ticket)
}

/// A ticket that becomes another one.
package struct TicketRename: Hashable, Sendable {
    /// As the job is called in queue/.
    package let old: Ticket
    /// As it will be.
    package let new: Ticket
}

extension Ticket {
    /// What has to be renamed, one after the other, for the ticket to have that turn; nothing where it has it. `nil` where it
    /// or the other one does not wait, or where nobody can write down a ticket that would do.
    ///
    /// - Parameters:
    ///   - line: all that wait, in order.
    ///   - now: who goes to the end goes behind what has arrived until now.
    static func reissues(of ticket: Ticket, to turn: MoveTarget, in line: [Ticket], now: Timestamp) -> [TicketRename]? {
        guard let place = line.firstIndex(of: ticket) else { return nil }
        var others = line
        others.remove(at: place)
        let reissues: [TicketRename]
        switch turn {
        case .first:
            guard place > 0 else { return [] }
            reissues = ticket.before(0, of: others)
        case .before(let other):
            guard other != ticket else { return [] }
            guard let index = others.firstIndex(of: other) else { return nil }
            guard index != place else { return [] }
            reissues = ticket.before(index, of: others)
        case .last:
            guard place < line.count - 1, let last = others.last else { return [] }
            let arrival = max(now.microseconds, last.arrival.microseconds + 1)
            reissues = [TicketRename(old: ticket, new: ticket.at(arrival, last.priority))]
        }
        // What cannot be read again would be a job that nobody finds.
        return reissues.allSatisfy { Ticket(entry: $0.new.folder) == $0.new } ? reissues : nil
    }

    private func at(_ microseconds: Int64, _ priority: UInt8) -> Ticket {
        Ticket(priority: priority, arrival: Timestamp(microseconds: microseconds), name: name)
    }

    /// Before the one with that index; the ticket is none of them.
    private func before(_ index: Int, of others: [Ticket]) -> [TicketRename] {
        let next = others[index]
        let previous = index > 0 ? others[index - 1] : nil
        func isBehindPrevious(_ ticket: Ticket) -> Bool { previous.map { $0 < ticket } ?? true }
        // Two jobs of one moment stand in the order of their names: where that is the right one, nobody has to move.
        for moment in [next.arrival.microseconds - 1, next.arrival.microseconds] {
            let new = at(moment, next.priority)
            if moment >= 0, new < next, isBehindPrevious(new) { return [TicketRename(old: self, new: new)] }
        }
        let (earlier, later) = (shiftingEarlier(index, of: others), shiftingLater(index, of: others))
        return earlier.count <= later.count && earlier.allSatisfy({ $0.new.arrival.microseconds >= 0 })
            ? earlier : later
    }

    /// Those before the place make room, the first of them first.
    private func shiftingEarlier(_ index: Int, of others: [Ticket]) -> [TicketRename] {
        let next = others[index]
        var reissues = [TicketRename(old: self, new: at(next.arrival.microseconds - 1, next.priority))]
        for other in others[..<index].reversed() {
            let bound = reissues[reissues.count - 1].new
            if other < bound { break }
            reissues.append(TicketRename(old: other, new: other.at(bound.arrival.microseconds - 1, bound.priority)))
        }
        return reissues.reversed()
    }

    /// Those behind it do, the last of them first.
    private func shiftingLater(_ index: Int, of others: [Ticket]) -> [TicketRename] {
        let next = others[index]
        var new = at(next.arrival.microseconds, next.priority)
        if index > 0, others[index - 1] >= new { new = at(next.arrival.microseconds + 1, next.priority) }
        var reissues = [TicketRename(old: self, new: new)]
        for other in others[index...] {
            let bound = reissues[reissues.count - 1].new
            if bound < other { break }
            reissues.append(TicketRename(old: other, new: other.at(bound.arrival.microseconds + 1, bound.priority)))
        }
        return reissues.reversed()
    }
}

/// Moves jobs within the queue.
package struct Reorder: Sendable {
    let spool: Spool

    package init(_ spool: Spool) { self.spool = spool }

    /// Moves a job that waits to another turn; false where it, or the job that it is to go before, does not wait, or where
    /// its turn comes in this moment.
    ///
    /// - Parameter tell: called right before each rename, and once more the other way round where that was not made.
    package func reorder(_ ticket: Ticket, to turn: MoveTarget, tell: (TicketRename) -> Void) throws(SystemError)
        -> Bool
    {
        guard let reissues = Ticket.reissues(of: ticket, to: turn, in: try Listing(spool).waiting(), now: .now) else {
            return false
        }
        guard !reissues.isEmpty else { return true }
        var isMoved = false
        for reissue in reissues {
            tell(reissue)
            do throws(SystemError) {
                isMoved = try rename(reissue)
            } catch {
                tell(TicketRename(old: reissue.new, new: reissue.old))
                throw error
            }
            // One that is with a server by now needs no place in the line any more.
            if !isMoved { tell(TicketRename(old: reissue.new, new: reissue.old)) }
        }
        try spool.queue.sync()
        return isMoved
    }

    private func rename(_ reissue: TicketRename) throws(SystemError) -> Bool {
        let (old, new) = (reissue.old, reissue.new)
        // rename(2) would put it in the place of a job that somebody has called so by hand.
        guard try !Pending(spool).isQueued(new) else { return false }
        for (from, to) in [(old.file, new.file), (old.folder, new.folder)] where try spool.queue.status(of: from) != nil
        {
            do throws(SystemError) {
                try spool.queue.rename(from, to: spool.queue, as: to)
                return true
            } catch  where error.isMissing {
                continue
            } catch  where error.isTaken {
                // By a job that somebody has called so in this moment.
                return false
            }
        }
        return false
    }
}
