// Clients that leave in the middle of an answer, or seem to: the door loses nothing by them.

import Foundation
import HTTP
import StandIn
import Testing

@Suite(.timeLimit(.minutes(60)), .witnessed) struct GatewayDisconnectTests {
    private static let key = "POST /sdapi/v1/txt2img HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: order-17\r\n"

    /// How many descriptors a process has.
    private static func descriptors(of daemon: Program) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(daemon.pid)/fd").count
    }

    /// Returns when the daemon has at most so many. Nobody tells of it, so it is looked for.
    private static func settles(_ daemon: Program, at count: Int) async throws {
        let end = ContinuousClock.now + deadline
        while try descriptors(of: daemon) > count {
            guard ContinuousClock.now < end else {
                throw Missed(description: "\(try descriptors(of: daemon)) descriptors, and not \(count)")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test("a client that leaves in the middle of an answer costs nothing: no descriptor, no result, nobody's turn")
    func midAnswer() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let head = "\(Self.key)Content-Length: \(smallJob().utf8.count)\r\nConnection: close\r\n\r\n"
        func ask() async throws -> Stranger {
            let stranger = try await Stranger(at: visitor.url)
            try await stranger.send(head + smallJob())
            return stranger
        }
        #expect(Stranger.status(try await ask().hears()) == 200)
        let picture = spool.path("done/key-order-17/key-order-17-1.png")
        let content = try Data(contentsOf: picture)
        // Larger than all that may be on its way between the two: the answer is never sent to its end. A file with a hole.
        let file = try FileHandle(forUpdating: picture)
        try file.truncate(atOffset: 256 << 20)
        let before = try Self.descriptors(of: daemon)
        for _ in 0..<20 {
            let answer = try await ask()
            #expect(try await answer.hears("\r\n\r\n").hasPrefix("HTTP/1.1 200 "))
            let plain = try await Stranger(at: visitor.url)
            try await plain.send("GET /done/key-order-17/key-order-17-1.png HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try await plain.hears("\r\n\r\n").hasPrefix("HTTP/1.1 200 "))
        }
        // What of the daemon's own comes and goes is fewer than the forty that have left.
        try await Self.settles(daemon, at: before + 10)
        try file.truncate(atOffset: UInt64(content.count))
        #expect(Stranger.status(try await ask().hears()) == 200)
        #expect(try Data(contentsOf: picture) == content)
        #expect(standIn.requests.count == 1)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("a client that leaves what is passed on to it lets the server go, too")
    func passedOn() async throws {
        let (ends, end) = AsyncStream<Void>.makeStream()
        // The server does not find out by itself.
        let server = try Server.start(limits: .patient) { (_: ServerRequest) in
            Response(
                status: 200,
                body: .stream(.chunked) { writer in
                    defer { end.yield() }
                    while true { try await writer.write([UInt8](repeating: 0x20, count: 64 << 10)) }
                })
        }
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: "http://127.0.0.1:\(server.port)")
        do {
            let stranger = try await Stranger(at: visitor.url)
            try await stranger.send("GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try await stranger.hears("\r\n\r\n").hasPrefix("HTTP/1.1 418 "))
        }
        #expect(await ends.first { _ in true } != nil)
        #expect(try await daemon.stop() == 0)
        await server.stop()
    }

    @Test("a client that ends its sending behind its request, as nc -N does, waits for its picture and gets it")
    func halfClosed() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        try Data().write(to: spool.path("PAUSE"))
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let stranger = try await Stranger(at: visitor.url)
        try await stranger.send("\(Self.key)Content-Length: \(smallJob().utf8.count)\r\n\r\n\(smallJob())")
        stranger.endSending()
        try await daemon.says("accepted", "key-order-17")
        // By now the door has seen it: it answers others behind it.
        #expect(try await visitor.get("/spool/v1/jobs/key-order-17").json["state"] as? String == "queued")
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        let answer = try await stranger.hears()
        #expect(Stranger.status(answer) == 200, "\(answer)")
        #expect(answer.contains("\"images\": [\""))
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }
}
