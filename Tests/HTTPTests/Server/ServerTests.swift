import Linux
import Synchronization
import Testing

@testable import HTTP

/// Answers with what it understood, or does what the path asks for.
private func echo(_ request: Request) async -> Response {
    switch request.path {
    case "/fin": return .hangUp(reset: false)
    case "/rst": return .hangUp(reset: true)
    case "/teapot": return Response(status: 418)
    case "/empty": return Response(status: 204)
    case "/split": return Response(status: 200, headers: ["X": "a\r\nSet-Cookie: b"])
    case "/chunked", "/sized", "/closed", "/short", "/long", "/cut", "/torn":
        let framings: [String: Response.Framing] = [
            "/sized": .length(6), "/short": .length(9), "/long": .length(5), "/closed": .close,
        ]
        let body = Response.Body.stream(framings[request.path] ?? .chunked) { writer in
            try await writer.write("abc".utf8)
            try await writer.write("".utf8)
            if request.path == "/cut" { throw AbortResponse(reset: false) }
            if request.path == "/torn" { throw AbortResponse(reset: true) }
            try await writer.write("def".utf8)
        }
        return Response(status: 200, body: body)
    default:
        let said = "\(request.method) \(request.path) \(String(decoding: request.body, as: UTF8.self))"
        return Response(status: 200, headers: ["Content-Type": "text/plain"], body: .bytes(Array(said.utf8)))
    }
}

@Suite("The server", .timeLimit(.minutes(60)))
struct ServerTests {
    /// What comes back on one connection for these bytes; the server has to end it.
    static func exchange(_ bytes: String, limits: Limits = .patient) async throws -> (
        text: String, wasReset: Bool
    ) {
        let server = try Server.start(limits: limits, handler: echo)
        let client = try await Client(port: server.port)
        try await client.send(bytes)
        let text = try await client.read()
        await server.stop()
        return (text, client.wasReset)
    }

    static let end = "Host: a\r\nConnection: close\r\n\r\n"

