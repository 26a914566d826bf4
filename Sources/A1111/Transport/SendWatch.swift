// The sending of a body by URLSession, which has no limit of its own for that: its time-outs count from the last byte in either
// direction, and an answer may let wait for as long as a render takes.

@preconcurrency import Dispatch
import Foundation
import Synchronization

/// Gives a request up when nothing of its body has been taken for too long. Told by the delegate of the request.
final class SendWatch: Sendable {
    private struct State {
        var sent: Int64 = 0
        var isOver = false
    }
    private let state = Mutex(State())
    private let patience: Duration
    private let giveUp: @Sendable () -> Void

    /// - Parameter giveUp: called once, on a thread that must not be held.
    init(patience: Duration, giveUp: @escaping @Sendable () -> Void) {
        self.patience = patience
        self.giveUp = giveUp
    }

    /// The request has begun.
    func begin() { look(behind: -1) }

    /// So much of the body has been taken.
    func note(sent: Int64, of length: Int64) {
        state.withLock { state in
            state.sent = sent
            if sent >= length { state.isOver = true }
        }
    }

    /// An answer comes, or the request has ended: the rest of the body does not matter.
    func end() { state.withLock { $0.isOver = true } }

    private func look(behind before: Int64) {
        let sent = state.withLock { $0.isOver ? nil : $0.sent }
        guard let sent else { return }
        guard sent > before else {
            end()
            return giveUp()
        }
        Client.deadlines.asyncAfter(deadline: .now() + patience / .seconds(1)) { [weak self] in
            self?.look(behind: sent)
        }
    }
}
