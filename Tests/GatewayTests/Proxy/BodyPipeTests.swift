import Testing

@testable import Gateway

@Suite("A pipe between two tasks", .timeLimit(.minutes(5)))
struct BodyPipeTests {
    @Test("carries all pieces in order, and then their end")
    func order() async throws {
        let pipe = BodyPipe()
        let bringing = Task {
            for number in 0..<100 as Range<UInt8> { try await pipe.bring([number]) }
            pipe.end()
        }
        var taken: [UInt8] = []
        while let piece = try await pipe.take() { taken += piece }
        try await bringing.value
        #expect(taken == Array(0..<100))
    }

    @Test("lets go who is cancelled while the other side is silent, before and while he waits")
    func cancelled() async throws {
        for isEarly in [true, false] {
            let pipe = BodyPipe()
            let (waits, wait) = AsyncStream.makeStream(of: Void.self)
            let taking = Task {
                wait.finish()
                if isEarly { while !Task.isCancelled { await Task.yield() } }
                return try await pipe.take()
            }
            for await _ in waits {}
            if !isEarly { for _ in 0..<100 { await Task.yield() } }
            taking.cancel()
            await #expect(throws: CancellationError.self) { try await taking.value }
        }
    }

    @Test("lets go who brings to one who does not take")
    func untaken() async throws {
        let pipe = BodyPipe()
        let bringing = Task {
            try await pipe.bring([1])
            try await pipe.bring([2])
        }
        while !bringing.isCancelled {
            await Task.yield()
            bringing.cancel()
        }
        await #expect(throws: CancellationError.self) { try await bringing.value }
        pipe.end()
    }

    @Test("tells the failure of who brings behind the last piece")
    func failure() async throws {
        struct Broken: Error {}
        let pipe = BodyPipe()
        let bringing = Task {
            try await pipe.bring([1])
            pipe.end(Broken())
        }
        #expect(try await pipe.take() == [1])
        await #expect(throws: Broken.self) { try await pipe.take() }
        try await bringing.value
    }
}
