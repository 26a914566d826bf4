// A request of a client of the gateway, passed on to the server as it is; the answer is handed back as it comes.
//
// Promises: nothing is followed, nothing is changed but the credentials. Runs where its caller runs.
// Fails: as the transports do, and with what the caller's closures throw.

import Foundation
import HTTP
import Linux

/// What is passed on.
package struct ProxyRequest: Sendable {
    /// As in the request line.
    package let method: String
    /// Path and query, as they were sent.
    package let target: String
    /// Of those of the sender what concerns the content.
    package let headers: [(name: String, value: String)]
    /// `nil` where there is none.
    package let body: Data?

    /// A request as its parts say.
    package init(method: String, target: String, headers: [(name: String, value: String)], body: Data?) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }
}

extension Client {
    /// Sends it, and hands on the head of the answer and each piece of the body. Nothing is followed and nothing is read into
    /// it. Over https the body comes in one piece, see ``ProxyAnswer``.
    ///
    /// Throws ``Failure`` where no whole answer comes, and what the closures throw.
    nonisolated(nonsending) package func relay(
        _ request: ProxyRequest, onHead: (_ status: Int, _ headers: Headers) throws -> Void,
        onBody: nonisolated(nonsending) (ArraySlice<UInt8>) async throws -> Void
    ) async throws {
        if server.url.scheme == "https" {
            let answer = try await wholeAnswer(to: request)
            try onHead(answer.status ?? 0, answer.fields(to: request.method))
            return try await onBody(Array(answer.body)[...])
        }
        var status: Int?
        do {
            try await outgoing(request).exchange(
                connectTimeout: Self.connectTimeout, pace: Self.patience, patience: sendLimits,
                onHead: { head in
                    status = head.status
                    try onHead(head.status, head.headers)
                }, onBody: onBody)
        } catch let failure as ExchangeFailure {
            throw Failure(failure, server: server.description, status: status)
        }
    }

    /// The answer by URLSession. Throws ``Failure``, and CancellationError when the task is cancelled.
    nonisolated(nonsending) func wholeAnswer(
        to request: ProxyRequest, cap: Int = ProxyAnswer.cap
    ) async throws -> ProxyAnswer {
        let text = server.url.absoluteString + request.target
        guard let url = URL(string: text, encodingInvalidCharacters: false) else {
            throw Failure(.permanent, "\(request.target) makes no URL on \(server)")
        }
        let transport = URLSessionTransport(
            try outgoing(request).urlRequest(to: url), server: server.description,
            sink: ProxyAnswer(server: server.description, cap: cap), patience: sendLimits.stall, pace: Self.patience)
        return try await transport.run(within: nil)
    }

    private func outgoing(_ request: ProxyRequest) -> ClientRequest {
        var headers = request.headers
        if let authorization = server.authorization { headers.append(("Authorization", authorization)) }
        return ClientRequest(
            method: request.method, target: server.url.path + request.target, host: server.host, port: server.port,
            headers: headers, body: request.body.map { [BodyPiece($0)] })
    }

    /// What is passed on may be a stream in which seldom anything happens.
    private static let patience = MinimumRate(bytes: 1, window: .seconds(3600))
}
