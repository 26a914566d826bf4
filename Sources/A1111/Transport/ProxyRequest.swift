// A request of somebody else, passed on to the server as it is, and the answer handed back as it comes.

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
    /// it. Over https the body comes in one piece, see ``URLSessionProxy``.
    ///
    /// Throws ``Failure`` where no whole answer comes, and what the closures throw.
    nonisolated(nonsending) package func relay(
        _ request: ProxyRequest, onHead: (_ status: Int, _ headers: Headers) throws -> Void,
        onBody: nonisolated(nonsending) (ArraySlice<UInt8>) async throws -> Void
    ) async throws {
        var headers = request.headers
        if let authorization = server.authorization { headers.append(("Authorization", authorization)) }
        if server.url.scheme == "https" {
            let (data, answer) = try await URLSessionProxy.answer(
                to: request, headers, of: server, patience: sendLimits.stall)
            try onHead(
                answer.statusCode, URLSessionProxy.fields(of: answer, to: request.method, length: data.count))
            return try await onBody(Array(data)[...])
        }
        let body = request.body.map { body in
            [
                BodyPiece(length: body.count) {
                    Array(body[body.startIndex + $0.lowerBound..<body.startIndex + $0.upperBound])
                }
            ]
        }
        let outgoing = ClientRequest(
            method: request.method, target: server.url.path + request.target, host: server.host, port: server.port,
            headers: headers, body: body)
        var status: Int?
        do {
            try await outgoing.exchange(
                connectTimeout: Self.connectTimeout, pace: Self.patience, patience: sendLimits,
                onHead: { head in
                    status = head.status
                    try onHead(head.status, head.headers)
                }, onBody: onBody)
        } catch let failure as ExchangeFailure {
            throw Failure(failure, server: server.description, status: status)
        }
    }

    /// What is passed on may be a stream in which seldom anything happens.
    private static let patience = MinimumRate(bytes: 1, window: .seconds(3600))
}
