// Signals as a stream of values.

@preconcurrency import Dispatch
import Glibc

/// The signals of a process, taken out of the hands of their default actions.
package enum Signals {
    private static let queue = DispatchQueue(label: "signals")

    /// Each of `numbers` as it comes, in place of what it would do by default. Returns when that is so: one that comes
    /// earlier does what it does by default, and none is lost in between.
    package static func stream(of numbers: [Int32]) async -> AsyncStream<Int32> {
        let (stream, continuation) = AsyncStream<Int32>.makeStream()
        var sources: [any DispatchSourceSignal] = []
        for number in numbers {
            // Dispatch puts a handler of its own in the place of the default, later and on another thread.
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { @Sendable in continuation.yield(number) }
            await withCheckedContinuation { registered in
                source.setRegistrationHandler { @Sendable in registered.resume() }
                source.activate()
            }
            sources.append(source)
        }
        let all = sources
        continuation.onTermination = { _ in all.forEach { $0.cancel() } }
        return stream
    }

    /// A write to a closed connection, one over the file size limit, and a lease that somebody breaks (SIGIO, see
    /// ``File/hasWriter``) are errors to handle and no death.
    package static func ignoreThoseThatKill() {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        signal(SIGIO, SIG_IGN)
    }
}
