// From one task to another, a piece at a time: who brings pieces waits until the last one is taken, so that an answer that is
// passed on is never in memory as a whole.

import Synchronization

/// Carries pieces, and why there are no more. One brings, one takes.
final class BodyPipe: Sendable {
    private struct State {
        var piece: [UInt8]?
        var isOver = false
        var failure: (any Error)?
        /// Who waits for a change: the one who takes for a piece, the one who brings for room.
        var waiting: CheckedContinuation<Void, Never>?
    }
    private let state = Mutex(State())

    /// Returns when the piece before it is taken. Throws CancellationError where nobody takes any more, and where the task is
    /// cancelled.
    func bring(_ piece: ArraySlice<UInt8>) async throws {
        try await wait { $0.piece == nil || $0.isOver }
        try change { state in
            guard !state.isOver else { throw CancellationError() }
            state.piece = Array(piece)
        }
    }

    /// There are no more pieces, because of a failure or because that was all; or nobody takes them any more.
    func end(_ failure: (any Error)? = nil) {
        change { state in
            if !state.isOver { state.failure = failure }
            state.isOver = true
        }
    }

    /// The next piece; `nil` behind the last one. Throws the failure, and CancellationError where the task is cancelled: who
    /// brings may be silent for as long as he likes.
    func take() async throws -> [UInt8]? {
        try await wait { $0.piece != nil || $0.isOver }
        return try change { state in
            if let piece = state.piece.take() { return piece }
            if let failure = state.failure { throw failure }
            return nil
        }
    }

    private func change<Result>(_ change: (inout State) throws -> Result) rethrows -> Result {
        let (result, waiting) = try state.withLock { state in
            let result = try change(&state)
            return (Swift.Result<Result, Never>.success(result), state.waiting.take())
        }
        waiting?.resume()
        return result.get()
    }

    private func wait(until isSo: @escaping @Sendable (borrowing State) -> Bool) async throws {
        while true {
            try Task.checkCancellation()
            let isReady = state.withLock { isSo($0) }
            if isReady { return }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isReady = state.withLock { state in
                        // A task that is cancelled by now may have woken nobody.
                        if isSo(state) || Task.isCancelled { return true }
                        state.waiting = continuation
                        return false
                    }
                    if isReady { continuation.resume() }
                }
            } onCancel: {
                // Whoever waits looks again.
                change { _ in }
            }
        }
    }
}
