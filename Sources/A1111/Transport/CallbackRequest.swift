// One POST to somebody who is no server of ours and waits for a word: the same two ways as to A1111, and the status of the
// answer, which is all that counts of it.

import A1111API
@preconcurrency import Dispatch
import Foundation
import FoundationNetworking
import HTTP
import Linux

/// Something that is told to a URL.
package struct CallbackRequest: Sendable {
    /// Where; without credentials.
    package var url: URL
    /// The value of the Authorization header.
    package var authorization: String?
    /// Whom it is told, for words about failures.
    package var receiver: String
    /// Beside Content-Type and User-Agent.
    package var headers: [(name: String, value: String)]
    /// Of the body.
    package var contentType: String
    /// What is told.
    package var body: RequestBody
    /// Where the receiver does not take it.
    package var patience = SendLimits()

    /// As its parts say.
    package init(
        to url: URL, authorization: String?, receiver: String, headers: [(name: String, value: String)],
        contentType: String, body: RequestBody
    ) {
        self.url = url
        self.authorization = authorization
        self.receiver = receiver
        self.headers = headers
        self.contentType = contentType
        self.body = body
    }

    /// For all of it: pictures may go at 1 MiB a second.
    private var timeout: Duration { TimeLimit.with(.seconds(30 + body.length >> 20)) }

    /// Sends it once and gives the status of the answer, whatever the answer holds. A redirect is an answer like any other.
    ///
    /// Throws ``Failure`` where there was none, ``SystemError`` where there are no descriptors, CancellationError.
    ///
    /// - Parameter peers: where to connect to; `nil` where only TLS can tell who is there: it looks the name up itself.
    package func send(to peers: [ResolvedAddress]?) async throws -> Int {
        let endpoint = try Endpoint(named: "/", method: "POST", bodyKeys: [])
        let reader = AnswerReader(endpoint: endpoint, server: receiver, reader: nil)
        let transport: any Transport =
            if let peers {
                try SocketTransport(
                    plainRequest(to: peers), server: receiver, reader: reader, on: nil, silence: nil, patience: patience
                )
            } else {
                URLSessionTransport(
                    try secureRequest(), server: receiver, reader: reader, silence: nil, patience: patience.stall)
            }
        try Task.checkCancellation()
        let timeout = timeout
        let deadline = DispatchWorkItem { [receiver] in
            transport.giveUp(because: Failure(.temporary, "no answer from \(receiver) within \(timeout)"))
        }
        Client.deadlines.asyncAfter(deadline: .now() + timeout / .seconds(1), execute: deadline)
        defer { deadline.cancel() }
        do {
            return try await withTaskCancellationHandler {
                try await transport.run().status
            } onCancel: {
                transport.giveUp(because: CancellationError())
            }
        } catch let failure as Failure {
            // What it says beside its status, and how, is for others to read.
            guard let status = failure.status else { throw failure }
            return status
        }
    }

    private var allHeaders: [(name: String, value: String)] {
        var all = [
            ("Accept", "*/*"), ("Accept-Encoding", "identity"), ("User-Agent", "sdspool"),
            ("Content-Type", contentType),
        ]
        if let authorization { all.append(("Authorization", authorization)) }
        return all + headers
    }

    private func plainRequest(to peers: [ResolvedAddress]) -> ClientRequest {
        let path = url.path(percentEncoded: true)
        let target = (path.isEmpty ? "/" : path) + (url.query(percentEncoded: true).map { "?\($0)" } ?? "")
        let host = (url.host() ?? "").trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        var request = ClientRequest(
            method: "POST", target: target, host: host, port: UInt16(url.port ?? 80), headers: allHeaders,
            body: body.pieces)
        request.peers = peers
        return request
    }

    private func secureRequest() throws -> URLRequest {
        var request = URLRequest(url: url)
        request.httpMethod = "POST"
        // As in Client: nothing is sent twice in silence.
        request.setValue("close", forHTTPHeaderField: "Connection")
        for header in allHeaders { request.setValue(header.value, forHTTPHeaderField: header.name) }
        request.httpBody = try body.whole
        return request
    }
}
