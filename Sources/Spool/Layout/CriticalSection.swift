// What the threads of one daemon do in a spool one after the other.

import Linux
import Synchronization

/// One at a time; the others wait. It may be held for as long as the disk takes.
final class CriticalSection: Sendable {
    private let turn = Mutex(())

    func run<Value>(_ body: () throws(SystemError) -> Value) throws(SystemError) -> Value {
        // withLock gives back only what may leave its isolation.
        var outcome: Result<Value, SystemError>?
        turn.withLock { _ in
            do throws(SystemError) { outcome = .success(try body()) } catch { outcome = .failure(error) }
        }
        guard let outcome else { preconditionFailure("the body was run") }
        return try outcome.get()
    }
}
