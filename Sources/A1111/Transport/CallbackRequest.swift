// One POST that tells a receiver of a job's end: by the same two transports as to A1111. Only the status of the answer counts.
//
// Promises: it is sent once, within a time that its length allows. Runs where the transport runs.
// Fails: as the transport does, where there was no answer.

import A1111API
import Foundation
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
        var request = ClientRequest(
            "POST", to: url, accept: "*/*", authorization: authorization, contentType: contentType, headers: headers,
            body: body)
        request.peers = peers
        let transport = try request.transport(to: url, server: receiver, reader: reader, patience: patience)
        do {
            return try await transport.run(within: timeout, failingAs: .temporary).status
        } catch let failure as Failure {
            // What it says beside its status, and how, is for others to read.
            guard let status = failure.status else { throw failure }
            return status
        }
    }
}
