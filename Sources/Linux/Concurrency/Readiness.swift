// Waiting for a descriptor without a thread: Dispatch watches it, a task is suspended.
//
// A source lives for one wait and is gone (unregistered from the kernel) before the wait returns. So the
// descriptor's owner may close it between two waits, and nothing can then fire for a number that the kernel has given
// to somebody else. Never fails: what is wrong with the descriptor is told by the call that uses it next.

@preconcurrency import Dispatch
import Synchronization

/// How waiting for a descriptor ended.
package enum Readiness: Equatable, Sendable {
    /// The call that was waited for will not block; it may well fail.
    case ready
    /// The time was over first.
    case timedOut
    /// The task was cancelled first.
    case cancelled

    /// What a descriptor is waited for.
    package enum Direction: Sendable {
        case reading, writing
    }

    /// Suspends the task until `descriptor` is ready; it has to be non-blocking and to stay open meanwhile.
    ///
    /// - Parameter alarm: waits with the thread that it is called on, until the alarm is raised; `nil` to hold none.
    nonisolated(nonsending) package static func wait(
        _ descriptor: borrowing Descriptor, for direction: Direction, atMost time: Duration, wakeup: WakeupEvent? = nil
    ) async -> Readiness {
        if let wakeup { return wakeup.wait(descriptor, for: direction, atMost: time) }
        let source: any DispatchSourceProtocol =
            switch direction {
            case .reading: DispatchSource.makeReadSource(fileDescriptor: descriptor.number, queue: queue)
            case .writing: DispatchSource.makeWriteSource(fileDescriptor: descriptor.number, queue: queue)
            }
        return await wait(for: source, atMost: time)
    }

    /// Suspends the task for so long.
    nonisolated(nonsending) package static func wait(atMost time: Duration) async -> Readiness {
        // A source that nobody adds to.
        await wait(for: DispatchSource.makeUserDataAddSource(queue: queue), atMost: time)
    }

    nonisolated(nonsending) private static func wait(
        for source: any DispatchSourceProtocol, atMost time: Duration
    ) async -> Readiness {
        let timer = DispatchSource.makeTimerSource(queue: queue)
        let wait = Wait(source: source, timer: timer)
        timer.schedule(deadline: .now() + .nanoseconds(Int(clamping: time.nanoseconds)))
        timer.setEventHandler { @Sendable in wait.end(.timedOut) }
        source.setEventHandler { @Sendable in wait.end(.ready) }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                source.setCancelHandler { @Sendable in continuation.resume(returning: wait.outcome) }
                source.activate()
                timer.activate()
            }
        } onCancel: {
            wait.end(.cancelled)
        }
    }

    /// Its handlers only pass the word on, so one queue serves every wait.
    private static let queue = DispatchQueue(label: "readiness")
}

/// One wait: the first of its three ends counts, and takes both sources down.
private final class Wait: Sendable {
    private let state = Mutex<Readiness?>(nil)
    private let source: any DispatchSourceProtocol
    private let timer: any DispatchSourceTimer

    init(source: any DispatchSourceProtocol, timer: any DispatchSourceTimer) {
        self.source = source
        self.timer = timer
    }

    func end(_ outcome: Readiness) {
        state.withLock { $0 = $0 ?? outcome }
        source.cancel()
        timer.cancel()
    }

    var outcome: Readiness { state.withLock { $0 } ?? .cancelled }
}

extension Duration {
    fileprivate var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max / 2 : whole + attoseconds / 1_000_000_000
    }
}
