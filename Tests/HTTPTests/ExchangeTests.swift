import Linux
import Testing

@testable import HTTP

@Suite("An exchange", .timeLimit(.minutes(1)))
struct ExchangeTests {
    /// What a server's body comes to at this pace: how much of it was taken, and what ended it.
    private static func receive(_ pace: Pace, _ body: @escaping @Sendable (BodyWriter) async throws -> Void)
        async throws -> (Int, ExchangeFailure?)
    {
        let server = try Server.start { _ in Response(status: 200, body: .stream(.chunked, body)) }
        let request = Outgoing(method: "GET", target: "/", host: "127.0.0.1", port: server.port, headers: [], body: nil)
        var count = 0
        var failure: ExchangeFailure?
        do {
            try await request.exchange(
                connectTimeout: .seconds(10), pace: pace, onHead: { _ in }, onBody: { count += $0.count })
        } catch let error as ExchangeFailure {
            failure = error
        }
        await server.stop()
        return (count, failure)
    }

    @Test("gives up a body that drips, and one that stops")
    func slow() async throws {
        let pace = Pace(bytes: 1000, window: .milliseconds(100))
        for pause in [Duration.milliseconds(2), .seconds(3600)] {
            let (count, failure) = try await Self.receive(pace) { writer in
                while true {
                    try await writer.write("x".utf8)
                    try await Task.sleep(for: pause)
                }
            }
            guard case .slow = failure else {
                Issue.record("\(String(describing: failure)) after \(count) bytes")
                return
            }
            #expect(count > 0)
        }
    }

    @Test("takes a body that keeps the pace, however long it is")
    func steady() async throws {
        let (count, failure) = try await Self.receive(Pace(bytes: 1, window: .seconds(2))) { writer in
            let end = ContinuousClock.now + .seconds(2.5)
            while ContinuousClock.now < end {
                try await writer.write([UInt8](repeating: 0, count: 1000))
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        #expect(failure == nil)
        #expect(count > 10_000)
    }
}
