// What the door makes of bodies that do not come as they should, with a patience that tests can wait for.

import Foundation
import HTTP
import Linux
import Spool
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(60))) struct JobSubmissionTests {
    /// A client that sends blanks in so long pauses, or nothing more, and what it is answered.
    private static func answer(port: UInt16, pause: Duration?) async throws -> String {
        let socket = try #require(ResolvedAddress.all(of: "127.0.0.1", port: port).first).connect()
        _ = await Readiness.wait(socket, for: .writing, atMost: .seconds(600))
        let head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{\"prompt\": \"a\""
        _ = try socket.send(Array(head.utf8)[...])
        var answer: [UInt8] = []
        // One who goes on behind the answer is cut off.
        while let received = try? socket.receive(appendingTo: &answer, limit: 4 << 10), received != .end {
            guard received == .nothingYet else { continue }
            let readiness = await Readiness.wait(socket, for: .reading, atMost: pause ?? .seconds(600))
            if readiness == .timedOut { _ = try? socket.send([UInt8(ascii: " ")][...]) }
        }
        return String(decoding: answer, as: UTF8.self)
    }

    @Test(
        "a job that stops coming, or comes by drops, is given up with 408, and nothing of it stays in the inbox",
        arguments: [nil, .milliseconds(20)] as [Duration?])
    func slow(pause: Duration?) async throws {
        let path = FileManager.default.temporaryDirectory.path + "/sdspool-test-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let folders = try Spool(path: path)
        let submissions = JobSubmission(folders, JobTracker())
        var limits = Limits()
        limits.headTime = .seconds(600)
        limits.bodyTime = .milliseconds(300)
        let (drafts, draft) = AsyncStream<[String]>.makeStream()
        let server = try Server.start(limits: limits) { incoming in
            defer { draft.yield((try? FileManager.default.contentsOfDirectory(atPath: "\(path)/inbox")) ?? ["?"]) }
            let dropped = try await submissions.take(incoming, as: .txt2img)
            return Response(status: 200, body: .bytes(Array(dropped.name.bytes)))
        }
        #expect(try await Self.answer(port: server.port, pause: pause).hasPrefix("HTTP/1.1 408 "))
        #expect(await drafts.first { _ in true } == [])
        await server.stop()
    }
}
