// What follows when the kernel takes nothing of what is to be sent: waited for, but not without end.

import Glibc
import Linux

/// Follows one sending. It ends in an error when nothing has been taken for as long as its patience is.
struct Stall {
    /// What to do next.
    enum Step: Equatable {
        /// So many bytes were taken.
        case sent(Int)
        /// Try again when the socket is writable, or when the time is over.
        case waitForRoom(Duration)
        /// Try again in so long, whatever the socket says: it may be writable all the time.
        case rest(Duration)
        /// `nil` where the peer took nothing for too long.
        case giveUp(SystemError?)
    }

    private let patience: Duration
    /// When nothing was taken for the first time since something was.
    private var since: ContinuousClock.Instant?
    /// Between two tries of a kernel without memory.
    private var pause = firstPause

    private static let firstPause = Duration.milliseconds(10)
    private static let longestPause = Duration.seconds(1)

    init(patience: Duration) { self.patience = patience }

    /// The last try has not brought it to its end.
    var isBegun: Bool { since != nil }

    /// - Parameter result: of send(2), 0 where it would have blocked.
    mutating func step(after result: Result<Int, SystemError>, now: ContinuousClock.Instant) -> Step {
        let left = (since ?? now) + patience - now
        let lack: SystemError?
        switch result {
        case .success(let count) where count > 0:
            // What the kernel takes when the time is over was its own room: it takes a little more than it calls writable.
            if left > .zero { self = Stall(patience: patience) }
            return .sent(count)
        case .success: lack = nil
        // The kernel has no memory for it now (send(2)): as good as a full socket.
        case .failure(let error) where [ENOBUFS, ENOMEM].contains(error.code): lack = error
        case .failure(let error): return .giveUp(error)
        }
        since = since ?? now
        guard left > .zero else { return .giveUp(lack) }
        guard lack != nil else { return .waitForRoom(left) }
        defer { pause = min(pause * 2, Self.longestPause) }
        return .rest(min(pause, left))
    }
}
