// What the tests share: recorded answers, folders of their own, and servers that say what they are told to.

import A1111API
@preconcurrency import Dispatch
import Foundation
import HTTP
import Linux
import Synchronization
import Testing

@testable import A1111

/// An answer of a real AUTOMATIC1111 1.10.1, as it came.
struct Fixture: CustomTestStringConvertible {
    let name: String
    let data: Data

    init(_ name: String) throws {
        self.name = name
        data = try Self.file(name)
    }

    static func file(_ name: String) throws -> Data {
        try Data(contentsOf: URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/\(name)"))
    }

    /// Foundation's opinion of it, to compare with ours.
    var object: [String: Any] {
        get throws { try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any]) }
    }

    var pictures: [Data] {
        get throws {
            let object = try object
            let texts = try #require(object["images"] as? [String] ?? (object["image"] as? String).map { [$0] })
            return try texts.map { try #require(Data(base64Encoded: $0)) }
        }
    }

    var infotexts: [String] {
        get throws {
            let info = try #require(try object["info"] as? String)
            let inner = try JSONSerialization.jsonObject(with: Data(info.utf8)) as? [String: Any]
            return try #require(inner?["infotexts"] as? [String])
        }
    }

    var testDescription: String { name }
}

/// A folder of a test's own.
struct Scratch {
    let directory: Directory
    fileprivate let url: URL

    func content(_ name: String) throws -> Data { try Data(contentsOf: url.appending(path: name)) }

    static func subfolder(_ name: String, of directory: Directory) throws -> Directory {
        let name = try #require(FileName(bytes: name.utf8))
        try directory.makeDirectory(name)
        return try directory.directory(name)
    }

    /// All names, hidden ones, too.
    var names: [String] {
        get throws { try directory.entries().map(\.description).sorted() }
    }
}

/// Gives `body` an empty folder, which is gone afterwards.
func inFolder<Value>(_ body: (Scratch) async throws -> Value) async throws -> Value {
    let url = FileManager.default.temporaryDirectory.appending(path: "a1111-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: url) }
    return try await body(Scratch(directory: Directory(path: url.path), url: url))
}

/// A server that answers as it is told and remembers what it was asked.
final class Canned: Sendable {
    let server: Server
    private let record: Record

    private final class Record: Sendable {
        let requests = Mutex<[Request]>([])
    }

    /// One for each request that has come whole.
    let arrivals: AsyncStream<Void>

    /// - Parameter head: the longest head that it takes, in bytes.
    init(head: Int = 32 << 10, answer: @escaping @Sendable (Request) async -> Response) throws {
        let record = Record()
        let (arrivals, arrived) = AsyncStream<Void>.makeStream()
        var limits = Limits()
        limits.body = 64 << 20
        limits.head = head
        (limits.headTime, limits.bodyTime, limits.idleTime) = (.seconds(3600), .seconds(3600), .seconds(3600))
        // On a thread of its own: whatever keeps the threads of Swift busy holds up nobody here.
        server = try Server.start(limits: limits, threads: TaskQueueExecutor(label: "canned")) { incoming in
            let request = try await Request(incoming)
            record.requests.withLock { $0.append(request) }
            arrived.yield()
            return await answer(request)
        }
        self.record = record
        self.arrivals = arrivals
    }

    convenience init(_ answer: Response) throws { try self.init { _ in answer } }

    var requests: [Request] { record.requests.withLock { $0 } }

    func arrival() async { for await _ in arrivals { return } }

    func client(credentials: String? = nil, timeout: Duration? = nil, grace: Duration = .seconds(3600)) throws -> Client
    {
        try A1111Tests.client(port: server.port, credentials: credentials, timeout: timeout, grace: grace)
    }
}

/// One that waits for a busy machine, unless it is told otherwise.
///
/// - Parameter grace: that an answer which has begun has behind a cancellation.
func client(
    port: UInt16, credentials: String? = nil, timeout: Duration? = nil, grace: Duration = .seconds(3600)
) throws -> Client {
    let address = try #require(ServerAddress("http://127.0.0.1:\(port)", credentials: credentials))
    return Client(server: address, renderTimeout: timeout, queryTimeout: .seconds(3600), graceToFinish: grace)
}

/// Returns when there is a file in the folder.
func firstFile(in folder: Directory) async throws {
    let inotify = try Inotify()
    _ = try inotify.watch(folder, for: .created)
    let (wakes, wake) = AsyncStream<Void>.makeStream()
    let source = try #require(inotify.source(on: .global()) { wake.yield() })
    source.activate()
    defer { source.cancel() }
    if try folder.entries().isEmpty { for await _ in wakes { break } }
}

/// For what never ends by itself: until the server stops.
@Sendable func silence(_: Request) async -> Response {
    try? await Task.sleep(for: .seconds(3600))
    return .hangUp(reset: false)
}

func json(_ body: some Sequence<UInt8>, status: Int = 200) -> Response {
    Response(status: status, headers: ["Content-Type": "application/json"], body: .bytes(Array(body)))
}

func endpoint(_ path: String = "/sdapi/v1/txt2img", method: String? = "POST") throws -> Endpoint {
    try Endpoint(named: path, method: method, bodyKeys: [])
}

/// Sends a body and gives what it failed with.
func failure(
    _ client: Client, _ body: String = "{}", to endpoint: Endpoint, wantsPictures: Bool = true
) async throws -> Failure {
    try await inFolder { folder in
        try #require(
            await #expect(throws: Failure.self) {
                try await client.send(
                    Data(body.utf8), to: endpoint, picturesInto: folder.directory, job: "cat",
                    wantsPictures: wantsPictures)
            })
    }
}

extension Client {
    /// Sends a text.
    @discardableResult
    func send(
        _ body: Data, to endpoint: Endpoint, picturesInto folder: Directory, job: String, wantsPictures: Bool = true
    ) async throws -> Reply {
        try await send(
            RequestBody(body), to: endpoint, picturesInto: folder, job: job, wantsPictures: wantsPictures)
    }
}
