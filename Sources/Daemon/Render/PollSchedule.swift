// How often a server may be asked how far a render is: it has better things to do.

import A1111

/// When the next look at the server is due.
struct PollSchedule {
    /// Looks are not closer than this, from the end of one to the beginning of the next.
    static let shortest = Duration.seconds(1)
    /// Behind a look that brought nothing.
    static let rest = Duration.seconds(60)
    /// A look may take this part of the time: one that was slow to be answered is not repeated soon.
    static let share = 10

    private enum Next: Equatable {
        case at(ContinuousClock.Instant), never
    }
    private var next: Next

    /// The first look is due at once.
    init(now: ContinuousClock.Instant) { next = .at(now) }

    func isDue(_ now: ContinuousClock.Instant) -> Bool {
        if case .at(let moment) = next { now >= moment } else { false }
    }

    /// A look was answered after so long.
    mutating func answered(after time: Duration, now: ContinuousClock.Instant) {
        next = .at(now + max(Self.shortest, time * Self.share))
    }

    /// A look brought nothing.
    mutating func failed(_ failure: Failure?, now: ContinuousClock.Instant) {
        next = failure?.isNotThere == true ? .never : .at(now + Self.rest)
    }

    /// It matters now: the next look need not wait, unless there is nothing to look at.
    mutating func hurry(now: ContinuousClock.Instant) {
        if next != .never { next = .at(now) }
    }
}
