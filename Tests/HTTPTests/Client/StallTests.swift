import Glibc
import Linux
import Testing

@testable import HTTP

@Suite("A sending that stalls", .timeLimit(.minutes(5)))
struct StallTests {
    private static let start = ContinuousClock.now

    private static func error(_ code: Int32) -> SystemError { SystemError(call: "send", code: code, path: "socket") }

    private typealias Row = (at: Double, result: Result<Int, SystemError>, step: Stall.Step)

    private static func check(_ rows: [Row]) {
        var stall = Stall(patience: .seconds(60))
        for row in rows {
            let step = stall.step(after: row.result, now: start + .seconds(row.at))
            #expect(step == row.step, "at \(row.at) s")
        }
    }

    @Test("waits for room as long as its patience is, anew behind each byte that was taken, and then gives up")
    func full() {
        Self.check([
            (0, .success(10), .sent(10)), (1, .success(0), .waitForRoom(.seconds(60))),
            (31, .success(0), .waitForRoom(.seconds(30))), (60, .success(1), .sent(1)),
            (100, .success(0), .waitForRoom(.seconds(60))), (160, .success(0), .giveUp(nil)),
        ])
    }

    @Test("does not take for the peer's what the kernel finds room for when the time is over")
    func ownRoom() {
        Self.check([
            (0, .success(0), .waitForRoom(.seconds(60))), (60, .success(9), .sent(9)), (60, .success(0), .giveUp(nil)),
        ])
        // Who took something all the same goes on.
        Self.check([
            (0, .success(0), .waitForRoom(.seconds(60))), (60, .success(9), .sent(9)), (60, .success(9), .sent(9)),
        ])
    }

    @Test(
        "rests between two tries of a kernel without memory, longer each time, and gives up with its word",
        arguments: [ENOBUFS, ENOMEM])
    func noMemory(code: Int32) {
        let error = Self.error(code)
        Self.check([
            (0, .failure(error), .rest(.milliseconds(10))), (0.01, .failure(error), .rest(.milliseconds(20))),
            (0.03, .failure(error), .rest(.milliseconds(40))), (0.07, .success(5), .sent(5)),
            (0.07, .failure(error), .rest(.milliseconds(10))), (60, .failure(error), .rest(.milliseconds(20))),
            (60.07, .failure(error), .giveUp(error)),
        ])
    }

    @Test("gives up at once where the connection is broken", arguments: [EPIPE, ECONNRESET, ETIMEDOUT])
    func broken(code: Int32) {
        Self.check([(0, .failure(Self.error(code)), .giveUp(Self.error(code)))])
    }

    private struct Missing: Error {}

    /// A server that accepts and never reads; `answer` is what it says all the same, at once.
    private static func exchange(answer: String, wakeup: WakeupEvent? = nil, _ patience: SendLimits) async throws -> (
        status: Int?, body: String, failure: ExchangeFailure?
    ) {
        let listening = try Descriptor.listening(on: .loopback(port: 0))
        let box = DescriptorBox(listening)
        guard let listening = box.take() else { throw CancellationError() }
        let port = try listening.boundPort()
        let length = 24 << 20
        let request = ClientRequest(
            method: "POST", target: "/", host: "127.0.0.1", port: port, headers: [],
            body: [BodyPiece(length: length) { [UInt8](repeating: 0, count: $0.count) }])
        let sending = Task { () -> (Int?, String, ExchangeFailure?) in
            var (status, body) = (Int?.none, [UInt8]())
            do {
                try await request.exchange(
                    connectTimeout: .seconds(60), pace: MinimumRate(bytes: 1, window: .seconds(600)),
                    patience: patience,
                    wakeup: wakeup, onHead: { status = $0.status }, onBody: { body += $0 })
                return (status, String(decoding: body, as: UTF8.self), nil)
            } catch let failure as ExchangeFailure {
                return (status, String(decoding: body, as: UTF8.self), failure)
            }
        }
        _ = await Readiness.wait(listening, for: .reading, atMost: .seconds(60))
        guard let socket = try listening.acceptConnection() else { throw Missing() }
        let server = BufferedSocket(owning: socket)
        if !answer.isEmpty { try await server.send(Array(answer.utf8)[...], patience: .seconds(60)) }
        defer { withExtendedLifetime(server) {} }
        return try await sending.value
    }

    @Test("to a server that never reads ends in time, with the cause", arguments: [false, true])
    func deaf(hasAlarm: Bool) async throws {
        let (status, _, failure) = try await Self.exchange(
            answer: "", wakeup: hasAlarm ? try WakeupEvent() : nil,
            SendLimits(stall: .milliseconds(100), answer: .milliseconds(100)))
        guard case .broken(let cause?) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(status == nil)
        #expect(cause.call == "send" && cause.code == ETIMEDOUT)
    }

    @Test("lets count what the server has said before it stopped reading")
    func early() async throws {
        let answer = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 8\r\n\r\ntoo long"
        let (status, body, failure) = try await Self.exchange(
            answer: answer, SendLimits(stall: .milliseconds(100), answer: .seconds(60)))
        #expect(status == 413 && body == "too long" && failure == nil)
    }

    @Test(
        "waits not even for the end of an answer that has begun",
        arguments: [
            "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf", "HTTP/1.1 200 OK\r\n\r\nsome",
        ])
    func half(answer: String) async throws {
        let (_, _, failure) = try await Self.exchange(
            answer: answer, SendLimits(stall: .milliseconds(100), answer: .milliseconds(100)))
        guard case .broken(let cause?) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(cause.call == "send" && cause.code == ETIMEDOUT)
    }

    @Test("of an answer ends with its connection: a client that takes nothing keeps no handler")
    func deafClient() async throws {
        var limits = Limits.patient
        limits.bodyTime = .milliseconds(100)
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        let server = try Server.start(limits: limits) { _ in
            Response(
                status: 200,
                body: .stream(.chunked) { writer in
                    defer { end.finish() }
                    while true { try await writer.write([UInt8](repeating: 0, count: 1 << 20)) }
                })
        }
        let client = try await Client(port: server.port)
        try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        for await _ in ends {}
        await server.stop()
        withExtendedLifetime(client) {}
    }

    @Test("a server that stops ends also a stream that never has to wait, and an upload that never pauses")
    func stopping() async throws {
        let (begins, begin) = AsyncStream.makeStream(of: Void.self)
        let server = try Server.start(limits: .patient) { incoming in
            if incoming.method == "POST" {
                while try await incoming.next() != nil { begin.yield() }
                return Response(status: 200)
            }
            return Response(
                status: 200,
                body: .stream(.chunked) { writer in
                    begin.yield()
                    // Nothing is sent, so nothing is waited for.
                    while true {
                        try await writer.write([])
                        await Task.yield()
                    }
                })
        }
        let client = try await Client(port: server.port)
        try await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        for await _ in begins { break }
        await server.stop()
        withExtendedLifetime(client) {}
    }
}
