import A1111API
import Foundation
import HTTP
import TestSupport
import Testing

@testable import A1111

@Suite("A client's request", .timeLimit(.minutes(60)))
struct ClientTransportTests {
    @discardableResult
    static func send(_ canned: Canned, _ body: Data?, to endpoint: Endpoint, credentials: String? = nil) async throws
        -> Reply
    {
        try await inFolder { folder in
            try await canned.client(credentials: credentials).send(
                body.map { RequestBody($0) }, to: endpoint, picturesInto: folder.directory, job: "cat",
                wantsPictures: false)
        }
    }

    @Test("asks for a connection of its own and a plain answer, and says who is there")
    func head() async throws {
        let canned = try Canned(json("{}".utf8))
        try await Self.send(canned, Data("{}".utf8), to: endpoint(), credentials: "user:päss")
        try await Self.send(canned, nil, to: endpoint("/a?b=%20c&d=[e]", method: "GET"))
        let requests = canned.requests
        #expect(requests.map(\.method) == ["POST", "GET"])
        #expect(requests[0].target == "/sdapi/v1/txt2img")
        #expect(requests[1].path == "/a")
        #expect(requests[1].query == "b=%20c&d=%5Be%5D")
        for request in requests {
            #expect(request.headers.all("connection").map { $0.lowercased() } == ["close"])
            #expect(request.headers.all("accept-encoding") == ["identity"])
            #expect(request.headers.all("host") == ["127.0.0.1:\(canned.server.port)"])
            #expect(request.headers["cookie"] == nil)
        }
        #expect(requests[0].headers.all("content-type") == ["application/json"])
        #expect(requests[0].headers.all("authorization") == ["Basic " + Data("user:päss".utf8).base64EncodedString()])
        #expect(requests[1].headers["authorization"] == nil)
        #expect(requests[1].body.isEmpty)
        await canned.server.stop()
    }

    @Test("goes behind the server's path prefix")
    func prefix() async throws {
        let canned = try Canned(json("{}".utf8))
        let address = try #require(ServerAddress("http://127.0.0.1:\(canned.server.port)/gpu/2/"))
        try await inFolder { folder in
            _ = try await Client(server: address, renderTimeout: nil).send(
                Data("{}".utf8), to: endpoint(), picturesInto: folder.directory, job: "cat", wantsPictures: false)
        }
        #expect(canned.requests.map(\.target) == ["/gpu/2/sdapi/v1/txt2img"])
        await canned.server.stop()
    }

    @Test("has the method that the job names", arguments: ["POST", "PUT", "PATCH", "DELETE"])
    func methods(method: String) async throws {
        let canned = try Canned(json("{}".utf8))
        try await Self.send(canned, Data("{\"a\":1}".utf8), to: endpoint("/x", method: method))
        #expect(canned.requests.map(\.method) == [method])
        #expect(canned.requests.map { String(decoding: $0.body, as: UTF8.self) } == ["{\"a\":1}"])
        await canned.server.stop()
    }

    @Test("has its body to the byte", arguments: [0, 1, 16 << 10, 1 << 20, 2_345_678])
    func body(count: Int) async throws {
        var generator = SeededGenerator(state: UInt64(count))
        let body = Data((0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) })
        let canned = try Canned(json("{}".utf8))
        try await Self.send(canned, body, to: endpoint())
        #expect(canned.requests.map { Data($0.body) } == [body])
        #expect(canned.requests[0].headers.all("content-length") == ["\(count)"])
        await canned.server.stop()
    }

    @Test("gets its own answer among many")
    func concurrent() async throws {
        let canned = try Canned { json(Array(#"{"echo":"#.utf8) + $0.body + Array("}".utf8)) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<32 {
                group.addTask {
                    let body = Data(#"{"number":\#(number)}"#.utf8)
                    let reply = try await Self.send(canned, body, to: endpoint())
                    #expect(reply.member("echo") == body)
                }
            }
            try await group.waitForAll()
        }
        #expect(canned.requests.count == 32)
        await canned.server.stop()
    }
}

@Suite("A client that is cancelled", .timeLimit(.minutes(60)))
struct ClientCancellationTests {
    @Test("gives up at once while it waits for an answer")
    func waiting() async throws {
        let canned = try Canned(answer: silence)
        try await inFolder { folder in
            let client = try canned.client(timeout: nil)
            let task = Task {
                try await client.send(
                    Data("{}".utf8), to: endpoint(), picturesInto: folder.directory, job: "cat")
            }
            await canned.arrival()
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try folder.names == [])
        }
        await canned.server.stop()
    }

    @Test("asks nothing where it was cancelled before")
    func before() async throws {
        let canned = try Canned(answer: silence)
        try await inFolder { folder in
            let client = try canned.client(timeout: .seconds(600))
            for _ in 0..<20 {
                let task = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    return try await client.send(
                        Data("{}".utf8), to: endpoint(), picturesInto: folder.directory, job: "cat")
                }
                await #expect(throws: CancellationError.self) { try await task.value }
            }
        }
        #expect(canned.requests.isEmpty)
        await canned.server.stop()
    }

    @Test("is never deaf, whenever the cancellation comes")
    func anytime() async throws {
        let canned = try Canned(answer: silence)
        try await inFolder { folder in
            let client = try canned.client(timeout: .seconds(600))
            for number in 0..<60 {
                let task = Task {
                    try await client.send(
                        Data("{}".utf8), to: endpoint(), picturesInto: folder.directory, job: "cat")
                }
                for _ in 0..<number { await Task.yield() }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
            }
        }
        await canned.server.stop()
    }

    /// A server that sends the first half of a reply, and the other half when the gate opens.
    static func halting(_ fixture: Data, gate: AsyncStream<Void>) throws -> Canned {
        try Canned(
            Response(
                status: 200, headers: ["Content-Type": "application/json"],
                body: .stream(.length(fixture.count)) { writer in
                    try await writer.write(fixture.prefix(fixture.count / 2))
                    for await _ in gate { break }
                    try await writer.write(fixture.dropFirst(fixture.count / 2))
                }))
    }

    @Test("still takes the end of an answer that has begun")
    func begun() async throws {
        let (gate, open) = AsyncStream<Void>.makeStream()
        let canned = try Self.halting(Fixture("txt2img-1.json").data, gate: gate)
        try await inFolder { folder in
            let client = try canned.client()
            let task = Task {
                try await client.send(
                    Data("{}".utf8), to: endpoint(), picturesInto: folder.directory, job: "cat")
            }
            try await firstFile(in: folder.directory)
            task.cancel()
            open.yield()
            #expect(try await task.value.pictures.map(\.file) == ["cat-1.png"])
            #expect(try folder.names == ["cat-1.png"])
        }
        await canned.server.stop()
    }

    @Test("does not wait long for the end of an answer that has begun")
    func stuck() async throws {
        let (gate, open) = AsyncStream<Void>.makeStream()
        let canned = try Self.halting(Fixture("txt2img-1.json").data, gate: gate)
        try await inFolder { folder in
            let client = try canned.client(grace: .milliseconds(100))
            let task = Task {
                try await client.send(
                    Data("{}".utf8), to: endpoint(), picturesInto: folder.directory, job: "cat")
            }
            try await firstFile(in: folder.directory)
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        open.finish()
        await canned.server.stop()
    }
}
