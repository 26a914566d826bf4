// Who is next: the tickets that wait, in order.

/// Tickets in the order in which they start.
///
/// One bucket a priority. Nearly all tickets come in order and are put at a bucket's end; one that comes back goes to its
/// old place, which is mostly the front. Both cost the same however long the line is.
package struct TicketQueue: Sendable {
    private struct PriorityBucket {
        /// Sorted from `first` on; what is before it has left.
        var tickets: [Ticket] = []
        var first = 0

        var waiting: ArraySlice<Ticket> { tickets[first...] }

        mutating func insert(_ ticket: Ticket) -> Bool {
            if let last = waiting.last, last >= ticket {
                let place = lowerBound(of: ticket)
                if tickets[place] == ticket { return false }
                if place == first, first > 0 {
                    first -= 1
                    tickets[first] = ticket
                } else {
                    tickets.insert(ticket, at: place)
                }
            } else {
                tickets.append(ticket)
            }
            return true
        }

        mutating func remove(at index: Int) -> Ticket {
            guard index == first else { return tickets.remove(at: index) }
            let ticket = tickets[first]
            first += 1
            // Half of it is gone: let go of the memory, a step that each removal has paid half of.
            if first * 2 > tickets.count, first > 32 {
                tickets.removeFirst(first)
                first = 0
            }
            return ticket
        }

        func lowerBound(of ticket: Ticket) -> Int {
            var low = first
            var high = tickets.count
            while low < high {
                let middle = (low + high) / 2
                if tickets[middle] < ticket { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    private var buckets = [PriorityBucket](repeating: PriorityBucket(), count: 10)

    /// An empty line.
    package init() {}

    /// How many wait.
    package var count: Int { buckets.reduce(0) { $0 + $1.waiting.count } }

    /// The arrival of the ticket that has been there longest; within a priority that is the first.
    package var oldest: Timestamp? { buckets.compactMap(\.waiting.first?.arrival).min() }

    /// Whether a ticket stands in it.
    package func contains(_ ticket: Ticket) -> Bool {
        let bucket = buckets[Int(ticket.priority)]
        let place = bucket.lowerBound(of: ticket)
        return place < bucket.tickets.count && bucket.tickets[place] == ticket
    }

    /// How many stand before the place of a ticket, which need not stand in it.
    package func count(before ticket: Ticket) -> Int {
        let own = Int(ticket.priority)
        return buckets[..<own].reduce(0) { $0 + $1.waiting.count } + buckets[own].lowerBound(of: ticket)
            - buckets[own].first
    }

    /// Lets a ticket in at its place; false where it stands there already.
    package mutating func insert(_ ticket: Ticket) -> Bool {
        buckets[Int(ticket.priority)].insert(ticket)
    }

    /// The first ticket.
    package var first: Ticket? { buckets.lazy.compactMap(\.waiting.first).first }

    /// The first tickets, at most so many.
    package func first(_ count: Int) -> [Ticket] { Array(buckets.lazy.flatMap(\.waiting).prefix(count)) }

    /// Takes a ticket out of the line; false where it does not stand there.
    package mutating func remove(_ ticket: Ticket) -> Bool {
        guard contains(ticket) else { return false }
        let bucket = Int(ticket.priority)
        _ = buckets[bucket].remove(at: buckets[bucket].lowerBound(of: ticket))
        return true
    }
}
