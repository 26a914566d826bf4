// Results that are sent to a URL.

import Foundation
import HTTP
import StandIn
import Synchronization
import TestSupport
import Testing

/// Somebody who waits for results.
final class Receiver: Sendable {
    private final class Box: Sendable { let requests = Mutex<[Request]>([]) }
    private let server: Server
    private let box: Box

    /// - Parameter answer: to the request of that number, from 0.
    init(port: UInt16 = 0, _ answer: @escaping @Sendable (Int) -> Response = { _ in Response(status: 204) }) throws {
        let box = Box()
        self.box = box
        server = try Server.own(port: port) { request in
            let number = box.requests.withLock { requests in
                requests.append(request)
                return requests.count - 1
            }
            return answer(number)
        }
    }

    var port: UInt16 { server.port }
    var requests: [Request] { box.requests.withLock { $0 } }
    func stop() async { await server.stop() }
}

@Suite(.witnessed) struct CallbackTests {
    private static func job(_ url: String, _ more: String = "") -> String {
        smallJob(#""sdspool": {"callback": "\#(url)"}"# + (more.isEmpty ? "" : ", \(more)"))
    }

    /// A daemon that does not wait for seconds.
    private static func daemon(_ spool: TestSpool, _ server: String, _ more: String...) async throws -> Program {
        await spool.takeSlot()
        let daemon = try Program(
            spool.arguments(server: server) + more, environment: ["SDSPOOL_CALLBACK_WAIT": "0.05"])
        try await daemon.says("ready:")
        return daemon
    }

    private static func outbox(_ spool: TestSpool) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: spool.path(".outbox").path)) ?? []
    }

    /// Returns when no message is left: what becomes of one is told before it is removed.
    private static func isForgotten(_ spool: TestSpool) async throws { try await spool.holds(0, in: ".outbox") }

    @Test("a result and an error are sent as they lie in the folder, with their ticket and state")
    func told() async throws {
        let (standIn, receiver) = (try StandIn.quick(), try Receiver())
        let spool = try TestSpool()
        let daemon = try await Self.daemon(spool, standIn.url)
        try spool.drop("good", Self.job("http://me:secret@localhost:\(receiver.port)/a/b?c=d"))
        try await daemon.says("http://localhost:\(receiver.port) was told the end of good")
        try spool.drop("bad", Self.job("http://127.0.0.1:\(receiver.port)", #""cfg_scale": "big""#))
        try await daemon.says("was told the end of bad")
        try await Self.isForgotten(spool)
        #expect(try await daemon.stop() == 0)
        #expect(receiver.requests.count == 2)
        for (request, file) in zip(receiver.requests, ["done/good/result.json", "failed/bad/error.json"]) {
            #expect(request.method == "POST")
            #expect(request.headers["Content-Type"] == "application/json")
            #expect(request.headers["SDSpool-State"] == String(file.prefix { $0 != "/" }))
            #expect(try Data(request.body) == Data(contentsOf: spool.path(file)))
            #expect(request.headers["SDSpool-Ticket"] == (try spool.document(file)["ticket"] as? String))
        }
        #expect(receiver.requests.map(\.target) == ["/a/b?c=d", "/"])
        let credentials = "Basic \(Data("me:secret".utf8).base64EncodedString())"
        #expect(receiver.requests.map { $0.headers["Authorization"] } == [credentials, nil])
        #expect(Self.outbox(spool).isEmpty)
        #expect(!daemon.lines.contains { $0.contains("secret") || $0.contains("/a/b") })
        let result = String(decoding: receiver.requests[0].body, as: UTF8.self)
        #expect(!result.contains("secret") && !result.contains("callback"))
        let requests = standIn.requests.map { String(decoding: $0.body, as: UTF8.self) }
        #expect(requests.allSatisfy { !$0.contains("secret") })
        await receiver.stop()
        await standIn.stop()
    }

    @Test("a receiver that is away or fails is told when it is back, also by the daemon behind one that was killed")
    func away() async throws {
        let standIn = try StandIn.quick()
        let port = try ReservedPort()
        let spool = try TestSpool()
        let killed = try await Self.daemon(spool, standIn.url)
        try spool.drop("cat", Self.job("http://127.0.0.1:\(port.number)"))
        try await killed.says("was not told the end of cat, trying again in", "Connection refused")
        killed.kill(SIGKILL)
        _ = try await killed.exitCode()
        #expect(Self.outbox(spool).count == 1)
        // Collected before it could be told.
        let result = try Data(contentsOf: spool.path("done/cat/result.json"))
        try FileManager.default.removeItem(at: spool.path("done/cat"))

        let second = try Receiver(port: port.number) { Response(status: $0 < 2 ? 503 : 200) }
        let daemon = try await Self.daemon(spool, standIn.url)
        try await daemon.says("was not told the end of cat", "it answered 503")
        try await daemon.says("was told the end of cat")
        try await Self.isForgotten(spool)
        #expect(try await daemon.stop() == 0)
        #expect(second.requests.map { Data($0.body) } == [result, result, result])
        #expect(Self.outbox(spool).isEmpty)
        #expect(standIn.requests.count == 1)
        await second.stop()
        await standIn.stop()
    }

    @Test(
        "an address that is not in somebody's own network is not told, unless it is named; its job is done all the same"
    )
    func refused() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await Self.daemon(spool, standIn.url, "--allow-callback", "192.0.2.1")
        try spool.drop("metadata", Self.job("http://169.254.169.254/latest"))
        try spool.drop("name", Self.job("https://localhost:1/x"))
        for name in ["metadata", "name"] { try await daemon.says("done \(name)") }
        try await daemon.says("http://169.254.169.254:80 will not be told", "no --allow-callback names it")
        try await daemon.says(
            "https://localhost:1 will not be told", "https by a name needs --allow-callback localhost")
        try await Self.isForgotten(spool)
        #expect(try await daemon.stop() == 0)
        #expect(Self.outbox(spool).isEmpty)
        await standIn.stop()
    }

    @Test("a redirect is not followed, and a receiver that says no is not asked again")
    func redirect() async throws {
        let (standIn, target) = (try StandIn.quick(), try Receiver())
        let place = "http://127.0.0.1:\(target.port)/"
        let receiver = try Receiver { number in
            number == 0 ? Response(status: 307, headers: ["Location": place]) : Response(status: 410)
        }
        let spool = try TestSpool()
        let daemon = try await Self.daemon(spool, standIn.url, "--in-flight", "1")
        for (name, status) in [("a", 307), ("b", 410)] {
            try spool.drop(name, Self.job("http://127.0.0.1:\(receiver.port)/"))
            try await daemon.says("will not be told the end of \(name): it answered \(status)")
        }
        try await Self.isForgotten(spool)
        #expect(try await daemon.stop() == 0)
        #expect(receiver.requests.count == 2)
        #expect(target.requests.isEmpty)
        #expect(Self.outbox(spool).isEmpty)
        for receiver in [receiver, target] { await receiver.stop() }
        await standIn.stop()
    }

    @Test("a form tells the end of a job whose pictures were collected before, without them")
    func collected() async throws {
        let standIn = try StandIn.quick()
        let port = try ReservedPort()
        let spool = try TestSpool()
        let killed = try await Self.daemon(spool, standIn.url)
        let callback = #"{"url": "http://127.0.0.1:\#(port.number)", "form": "multipart"}"#
        try spool.drop("cat", smallJob(#""sdspool": {"callback": \#(callback)}"#))
        try await killed.says("was not told the end of cat, trying again in")
        killed.kill(SIGKILL)
        _ = try await killed.exitCode()
        try FileManager.default.removeItem(at: spool.path("done/cat"))
        let second = try Receiver(port: port.number)
        let daemon = try await Self.daemon(spool, standIn.url)
        try await daemon.says("was told the end of cat")
        try await Self.isForgotten(spool)
        #expect(try await daemon.stop() == 0)
        let body = String(decoding: try #require(second.requests.first).body, as: UTF8.self)
        #expect(body.contains("\r\n\r\ncat\r\n") && body.contains("\r\n\r\ndone\r\n"))
        #expect(!body.contains("files"))
        #expect(Self.outbox(spool).isEmpty)
        await second.stop()
        await standIn.stop()
    }

    @Test("a form goes without what somebody has put in the place of a picture, however long that is")
    func replaced() async throws {
        let standIn = try StandIn.quick()
        let port = try ReservedPort()
        let spool = try TestSpool()
        let killed = try await Self.daemon(spool, standIn.url)
        let callback = #"{"url": "http://127.0.0.1:\#(port.number)", "form": "multipart"}"#
        try spool.drop("cat", smallJob(#""sdspool": {"callback": \#(callback)}, "batch_size": 3"#))
        try await killed.says("was not told the end of cat, trying again in")
        killed.kill(SIGKILL)
        _ = try await killed.exitCode()
        // Some filesystems take no file of 2^63-1 bytes; the limit is met by the others as well.
        #expect(truncate(spool.path("done/cat/cat-1.png").path, 1 << 40) == 0)
        _ = truncate(spool.path("done/cat/cat-1.png").path, .max)
        try FileManager.default.removeItem(at: spool.path("done/cat/cat-2.png"))
        try FileManager.default.createDirectory(
            at: spool.path("done/cat/cat-2.png"), withIntermediateDirectories: false)
        let second = try Receiver(port: port.number)
        let daemon = try await Self.daemon(spool, standIn.url)
        try await daemon.says("was told the end of cat")
        #expect(try await daemon.stop() == 0)
        let body = String(decoding: try #require(second.requests.first).body, as: UTF8.self)
        #expect(!body.contains("cat-1.png") && !body.contains("cat-2.png") && body.contains("cat-3.png"))
        await second.stop()
        await standIn.stop()
    }

    @Test("what is no URL makes the file no job")
    func wrong() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await Self.daemon(spool, standIn.url)
        try spool.drop("cat", Self.job("ftp://me:secret@host"))
        try await daemon.says("refused cat", "\"callback\" must be a URL")
        #expect(try await daemon.stop() == 0)
        #expect(!daemon.lines.contains { $0.contains("secret") })
        #expect(try !String(contentsOf: spool.path("failed/cat/error.json"), encoding: .utf8).contains("secret"))
        await standIn.stop()
    }
}
