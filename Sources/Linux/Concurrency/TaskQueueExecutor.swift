// Where tasks run, so that a process in which nothing happens sleeps.
//
// Swift's own pool is a global queue of Dispatch. From the first job there on Dispatch counts its busy threads once a
// second, for as long as the process lives (libdispatch, src/queue.c, `_dispatch_workq_monitor_pools`): 86,400 wake-ups
// a day for nothing. The threads of serial queues are not counted.

@preconcurrency import Dispatch

/// Runs tasks on one serial queue: they are light, and each change of threads costs more than most of them. What blocks is
/// not for it, as it is not for Swift's own pool; an actor that may block has a ``SerialQueueExecutor``.
package final class TaskQueueExecutor: TaskExecutor {
    /// Those of this process. Tasks that others begin are told of them by `Task(executorPreference:)`.
    package static let shared = TaskQueueExecutor(label: "tasks")

    private let queue: DispatchQueue

    /// A queue of its own, shown by debuggers as `label`.
    package init(label: String) { queue = DispatchQueue(label: label) }

    /// See `TaskExecutor`.
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    /// Runs `body`, which may block, on a thread of its own and waits for it without holding one. For what is done once, or
    /// once for each server or job under way; what many clients cause is for ``BlockingCalls``.
    nonisolated(nonsending) package static func blocking<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "blocking call").async { continuation.resume(with: Result(catching: body)) }
        }
    }

    /// Does it there, in so long.
    package func after(_ delay: Duration, _ body: @escaping @Sendable () -> Void) {
        queue.asyncAfter(deadline: .now() + delay / .seconds(1), execute: body)
    }

    /// Waits for a task, and not longer than that. False where it has not ended.
    package static func wait(for task: Task<Void, Never>, atMost limit: Duration) async -> Bool {
        let (ends, end) = AsyncStream.makeStream(of: Bool.self)
        Task(executorPreference: shared) {
            await task.value
            end.yield(true)
        }
        let impatience = Task(executorPreference: shared) {
            do { try await rest(for: limit) } catch { return }
            end.yield(false)
        }
        defer { impatience.cancel() }
        return await ends.first { _ in true } ?? false
    }

    /// Suspends the task for so long; `Task.sleep` would be woken through Swift's own pool. Throws CancellationError.
    nonisolated(nonsending) package static func rest(for duration: Duration) async throws {
        if await Readiness.wait(atMost: duration) == .cancelled { throw CancellationError() }
    }
}
