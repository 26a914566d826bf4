// How long to wait before looking again for a server that is away.

/// 1 s, doubling to 30 s, each shortened by chance by up to a quarter: many daemons that lost one server at the same
/// moment do not all come back at the same moment.
struct Backoff {
    private var last: Duration = .zero

    static let first = Duration.seconds(1)
    static let longest = Duration.seconds(30)

    /// The next wait. `chance` is 0 to 1.
    mutating func next(chance: Double = .random(in: 0...1)) -> Duration {
        last = last == .zero ? Self.first : min(last * 2, Self.longest)
        return last * (1 - chance / 4)
    }

    /// The server has answered.
    mutating func reset() { last = .zero }
}
