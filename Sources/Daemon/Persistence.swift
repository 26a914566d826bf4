// Steps on the disk that must be done, however long the disk takes.

import Linux

/// Tries a step until it is done; what stops it is told each time. Without it a job would be in nobody's hands until the
/// next start. `body` may block, is run where the caller is, and is told whether it is tried again.
///
/// Throws what `isWorthIt` is false of, and CancellationError.
nonisolated(nonsending) func untilDone<Value>(
    tell: @Sendable (Event) -> Void, where isWorthIt: (SystemError) -> Bool = { _ in true },
    _ body: (_ again: Bool) throws -> Value
) async throws -> Value {
    var backoff = Backoff()
    var again = false
    while true {
        do {
            return try body(again)
        } catch let error as SystemError where isWorthIt(error) {
            tell(.troubled(error))
            again = true
            try await Threads.rest(for: backoff.next())
        }
    }
}
