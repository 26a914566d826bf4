// How often all folders are looked at, whatever the kernel tells of them.

/// Where the kernel tells of all changes once a minute is enough: it is a promise that is kept. Of what other machines do
/// to a share it tells nothing, and nobody's doing must wait for a minute there.
struct RescanSchedule {
    static let usual = Duration.seconds(60)
    static let onShares = Duration.seconds(2)
    /// A round that takes long is made less often: no more than a twentieth of the time goes into them.
    private static let share = 20

    private let usual: Duration
    private(set) var interval: Duration
    private(set) var next: ContinuousClock.Instant

    /// - Parameter interval: between the end of a round and the beginning of the next.
    init(every interval: Duration, now: ContinuousClock.Instant) {
        usual = interval
        self.interval = interval
        next = now + interval
    }

    /// Whether the folders are looked at as often as on a share, for want of watches.
    mutating func poll(_ isNeeded: Bool, _ now: ContinuousClock.Instant) {
        interval = isNeeded ? min(usual, Self.onShares) : usual
        next = min(next, now + interval)
    }

    func isDue(_ now: ContinuousClock.Instant) -> Bool { now >= next }

    mutating func ended(_ now: ContinuousClock.Instant, after time: Duration) {
        next = now + max(interval, time * Self.share)
    }

    /// Something was missed: the next one is soon.
    mutating func hurry(_ now: ContinuousClock.Instant, in time: Duration) { next = min(next, now + time) }
}
