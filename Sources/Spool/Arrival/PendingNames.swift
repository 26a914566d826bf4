// Which names of the inbox to look at, and when.

import Linux

/// The names that have something to do with them: some now, in their order, the others at a time of their own.
struct PendingNames {
    /// In order; those before `first` are taken.
    private var backlog: [FileName] = []
    private var first = 0
    private var due: [FileName: ContinuousClock.Instant] = [:]
    /// Names that the disk did not let be dealt with, and how long they waited the last time.
    private var waits: [FileName: Duration] = [:]

    private static let firstWait = Duration.seconds(1)
    private static let longestWait = Duration.seconds(30)

    /// When the first of them is due; `nil` where there is none.
    var next: ContinuousClock.Instant? { first < backlog.count ? .now : due.values.min() }

    /// All that will be looked at.
    var names: Set<FileName> { Set(backlog[first...]).union(due.keys) }

    /// Now, behind those that are to be looked at now.
    mutating func add(_ name: FileName) {
        due[name] = nil
        backlog.append(name)
    }

    /// At that moment, if no look is due before it.
    mutating func add(_ name: FileName, at moment: ContinuousClock.Instant) {
        due[name] = min(due[name] ?? moment, moment)
    }

    /// The disk would not: again after 1 s, doubling to 30 s.
    mutating func postpone(_ name: FileName, at now: ContinuousClock.Instant) {
        let wait = min(waits[name].map { $0 * 2 } ?? Self.firstWait, Self.longestWait)
        waits[name] = wait
        add(name, at: now + wait)
    }

    /// The disk did what was asked of it.
    mutating func forgetTrouble(of name: FileName) { waits[name] = nil }

    /// Those to be looked at now, in order, at most `count`: what was told before what has become due. They are on the agenda
    /// no more.
    mutating func take(_ count: Int, at now: ContinuousClock.Instant) -> [FileName] {
        for (name, moment) in due.sorted(by: { $0.value < $1.value }) where moment <= now { add(name) }
        let names = Array(backlog[first...].prefix(count))
        first += names.count
        if first == backlog.count { (backlog, first) = ([], 0) }
        return names
    }

    /// Forgets what the disk did to names that are gone.
    mutating func forgetTrouble(butOf present: Set<FileName>) {
        waits = waits.filter { present.contains($0.key) }
    }
}
