// Waiting for a descriptor with a thread of one's own, which another thread can end.
//
// The other way to wait, `Readiness`, holds no thread and costs half a dozen changes of threads a wait: right for many
// connections that wait for long, wrong for the few whose answers are waited for.

import CLinux
import Glibc

/// Ends the waits of one thread, from any other.
package final class WakeupEvent: Sendable {
    private let event: Descriptor

    /// Not raised. Throws ``SystemError``, with EMFILE where there are no more descriptors.
    package init() throws(SystemError) {
        let flags = Int32(CLINUX_EFD_CLOEXEC) | Int32(CLINUX_EFD_NONBLOCK)
        event = Descriptor(owning: try system("eventfd", "an alarm") { eventfd(0, flags) })
    }

    /// Ends the wait that is under way, and all that follow.
    package func raise() {
        var one: UInt64 = 1
        // Fails only where it has been raised 2⁶⁴ − 2 times.
        _ = write(event.number, &one, MemoryLayout<UInt64>.size)
    }

    /// Blocks until the time is over, or the alarm is raised: that is `cancelled`.
    package func wait(atMost time: Duration) -> Readiness {
        // It is readable when it is raised.
        wait(event, for: .reading, atMost: time)
    }

    /// Blocks until `descriptor` is ready (also to fail), the time is over, or the alarm is raised: that is `cancelled`.
    package func wait(
        _ descriptor: borrowing Descriptor, for direction: Readiness.Direction, atMost time: Duration
    ) -> Readiness {
        let deadline = ContinuousClock.now + time
        var waiting = [
            pollfd(fd: descriptor.number, events: Int16(direction == .reading ? POLLIN : POLLOUT), revents: 0),
            pollfd(fd: event.number, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            // Rounded up: a wait of less than a millisecond would be a loop.
            let left = max(0, ((deadline - .now) / .milliseconds(1)).rounded(.up))
            let count = poll(&waiting, 2, Int32(min(left, Double(Int32.max))))
            if waiting[1].revents != 0 { return .cancelled }
            // What is wrong with the descriptor is told by the call that uses it next.
            if count > 0 || (count < 0 && errno != EINTR) { return .ready }
            if count == 0, ContinuousClock.now >= deadline { return .timedOut }
        }
    }
}
