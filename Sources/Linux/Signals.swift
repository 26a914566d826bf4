// Signals as a stream of values.

@preconcurrency import Dispatch
import Glibc

/// The signals of a process, taken out of the hands of their default actions.
public enum Signals {
    /// Each of `numbers` as it comes, in place of what it would do by default.
    public static func stream(of numbers: [Int32]) -> AsyncStream<Int32> {
        AsyncStream { continuation in
            let sources = numbers.map { number in
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
                source.setEventHandler { @Sendable in continuation.yield(number) }
                source.activate()
                return source
            }
            continuation.onTermination = { _ in sources.forEach { $0.cancel() } }
        }
    }

    /// A write to a closed connection, one over the file size limit, and a lease that somebody breaks (SIGIO, see
    /// ``File/hasWriter``) are errors to handle and no death.
    public static func ignoreThoseThatKill() {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        signal(SIGIO, SIG_IGN)
    }
}
