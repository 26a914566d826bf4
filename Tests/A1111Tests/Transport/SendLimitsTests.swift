// Servers and receivers that take nothing of what they are sent.

import A1111API
import Foundation
import FoundationNetworking
import HTTP
import Linux
import Testing

@testable import A1111

@Suite("A body that nobody takes is given up", .timeLimit(.minutes(5)))
struct SendLimitsTests {
    /// More than kernels hold for both ends.
    private static let body = Data(repeating: 0x20, count: 24 << 20)
    private static let patience = SendLimits(stall: .milliseconds(200), answer: .milliseconds(200))

    /// What `send` fails with at a server that lets everybody in and never reads.
    private static func failure(_ send: (ServerAddress) async throws -> Void) async throws -> Failure {
        // The kernel lets them in.
        let listening = try Descriptor.listening(on: .loopback(port: 0))
        let address = try #require(ServerAddress("http://127.0.0.1:\(try listening.boundPort())"))
        return try #require(await #expect(throws: Failure.self) { try await send(address) })
    }

    @Test("a job's, which may be tried again")
    func job() async throws {
        let failure = try await Self.failure { address in
            let client = Client(server: address, renderTimeout: nil, sendLimits: Self.patience)
            _ = try await client.query("/sdapi/v1/txt2img", body: Self.body, timeout: .seconds(3600))
        }
        #expect(failure.class == .ambiguous)
        #expect(failure.message.contains("broke before it had answered: send: Connection timed out (ETIMEDOUT)"))
    }

    @Test("one that is passed on")
    func relayed() async throws {
        let failure = try await Self.failure { address in
            let client = Client(server: address, renderTimeout: nil, sendLimits: Self.patience)
            let request = ProxyRequest(method: "POST", target: "/", headers: [], body: Self.body)
            try await client.relay(request, onHead: { _, _ in }, onBody: { _ in })
        }
        #expect(failure.message.contains("(ETIMEDOUT)"), "\(failure.message)")
    }

    @Test("a callback's, long before its time for an answer is over")
    func callback() async throws {
        let failure = try await Self.failure { address in
            var notice = CallbackRequest(
                to: address.url, authorization: nil, receiver: "somebody", headers: [], contentType: "text/plain",
                body: RequestBody(Self.body))
            notice.patience = Self.patience
            _ = try await notice.send(to: ResolvedAddress.all(of: "127.0.0.1", port: address.port))
        }
        #expect(failure.message.contains("(ETIMEDOUT)"), "\(failure.message)")
    }

    // URLSession, which carries https, carries this all the same.

    @Test("a job's, over https")
    func secureJob() async throws {
        let failure = try await Self.failure { address in
            var request = URLRequest(url: address.url)
            request.httpMethod = "POST"
            request.timeoutInterval = 3600
            request.httpBody = Self.body
            let endpoint = try Endpoint(named: "/", method: "POST", bodyKeys: [])
            let transport = URLSessionTransport(
                request, server: "\(address)", sink: AnswerReader(endpoint: endpoint, server: "", reader: nil),
                silence: nil, patience: Self.patience.stall)
            _ = try await transport.run()
        }
        #expect(failure.class == .ambiguous)
        #expect(failure.message.contains("took nothing of the request for 0.2 seconds"), "\(failure.message)")
    }

    @Test("one that is passed on over https")
    func secureRelay() async throws {
        let failure = try await Self.failure { address in
            let client = Client(server: address, renderTimeout: nil, sendLimits: Self.patience)
            let request = ProxyRequest(method: "POST", target: "/", headers: [], body: Self.body)
            _ = try await client.wholeAnswer(to: request)
        }
        #expect(failure.message.contains("took nothing of the request for 0.2 seconds"), "\(failure.message)")
    }
}
