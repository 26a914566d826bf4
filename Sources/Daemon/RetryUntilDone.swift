// Steps on the disk that must be done, however long the disk takes.

import Linux

/// Tries a step until it is done; what stops it is told each time. Without it a job would be in nobody's hands until the
/// next start. `body` may block, is run where the caller is, and is told whether it is tried again.
///
/// Throws what `isWorthIt` is false of, an error that no further try can undo, and CancellationError.
nonisolated(nonsending) func retryUntilDone<Value>(
    emit: @Sendable (Event) -> Void, where isWorthIt: (SystemError) -> Bool = { _ in true },
    _ body: (_ again: Bool) throws -> Value
) async throws -> Value {
    var backoff = Backoff()
    var again = false
    var nextWord = ContinuousClock.now
    while true {
        do {
            return try body(again)
        } catch let error as SystemError where isWorthIt(error) {
            again = true
            // Room may be there at any moment, and is tried for once a second; it is told as seldom as anything else.
            if nextWord <= .now {
                emit(.diskError(error))
                nextWord = .now + backoff.next()
            }
            try await TaskQueueExecutor.rest(
                for: error.isNoRoom ? min(Backoff.first, nextWord - .now) : nextWord - .now)
        }
    }
}
