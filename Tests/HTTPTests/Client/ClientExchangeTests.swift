import Linux
import Testing

@testable import HTTP

@Suite("An exchange", .timeLimit(.minutes(60)))
struct ClientExchangeTests {
    /// What a server's body comes to at this pace: how much of it was taken, and what ended it.
    private static func receive(_ pace: MinimumRate, _ body: @escaping @Sendable (BodyWriter) async throws -> Void)
        async throws -> (Int, ExchangeFailure?)
    {
        let server = try Server.start(limits: .patient) { (_: Request) in
            Response(status: 200, body: .stream(.chunked, body))
        }
        let request = ClientRequest(
            method: "GET", target: "/", host: "127.0.0.1", port: server.port, headers: [], body: nil)
        var count = 0
        var failure: ExchangeFailure?
        do {
            try await request.exchange(
                connectTimeout: patience, pace: pace, onHead: { _ in }, onBody: { count += $0.count })
        } catch let error as ExchangeFailure {
            failure = error
        }
        await server.stop()
        return (count, failure)
    }

    /// A server that does not come to an end, and what of it the client has had enough of.
    struct Endless: Sendable {
        /// It sends this at once, and `rest` again and again.
        let start: String
        let rest: String
        var pause = Duration.zero
        /// Only where it is the pace that ends it is a window over.
        var pace = MinimumRate(bytes: 1, window: .seconds(3600))
        let sign: String
        /// So much of its body is there with its head.
        var body = 0
    }

    static let endless = [
        Endless(
            start: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", rest: "1\r\nx\r\n",
            pause: .milliseconds(2), pace: MinimumRate(bytes: 1000, window: .milliseconds(100)), sign: "slow", body: 1),
        Endless(
            start: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", rest: "", pause: .seconds(3600),
            pace: MinimumRate(bytes: 1000, window: .milliseconds(100)), sign: "slow", body: 1),
        Endless(
            start: "HTTP/1.1 200 OK\r\nX: ", rest: "y", pause: .milliseconds(20),
            pace: MinimumRate(bytes: 1, window: .milliseconds(300)), sign: "slow"),
        Endless(
            start: "HTTP/1.1 200 OK\r\nX: ", rest: String(repeating: "y", count: 1000), sign: "its head has no end"),
        Endless(start: "", rest: "HTTP/1.1 100 Continue\r\n\r\n", sign: "interim answers"),
        Endless(start: "", rest: "SSH-2.0-OpenSSH_9.2\r\n", sign: "foreign(\"it begins with"),
    ]

    @Test(
        "gives up a head or a body that drips or stops, a head that has no end, and answers that are none",
        arguments: endless)
    func givesUp(row: Endless) async throws {
        let listening = try Descriptor.listening(on: .loopback(port: 0))
        let port = try listening.boundPort()
        let box = DescriptorBox(listening)
        let serving = Task {
            guard let listening = box.take() else { return }
            _ = await Readiness.wait(listening, for: .reading, atMost: patience)
            guard let socket = try listening.acceptConnection() else { return }
            // Nobody reads the request: it is small.
            let buffered = BufferedSocket(owning: socket)
            try await buffered.send(Array(row.start.utf8)[...], patience: patience)
            // Until the client has had enough.
            while true {
                try await buffered.send(Array(row.rest.utf8)[...], patience: patience)
                if row.pause > .zero { try await Task.sleep(for: row.pause) }
            }
        }
        let request = ClientRequest(method: "GET", target: "/", host: "127.0.0.1", port: port, headers: [], body: nil)
        var failure: ExchangeFailure?
        var count = 0
        do {
            try await request.exchange(
                connectTimeout: patience, pace: row.pace, onHead: { _ in }, onBody: { count += $0.count })
        } catch let error as ExchangeFailure {
            failure = error
        }
        #expect(failure.map { "\($0)" }?.contains(row.sign) == true, "\(String(describing: failure))")
        #expect(count >= row.body)
        serving.cancel()
        _ = await serving.result
    }

    @Test("a window that brought enough is followed by the next, which has to bring as much")
    func window() {
        let start = ContinuousClock.now
        var window = ClientRequest.Window(MinimumRate(bytes: 10, window: .seconds(2)), now: start)
        var goesOn = [window.goesOn(at: start + .seconds(1.9))]
        for end in [2, 4, 6, 8] {
            window.took(30)
            goesOn.append(window.goesOn(at: start + .seconds(end)))
        }
        window.took(9)
        goesOn.append(window.goesOn(at: start + .seconds(9.9)))
        goesOn.append(window.goesOn(at: start + .seconds(10)))
        #expect(goesOn == [true, true, true, true, true, true, false])
    }

    @Test("takes a body that lasts for many windows")
    func steady() async throws {
        // A pace that nobody can miss: what ends the body is its end.
        let (count, failure) = try await Self.receive(MinimumRate(bytes: 0, window: .milliseconds(20))) { writer in
            let end = ContinuousClock.now + .milliseconds(300)
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
