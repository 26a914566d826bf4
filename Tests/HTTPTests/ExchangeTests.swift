import Linux
import Testing

@testable import HTTP

@Suite("An exchange", .timeLimit(.minutes(5)))
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

    static let endless: [(start: String, rest: String, pause: Duration, sign: String)] = [
        ("HTTP/1.1 200 OK\r\nX: ", "y", .milliseconds(20), "slow"),
        ("HTTP/1.1 200 OK\r\nX: ", String(repeating: "y", count: 1000), .zero, "its head has no end"),
        ("", "HTTP/1.1 100 Continue\r\n\r\n", .zero, "interim answers"),
        ("", "SSH-2.0-OpenSSH_9.2\r\n", .zero, "foreign(\"it begins with"),
    ]

    @Test("gives up a head that has no end, and answers that are none without one", arguments: endless)
    func endlessHead(row: (start: String, rest: String, pause: Duration, sign: String)) async throws {
        let listening = try Descriptor.listening(on: .loopback(port: 0))
        let port = try listening.boundPort()
        let handover = Handover(listening)
        let serving = Task {
            guard let listening = handover.take() else { return }
            _ = await Readiness.wait(listening, for: .reading, atMost: .seconds(30))
            guard let socket = try listening.acceptConnection() else { return }
            // Nobody reads the request: it is small.
            let wire = Wire(owning: socket)
            try await wire.send(Array(row.start.utf8)[...], patience: .seconds(30))
            // Until the client has had enough.
            while true {
                try await wire.send(Array(row.rest.utf8)[...], patience: .seconds(30))
                if row.pause > .zero { try await Task.sleep(for: row.pause) }
            }
        }
        let request = Outgoing(method: "GET", target: "/", host: "127.0.0.1", port: port, headers: [], body: nil)
        var failure: ExchangeFailure?
        do {
            try await request.exchange(
                connectTimeout: .seconds(30), pace: Pace(bytes: 1, window: .milliseconds(300)), onHead: { _ in },
                onBody: { _ in })
        } catch let error as ExchangeFailure {
            failure = error
        }
        #expect(failure.map { "\($0)" }?.contains(row.sign) == true, "\(String(describing: failure))")
        serving.cancel()
        _ = await serving.result
    }

    @Test("takes a body that keeps the pace, however long it is")
    func steady() async throws {
        let (count, failure) = try await Self.receive(Pace(bytes: 1, window: .seconds(2))) { writer in
            let end = ContinuousClock.now + .seconds(2.5)
            // Two pieces at least, however long a busy machine lets it sleep.
            var pieces = 0
            while ContinuousClock.now < end || pieces < 2 {
                pieces += 1
                try await writer.write([UInt8](repeating: 0, count: 1000))
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        #expect(failure == nil)
        #expect(count > 1000)
    }
}