    @Test("answers with date, length and reason")
    func answer() async throws {
        let (text, _) = try await Self.exchange("GET /a HTTP/1.1\r\n\(Self.end)")
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines[0] == "HTTP/1.1 200 OK")
        #expect(lines[1].hasPrefix("Date: ") && lines[1].hasSuffix(" GMT"))
        #expect(
            lines[2...] == [
                "Content-Type: text/plain", "Content-Length: 7", "Connection: close", "", "GET /a ",
            ])
    }

    @Test("writes dates as RFC 9110 wants them")
    func date() {
        #expect(Response.date(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
    }

    @Test("keeps a connection for the next request")
    func keepAlive() async throws {
        let server = try Server.start(limits: .patient, handler: echo)
        let client = try await Client(port: server.port)
        for number in 1...3 {
            try await client.send("POST /\(number) HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
            let answer = try await client.read(through: "POST /\(number) hi")
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        }
        await server.stop()
        #expect(try await client.read() == "")
    }

    @Test("answers requests that were sent ahead in their order, whatever their framing")
    func pipelining() async throws {
        let (text, _) = try await Self.exchange(
            "\r\nGET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "3\r\nabc\r\n0\r\n\r\nHEAD /3 HTTP/1.1\r\nHost: a\r\n\r\nPOST /4 HTTP/1.1\r\nContent-Length: 1\r\n\(Self.end)x"
        )
        #expect(text.components(of: "HTTP/1.1 200 OK\r\n") == 4)
        let bodies = ["GET /1 ", "POST /2 abc", "POST /4 x"]
        #expect(bodies.allSatisfy { text.contains($0) })
        #expect(!text.contains("HEAD /3"))
        #expect(text.contains("Content-Length: 8\r\n"))
    }

    @Test(
        "takes a request apart into the same pieces however slowly it comes",
        arguments: [
            "POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\n\r\n"
        ])
    func byteByByte(request: String) async throws {
        let server = try Server.start(limits: .patient, handler: echo)
        let client = try await Client(port: server.port)
        for byte in request.utf8 {
            try await client.send([byte])
            await Task.yield()
        }
        #expect(try await client.read().hasSuffix("\r\n\r\nPOST /x b"))
        await server.stop()
    }

    static let refusals: [(String, Int)] = [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\n\n", 400),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
            400
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
            400
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
            501
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
            400
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabGET /smuggled HTTP/1.1\r\n\r\n",
            400
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\nExpect: 100-continue\r\n\r\n", 413),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n", 413),
        ("GET / HTTP/1.1\r\nX: \(String(repeating: "x", count: 5000))\r\n\r\n", 431),
        ("GET / HTTP/1.1\r\nX: \(String(repeating: "x", count: 5000))", 431),
        ("GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
    ]

    @Test("refuses once, with the right status, and ends the connection", arguments: refusals)
    func refusal(request: String, status: Int) async throws {
        var limits = Limits.patient
        limits.body = 100
        limits.head = 4 << 10
        let server = try Server.start(limits: limits, handler: echo)
        let client = try await Client(port: server.port)
        try await client.send(request)
        let text = try await client.read(through: "\r\n\r\n")
        #expect(text.hasPrefix("HTTP/1.1 \(status) "))
        #expect(text.contains("\r\nConnection: close\r\n"))
        client.endSending()
        let rest = try await client.read()
        #expect(!rest.contains("Date:"))
        await server.stop()
    }

    @Test("invites a body that waits for the word")
    func expectation() async throws {
        let server = try Server.start(limits: .patient, handler: echo)
        let client = try await Client(port: server.port)
        try await client.send("POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\(Self.end)")
        #expect(try await client.read(through: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
        try await client.send("hi")
        #expect(try await client.read().hasSuffix("POST / hi"))
        await server.stop()
    }

    static let slow: [(String, String)] = [
        ("GET / HT", "HTTP/1.1 408 "),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx", "HTTP/1.1 408 "),
        ("", ""), ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 "),
    ]

    @Test(
        "gives up on a slow head and on a slow body with 408, and on silence without a word", arguments: slow)
    func slowness(request: String, start: String) async throws {
        let listening = try Descriptor.listening(on: .loopback(port: 0))
        let client = try await Client(port: try listening.boundPort())
        try await client.send(request)
        _ = await Readiness.wait(listening, for: .reading, atMost: patience)
        guard let socket = try listening.acceptConnection() else {
            Issue.record("nobody came")
            return
        }
        // What is sent is there before somebody waits for it.
        if !request.isEmpty { _ = await Readiness.wait(socket, for: .reading, atMost: patience) }
        let box = DescriptorBox(socket)
        let serving = Task {
            guard let socket = box.take() else { return }
            var limits = Limits()
            limits.headTime = .milliseconds(500)
            limits.bodyTime = .milliseconds(100)
            limits.idleTime = .milliseconds(100)
            await Connection(socket: BufferedSocket(owning: socket), limits: limits) { incoming in
                await echo(try await Request(incoming))
            }.serve()
        }
        let text = try await client.read()
        await serving.value
        #expect(text.hasPrefix(start))
        #expect(text.isEmpty == start.isEmpty)
    }

    @Test("has no body for HEAD, for 204, and knows what a teapot says")
    func bodyless() async throws {
        #expect(try await Self.exchange("HEAD /sized HTTP/1.1\r\n\(Self.end)").text.hasSuffix("\r\n\r\n"))
        let empty = try await Self.exchange("GET /empty HTTP/1.1\r\n\(Self.end)").text
        #expect(empty.hasPrefix("HTTP/1.1 204 No Content\r\n") && !empty.contains("Content-Length"))
        #expect(
            try await Self.exchange("GET /teapot HTTP/1.1\r\n\(Self.end)").text.hasPrefix(
                "HTTP/1.1 418 I'm a teapot\r\n"))
    }

    @Test("lets no value of a field write another field")
    func splitting() async throws {
        let text = try await Self.exchange("GET /split HTTP/1.1\r\n\(Self.end)").text
        #expect(text.contains("\r\nX: a  Set-Cookie: b\r\n"))
    }

    static let streams: [(String, String, Bool)] = [
        ("/chunked", "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n", false), ("/sized", "abcdef", false),
        ("/closed", "abcdef", false),
        ("/short", "abcdef", false), ("/long", "abc", false), ("/cut", "3\r\nabc\r\n", false),
    ]

    @Test(
        "streams in the framing that was asked for, and leaves out the end where the stream fails",
        arguments: streams)
    func stream(path: String, body: String, wasReset: Bool) async throws {
        let (text, reset) = try await Self.exchange("GET \(path) HTTP/1.1\r\n\(Self.end)")
        #expect(text.hasSuffix("\r\n\r\n" + body))
        #expect(reset == wasReset)
    }

    @Test("streams to a client of HTTP/1.0 without chunks")
    func oldStream() async throws {
        let text = try await Self.exchange("GET /chunked HTTP/1.0\r\n\r\n").text
        #expect(text.hasSuffix("\r\n\r\nabcdef") && !text.contains("chunked"))
    }

    @Test("hangs up, or resets, without a byte")
    func hangUp() async throws {
        let fin = try await Self.exchange("GET /fin HTTP/1.1\r\n\(Self.end)")
        #expect(fin.text == "" && !fin.wasReset)
        let rst = try await Self.exchange("GET /rst HTTP/1.1\r\n\(Self.end)")
        #expect(rst.text == "" && rst.wasReset)
        #expect(try await Self.exchange("GET /torn HTTP/1.1\r\n\(Self.end)").wasReset)
    }

    @Test("answers 503 where there are too many connections, and serves again when one has ended")
    func tooMany() async throws {
        var limits = Limits.patient
        limits.connections = 1
        let server = try Server.start(limits: limits, handler: echo)
        let first = try await Client(port: server.port)
        try await first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = try await first.read(through: "GET / ")
        let second = try await Client(port: server.port)
        #expect(try await second.read().hasPrefix("HTTP/1.1 503 "))
        second.endSending()
        try await first.send("GET /last HTTP/1.1\r\n\(Self.end)")
        _ = try await first.read()
        var text = ""
        repeat {
            let third = try await Client(port: server.port)
            // What is far too much is cut off without an answer.
            try? await third.send("GET /again HTTP/1.1\r\n\(Self.end)")
            text = (try? await third.read()) ?? ""
        } while text.isEmpty || text.hasPrefix("HTTP/1.1 503 ")
        #expect(text.hasSuffix("GET /again "))
        await server.stop()
    }

    @Test("serves many clients that wait at once, and cancels their handlers when it stops")
    func manyWaiting() async throws {
        let waiting = Atomic(0)
        let cancelled = Atomic(0)
        let (arrivals, arrival) = AsyncStream<Void>.makeStream()
        let server = try Server.start(limits: .patient) { (_: Request) in
            waiting.add(1, ordering: .relaxed)
            arrival.yield()
            do { try await Task.sleep(for: .seconds(3600)) } catch { cancelled.add(1, ordering: .relaxed) }
            return Response(status: 200)
        }
        var clients: [Client] = []
        for _ in 0..<100 {
            let client = try await Client(port: server.port)
            try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            clients.append(client)
        }
        var arrived = arrivals.makeAsyncIterator()
        for _ in clients { await arrived.next() }
        await server.stop()
        #expect(waiting.load(ordering: .relaxed) == 100)
        #expect(cancelled.load(ordering: .relaxed) == 100)
        // It is closed, and may be another test's in the next moment.
        while (try? await Client(port: server.port)) != nil {}
    }

    @Test("waits on for a client that has only ended its sending, and not for one that is gone")
    func departures() async throws {
        let (events, event) = AsyncStream<String>.makeStream()
        let (gate, open) = AsyncStream<Void>.makeStream()
        let server = try Server.start(limits: .patient) { incoming in
            let disconnect = try incoming.disconnect()
            event.yield("\(incoming.path) came")
            let isGone = await withTaskGroup(of: Bool.self) { group in
                group.addTask {
                    await disconnect.wait()
                    return true
                }
                if incoming.path == "/brief" {
                    group.addTask {
                        for await _ in gate {}
                        return false
                    }
                }
                defer { group.cancelAll() }
                return await group.next() ?? false
            }
            event.yield("\(incoming.path) \(isGone ? "is gone" : "is there")")
            return Response(status: 200, body: .bytes(Array((isGone ? "gone" : "there").utf8)))
        }
        let half = try await Client(port: server.port)
        try await half.send("GET /brief HTTP/1.1\r\n\(Self.end)")
        half.endSending()
        var heard = events.makeAsyncIterator()
        #expect(await heard.next() == "/brief came")
        for more in ["", "GET /"] {
            do {
                let other = try await Client(port: server.port)
                try await other.send("GET /long HTTP/1.1\r\nHost: a\r\n\r\n\(more)")
                #expect(await heard.next() == "/long came")
                try other.resetWhenClosed()
            }
            #expect(await heard.next() == "/long is gone")
        }
        // Those who left later were missed, and it was not.
        open.finish()
        #expect(await heard.next() == "/brief is there")
        #expect(try await half.read().hasSuffix("there"))
        await server.stop()
    }

    @Test(
        "waits for a body for as long as it keeps up with its pace, and at no time longer than for a pause",
        arguments: [
            (0, 0, 30), (0, 10, 20), (0, 30, 0), (0, 40, -10), (1 << 10, 0, 30), (1 << 10, 30, 1), (10 << 10, 39, 1),
            (10 << 10, 40, 0), (10 << 10, 41, -1), (1 << 30, 1000, 30), (512, 30, 0.5),
        ] as [(Int, Int, Double)])
    func pace(received: Int, waited: Int, patience: Double) {
        #expect(Limits().patience(behind: received, waited: .seconds(waited)) == .seconds(patience))
    }

    @Test("carries a large body both ways")
    func large() async throws {
        var limits = Limits.patient
        limits.body = 8 << 20
        let server = try Server.start(limits: limits) { Response(status: 200, body: .bytes($0.body)) }
        let client = try await Client(port: server.port)
        let body = String(repeating: "0123456789abcdef", count: 256 << 10)
        try await client.send("POST / HTTP/1.1\r\nContent-Length: \(body.utf8.count)\r\n\(Self.end)\(body)")
        #expect(try await client.read().hasSuffix("\r\n\r\n\(body)"))
        await server.stop()
    }

    @Test("says why it cannot listen")
    func taken() async throws {
        let server = try Server.start(limits: .patient, handler: echo)
        #expect(throws: SystemError(call: "bind", code: 98, path: "127.0.0.1:\(server.port)")) {
            try Server.start(on: .loopback(port: server.port), handler: echo)
        }
        #expect(throws: SystemError.self) {
            try Server.start(on: SocketAddress(host: "nowhere", port: 0), handler: echo)
        }
        await server.stop()
    }
}

@Suite("Waiting for a descriptor", .timeLimit(.minutes(60)))
struct ReadinessTests {
    @Test("ends when the task is cancelled, before or during the wait")
    func cancellation() async throws {
        for _ in 0..<100 {
            let wait = Task {
                let socket = try Descriptor.listening(on: .loopback(port: 0))
                return await Readiness.wait(socket, for: .reading, atMost: .seconds(3600))
            }
            wait.cancel()
            #expect(try await wait.value == .cancelled)
        }
    }

    @Test("ends when the time is over")
    func time() async throws {
        let socket = try Descriptor.listening(on: .loopback(port: 0))
        #expect(await Readiness.wait(socket, for: .reading, atMost: .milliseconds(1)) == .timedOut)
        #expect(await Readiness.wait(socket, for: .reading, atMost: .seconds(-1)) == .timedOut)
    }
}

extension String {
    /// How often `part` is in it.
    fileprivate func components(of part: String) -> Int {
        let bytes = Array(utf8)
        let wanted = Array(part.utf8)
        return bytes.indices.filter { bytes[$0...].starts(with: wanted) }.count
    }
}
