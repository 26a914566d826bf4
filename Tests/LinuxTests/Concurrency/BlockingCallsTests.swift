import Dispatch
import Synchronization
import Testing

@testable import Linux

@Suite("Calls that block", .timeLimit(.minutes(60)))
struct BlockingCallsTests {
    private final class Tally: Sendable {
        let running = Atomic(0)
        let most = Atomic(0)
    }

    @Test("are so many at a time, however many come, and each is made")
    func bounded() async throws {
        let calls = BlockingCalls(label: "test", width: 3)
        let tally = Tally()
        // The first three meet: there are three at a time, indeed.
        let (here, go) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let results = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<500 {
                group.addTask {
                    try await calls.run {
                        let count = tally.running.add(1, ordering: .relaxed).newValue
                        tally.most.max(count, ordering: .relaxed)
                        here.signal()
                        go.wait()
                        tally.running.subtract(1, ordering: .relaxed)
                        return number
                    }
                }
            }
            group.addTask {
                await withCheckedContinuation { continuation in
                    DispatchQueue(label: "meeting").async {
                        for _ in 0..<3 { here.wait() }
                        for _ in 0..<500 { go.signal() }
                        continuation.resume()
                    }
                }
                return 500
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results.sorted() == Array(0...500))
        #expect(tally.most.load(ordering: .relaxed) == 3)
        // What has rested works again.
        #expect(try await calls.run { 17 } == 17)
    }

    @Test("are made in the order in which they come, and one that is stuck holds up only its own thread")
    func order() async throws {
        let calls = BlockingCalls(label: "test", width: 2)
        let (stuck, go) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let first = Task {
            try await calls.run {
                stuck.signal()
                go.wait()
            }
        }
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "meeting").async {
                stuck.wait()
                continuation.resume()
            }
        }
        let order = Mutex<[Int]>([])
        for number in 0..<50 { try await calls.run { order.withLock { $0.append(number) } } }
        #expect(order.withLock { $0 } == Array(0..<50))
        go.signal()
        try await first.value
    }

    @Test("tell what went wrong, and are made for a task that is cancelled, too")
    func failure() async throws {
        let calls = BlockingCalls(label: "test", width: 1)
        await #expect(throws: SystemError.timedOut("fsync", "x")) {
            try await calls.run { throw SystemError.timedOut("fsync", "x") }
        }
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await calls.run { 17 }
        }
        #expect(try await task.value == 17)
    }
}
