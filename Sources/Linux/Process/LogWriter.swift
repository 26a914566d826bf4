// Lines for a log whose reader may be slow, stuck or gone.
//
// Whoever calls `write` never waits: lines go into a buffer, and a thread of its own brings them to the descriptor. When the
// buffer is full, lines are dropped until it is empty again; then one line says how many are missing. A line that the
// descriptor refuses (ENOSPC, EPIPE) is missing, too. Nothing here fails.

@preconcurrency import Dispatch
import Glibc
import Synchronization

/// Writes lines to a descriptor, in order, without holding up whoever has something to say.
package final class LogWriter: Sendable {
    private struct State {
        var lines: [[UInt8]] = []
        /// Of what is not written yet, in bytes.
        var size = 0
        /// Lines are dropped until the buffer is empty.
        var isFull = false
        /// Lines that were dropped behind those in the buffer.
        var dropped = 0
        /// Lines that are missing before the next one that is written.
        var missing = 0
        var isWriting = false
        /// Grows with each call that writes something.
        var progress = 0
        /// The last line was written in part.
        var isTorn = false
    }
    private let state = Mutex(State())
    private let descriptor: Int32
    private let capacity: Int
    private let count: @Sendable (Int) -> String
    private let thread = DispatchQueue(label: "log")
    private let writing = DispatchGroup()

    /// - Parameters:
    ///   - descriptor: borrowed; it must stay open.
    ///   - capacity: about so many bytes wait at most.
    ///   - count: the line that says how many lines are missing.
    package init(to descriptor: Int32, capacity: Int = 1 << 20, count: @escaping @Sendable (Int) -> String) {
        self.descriptor = descriptor
        self.capacity = capacity
        self.count = count
    }

    /// Takes a line, with its line break. Returns at once.
    package func write(_ line: String) {
        let line = Array(line.utf8)
        let mustBegin = state.withLock { state in
            guard !state.isFull, state.size == 0 || state.size + line.count <= capacity else {
                state.isFull = true
                state.dropped += 1
                return false
            }
            state.lines.append(line)
            state.size += line.count
            guard !state.isWriting else { return false }
            state.isWriting = true
            writing.enter()
            return true
        }
        if mustBegin { thread.async { [self] in work() } }
    }

    /// Blocks until all lines are written, until nothing has been written for `patience`, or for ten times as long. True where
    /// all are.
    @discardableResult
    package func finish(within patience: Duration) -> Bool {
        let end = ContinuousClock.now + patience * 10
        while ContinuousClock.now < end {
            let before = state.withLock { $0.progress }
            if writing.wait(timeout: .now() + patience / .seconds(1)) == .success { return true }
            if state.withLock({ $0.progress == before }) { return false }
        }
        return false
    }

    // MARK: On the thread

    private func work() {
        while let lines = next() {
            for line in lines {
                let isWritten = tellMissing() && put(line)
                state.withLock { state in
                    if !isWritten { state.missing += 1 }
                    state.size -= line.count
                }
            }
        }
    }

    /// What has come meanwhile; `nil` where the thread has no more to do.
    private func next() -> [[UInt8]]? {
        while true {
            let (lines, isDone) = state.withLock { state -> ([[UInt8]], Bool) in
                let lines = state.lines
                state.lines = []
                guard lines.isEmpty else { return (lines, false) }
                state.missing += state.dropped
                let isDone = state.dropped == 0
                (state.dropped, state.isFull, state.isWriting) = (0, false, !isDone)
                if isDone { writing.leave() }
                return ([], isDone)
            }
            if isDone { return nil }
            guard lines.isEmpty else { return lines }
            _ = tellMissing()
        }
    }

    /// False where lines are missing and not even their count can be written.
    private func tellMissing() -> Bool {
        let missing = state.withLock { $0.missing }
        guard missing > 0 else { return true }
        guard put(Array(count(missing).utf8)) else { return false }
        state.withLock { $0.missing -= missing }
        return true
    }

    /// Whether all of it was written. Not by way of `system`: the crash suite counts the calls that are made there.
    private func put(_ line: [UInt8]) -> Bool {
        // What follows a part of a line begins a line of its own.
        let bytes = state.withLock { $0.isTorn } ? [UInt8(ascii: "\n")] + line : line
        var rest = bytes[...]
        defer { state.withLock { $0.isTorn = !rest.isEmpty && ($0.isTorn || rest.count < bytes.count) } }
        while !rest.isEmpty {
            // The pointer lives for the call.
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
                state.withLock { $0.progress += 1 }
            } else if errno == EAGAIN {
                // Somebody who shares the descriptor has made it non-blocking.
                var room = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&room, 1, -1)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}
