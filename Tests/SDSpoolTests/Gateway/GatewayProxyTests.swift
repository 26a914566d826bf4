// What is passed on to a server that says nothing, or says it in its own way.

import Foundation
import HTTP
import Linux
import StandIn
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(60)), .witnessed) struct GatewayProxyTests {
    private static let request = "GET /sdapi/v1/progress HTTP/1.1\r\nHost: localhost\r\n\r\n"

    /// The door at the server, with its request. Who only looks whether somebody listens, as the daemon does, says nothing.
    private static func gateway(at listening: borrowing Descriptor) async throws -> Stranger {
        while true {
            let caller = try await Stranger.caller(at: listening)
            if try await caller.hears("\r\n\r\n").hasPrefix("GET /sdapi/v1/progress ") { return caller }
        }
    }

    @Test(
        "a client that leaves while the server is silent, before its answer or in it, lets the server go",
        arguments: ["", "HTTP/1.1 200 OK\r\n\r\nhello"])
    func leaving(beginning: String) async throws {
        let listening = try Descriptor.listening(on: .loopback(port: 0))
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: "http://127.0.0.1:\(try listening.boundPort())")
        for _ in 0..<3 {
            let server: Stranger
            do {
                let client = try await Stranger(at: visitor.url)
                try await client.send(Self.request)
                server = try await Self.gateway(at: listening)
                try await server.send(beginning)
                if !beginning.isEmpty { #expect(try await client.hears("hello").hasPrefix("HTTP/1.1 418 ")) }
                try client.breaksOff()
            }
            // Returns when the door has closed it.
            _ = try await server.hears()
        }
        #expect(try await daemon.stop() == 0)
    }

    @Test("a client that only ends its sending waits for what is passed on to it, and gets it")
    func halfClosed() async throws {
        let listening = try Descriptor.listening(on: .loopback(port: 0))
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: "http://127.0.0.1:\(try listening.boundPort())")
        let client = try await Stranger(at: visitor.url)
        try await client.send(Self.request)
        client.endSending()
        let server = try await Self.gateway(at: listening)
        // By now the door has seen it: it answers others behind it.
        #expect(try await visitor.get("/spool/v1/queue").status == 200)
        try await server.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        let answer = try await client.hears("hello")
        #expect(Stranger.status(answer) == 418 && answer.hasSuffix("\r\n\r\nhello"), "\(answer)")
        #expect(try await daemon.stop() == 0)
    }

    @Test("an answer that tells a length beside its chunks is passed on as its chunks have it")
    func bothFramings() async throws {
        let listening = try Descriptor.listening(on: .loopback(port: 0))
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: "http://127.0.0.1:\(try listening.boundPort())")
        async let answer = visitor.get("/sdapi/v1/progress")
        let server = try await Self.gateway(at: listening)
        try await server.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n")
        try await server.send("5\r\nhello\r\n0\r\n\r\n")
        #expect(try await answer.text == "hello")
        #expect(try await daemon.stop() == 0)
    }

    @Test("a server that was seen closed is asked nothing, by nobody, before its time of grace is over")
    func starting() async throws {
        let gone = try ReservedPort()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: gone.url, ["--server-grace", "3600"])
        try await daemon.says("waiting for")
        // The first who asks may be the one who finds it out.
        var away = try await visitor.get("/sdapi/v1/progress")
        while away.status == 502 { away = try await visitor.get("/sdapi/v1/progress") }
        #expect(away.status == 503 && away.headers["retry-after"] == "5", "\(away.text)")
        let standIn = try StandIn.start(port: gone.number, options: .init(stepTime: .zero))
        var starting = try await visitor.get("/sdapi/v1/progress")
        // The door may still go by a look that it began before the server was there.
        let end = ContinuousClock.now + deadline
        while starting.status == 503, !starting.text.contains("is starting"), ContinuousClock.now < end {
            starting = try await visitor.get("/sdapi/v1/progress")
        }
        #expect(starting.status == 503 && starting.text.contains("is starting"), "\(starting.text)")
        #expect(starting.headers["retry-after"].flatMap { Int($0) }.map { (1...3600).contains($0) } == true)
        #expect(try await visitor.get("/agent-scheduler/v1/samplers").status == 503)
        #expect(standIn.looks == 0)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("a server that was seen closed is asked when its time of grace is over")
    func started() async throws {
        let gone = try ReservedPort()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: gone.url, ["--server-grace", "2"])
        try await daemon.says("waiting for")
        while try await visitor.get("/sdapi/v1/progress").status == 502 {}
        let opened = ContinuousClock.now
        let standIn = try StandIn.start(port: gone.number, options: .init(stepTime: .zero))
        // Nobody tells when it may be asked, so it is tried.
        while try await visitor.get("/sdapi/v1/progress").status != 418 {
            try #require(ContinuousClock.now - opened < deadline)
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(ContinuousClock.now - opened >= .seconds(2))
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("a server that the daemon waits for because it was asked too often is asked how far it is all the same")
    func busy() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        try spool.drop("cat", smallJob(#""sketch": {"fault": "429", "times": 1000}"#))
        try await daemon.says("waiting for", "too often")
        for _ in 0..<3 { #expect(try await visitor.get("/sdapi/v1/progress").status == 418) }
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }
}
