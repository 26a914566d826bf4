// stdout, where results go, and stderr, where this program talks to people and to whoever keeps its log.

import Foundation
import Linux
import Synchronization

/// Writes a line to stdout, at once: the next program in a pipe waits for it. Ends the process where that cannot be.
func answer(_ line: String) { answer(Data("\(line)\n".utf8)) }

/// Writes to stdout. Whoever asked for a result and does not get it is told so by the exit code; but a reader who has had
/// enough (`sdspool status --watch | head -1`) only ends what he reads, as SIGPIPE would, which is ignored for the
/// daemon's sake.
func answer(_ text: Data) {
    var rest = text
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
        if count >= 0 {
            rest = rest.dropFirst(count)
        } else if errno == EPIPE {
            exit(128 + SIGPIPE)
        } else if errno != EINTR {
            let error = SystemError(call: "write", code: errno, path: "stdout")
            Exit(.inputOutput, "sdspool: the result cannot be written to stdout: \(error.reason)").tell()
        }
    }
}

/// Writes to stderr. What cannot be written (a log on a full disk, a terminal that is gone) is lost: there is nobody to
/// tell, and no job may suffer from it. FileHandle's `write(_:)` would end the process.
func talk(_ text: String) {
    guard let log = log.withLock({ $0 }) else {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
        return
    }
    log.write(text)
    #if DEBUG
        // The crash suite writes lines of its own (FaultSeam), and learns from their order with these where a start ends.
        if isStruck { log.finish(within: TimeLimit.with(.seconds(1))) }
    #endif
}

/// From now on `talk` waits for nobody: whoever reads the log of a daemon may be slow, stuck or gone.
///
/// - Parameter count: the line that says how many lines are missing.
func talkWithoutWaiting(count: @escaping @Sendable (Int) -> String) {
    log.withLock { $0 = LogWriter(to: STDERR_FILENO, count: count) }
}

/// Waits for what was said last, before the process ends; not for long where nobody reads it.
func finishTalking() { log.withLock { $0 }?.finish(within: TimeLimit.with(.seconds(1))) }

private let log = Mutex<LogWriter?>(nil)
#if DEBUG
    private let isStruck = ProcessInfo.processInfo.environment["SDSPOOL_FAULT"] != nil
#endif
