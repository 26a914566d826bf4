// A thread of one's own for an actor that waits for the disk.

@preconcurrency import Dispatch

/// Runs an actor on a dispatch queue: its calls may block without holding up Swift's own few threads, and handlers of
/// Dispatch's sources on that queue are inside the actor. A task that prefers it begins where its actor is, and need not
/// go there.
package final class SerialQueueExecutor: SerialExecutor, TaskExecutor {
    /// Where the actor runs.
    package let queue: DispatchQueue

    /// An executor whose queue debuggers show as `label`.
    package init(label: String) { queue = DispatchQueue(label: label) }

    /// See `SerialExecutor` and `TaskExecutor`.
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async {
            job.runSynchronously(
                isolatedTo: self.asUnownedSerialExecutor(), taskExecutor: self.asUnownedTaskExecutor())
        }
    }

    /// See `SerialExecutor`.
    package func checkIsolated() { dispatchPrecondition(condition: .onQueue(queue)) }
}
