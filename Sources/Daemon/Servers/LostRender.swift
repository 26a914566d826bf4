// Renders whose answers are lost, and which may go on at the server: how long nothing else is sent there. A decision without a
// clock or a server.

/// One such render, or several behind each other.
struct LostRender: Equatable {
    /// When all of it has surely ended at a server that does not tell what it does, as far as its other renders show.
    let end: ContinuousClock.Instant
    /// Nobody waits for longer, whatever the server tells.
    let patience: ContinuousClock.Instant

    /// - Parameters:
    ///   - elapsed: so long ago it was sent.
    ///   - longest: of the renders that were answered.
    ///   - before: what was lost before it: the server has one after the other.
    init(after elapsed: Duration, longest: Duration, behind before: LostRender?, now: ContinuousClock.Instant) {
        let patience = min(.seconds(600), max(.seconds(30), max(elapsed, longest) * 3))
        // One that takes longer than all that is known may take any time.
        end = max(now, before?.end ?? now) + (longest > elapsed ? longest : patience)
        self.patience = max(now, before?.patience ?? now) + patience
    }

    /// Whether another request may be sent.
    func isOver(at now: ContinuousClock.Instant, isUntold: Bool) -> Bool { now >= (isUntold ? end : patience) }
}
