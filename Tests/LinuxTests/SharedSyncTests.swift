import Dispatch
import Glibc
import Synchronization
import Testing

@testable import Linux

@Suite("Syncs that are waited for together")
struct SharedSyncTests {
    @Test("all who come while one runs share the next, which begins behind their coming")
    func shared() throws {
        let sync = SharedSync()
        let count = Atomic(0)
        let (begun, go) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let (coming, all) = (DispatchGroup(), DispatchGroup())
        all.enter()
        DispatchQueue(label: "first").async {
            try? sync.run { () throws(SystemError) in
                begun.signal()
                go.wait()
                count.add(1, ordering: .relaxed)
            }
            all.leave()
        }
        begun.wait()
        for number in 1...8 {
            coming.enter()
            all.enter()
            DispatchQueue(label: "follower \(number)").async {
                coming.leave()
                try? sync.run { () throws(SystemError) in count.add(1, ordering: .relaxed) }
                // Not the one that was under way.
                #expect(count.load(ordering: .relaxed) >= 2)
                all.leave()
            }
        }
        coming.wait()
        go.signal()
        all.wait()
        // One who was stopped between his coming and his call comes later, and syncs for himself.
        #expect((2...9).contains(count.load(ordering: .relaxed)))
    }

    @Test("one that fails covers nobody: who waited makes one of its own")
    func failure() throws {
        let sync = SharedSync()
        let broken = SystemError(call: "fsync", code: EIO, path: "x")
        #expect(throws: SystemError.self) { try sync.run { () throws(SystemError) in throw broken } }
        var ran = false
        try sync.run { () throws(SystemError) in ran = true }
        #expect(ran)
    }
}
