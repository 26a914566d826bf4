// Calls that block, for many who must not: a few threads make them, and who comes meanwhile waits without one.
//
// A thread for each would be hundreds where hundreds of clients send a job each, all of them waiting for the same disk. What
// is handed over is one call, and never a wait for a client: so nobody holds a thread by being slow.

@preconcurrency import Dispatch
import Synchronization

/// Makes calls that block, at most so many at a time, in the order in which they come.
package final class BlockingCalls: Sendable {
    private struct State {
        var waiting: [@Sendable () -> Void] = []
        /// Threads without work; Dispatch ends them when they stay so.
        var idle: [DispatchQueue]
    }
    private let state: Mutex<State>

    /// - Parameter width: so many calls are made at a time. Debuggers show their threads as `label`.
    package init(label: String, width: Int) {
        // Serial queues: their threads are not counted by Dispatch, see TaskQueueExecutor.swift.
        state = Mutex(State(idle: (0..<width).map { DispatchQueue(label: "\(label) \($0 + 1)") }))
    }

    /// Makes the call in its turn and waits for it without holding a thread. It is made also for a task that is cancelled.
    nonisolated(nonsending) package func run<Value: Sendable>(
        _ call: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            begin { continuation.resume(with: Result(catching: call)) }
        }
    }

    private func begin(_ call: @escaping @Sendable () -> Void) {
        let thread = state.withLock { state in
            state.waiting.append(call)
            return state.idle.popLast()
        }
        guard let thread else { return }
        thread.async { [self] in
            while let call = next(on: thread) { call() }
        }
    }

    /// The call whose turn it is; `nil` where there is none, and the thread is idle from then on.
    private func next(on thread: DispatchQueue) -> (@Sendable () -> Void)? {
        state.withLock { state in
            if !state.waiting.isEmpty { return state.waiting.removeFirst() }
            state.idle.append(thread)
            return nil
        }
    }
}
