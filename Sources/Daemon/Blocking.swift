// Calls that wait for a disk or a socket, away from the threads that everything else runs on.

@preconcurrency import Dispatch

private let blockingCalls = DispatchQueue(label: "blocking calls", attributes: .concurrent)

/// Runs `body`, which may block, on a thread of its own and waits for it without holding one. Swift's own pool has as
/// many threads as the machine has cores: one fsync(2) on it would stop half of a small machine.
func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        blockingCalls.async { continuation.resume(with: Result(catching: body)) }
    }
}
