// The one builder of requests to a URL: over a plain connection (``ClientRequest``) or by URLSession, which brings TLS.

import Foundation
import FoundationNetworking
import HTTP
import Linux

extension ClientRequest {
    /// A request that asks for an answer as it is, and says who sends it.
    init(
        _ method: String, to url: URL, accept: String, authorization: String?, contentType: String,
        headers: [(name: String, value: String)] = [], body: RequestBody?
    ) {
        // RFC 9112 section 3.2.1: the path and the query, escaped.
        let path = url.path(percentEncoded: true)
        let target = (path.isEmpty ? "/" : path) + (url.query(percentEncoded: true).map { "?\($0)" } ?? "")
        var all = [("Accept", accept), ("Accept-Encoding", "identity"), ("User-Agent", "sdspool")]
        if let authorization { all.append(("Authorization", authorization)) }
        if body != nil { all.append(("Content-Type", contentType)) }
        self.init(
            method: method, target: target, host: url.host(percentEncoded: false) ?? "", port: UInt16(url.port ?? 80),
            headers: all + headers, body: body?.pieces)
    }

    /// The same request for URLSession, which takes a body only as a whole. Throws what reading the body throws.
    func urlRequest(to url: URL) throws -> URLRequest {
        var request = URLRequest(url: url)
        request.httpMethod = method
        // Idle time, 60 s by default: a render is silent for as long as it takes.
        request.timeoutInterval = 7 * 24 * 3600
        // libcurl sends a request again in silence when a connection that was kept alive turns out to be closed: a
        // POST that had killed the server would render twice.
        request.setValue("close", forHTTPHeaderField: "Connection")
        for header in headers { request.setValue(header.value, forHTTPHeaderField: header.name) }
        request.httpBody = try body.map { try RequestBody(pieces: $0).whole }
        return request
    }

    /// The transport for the scheme of `url`, which is where this request goes. Throws ``SystemError`` where there are no
    /// descriptors.
    ///
    /// - Parameter thread: where a plain connection waits; `nil` for a thread of its own.
    func transport(
        to url: URL, server: String, reader: consuming AnswerReader, on thread: SerialQueueExecutor? = nil,
        silence: FirstByteTimer? = nil, patience: SendLimits, admission: Admission? = nil
    ) throws -> any Transport<A1111.Answer> {
        guard url.scheme == "https" else {
            return try SocketTransport(
                self, server: server, reader: reader, on: thread, silence: silence, patience: patience,
                admission: admission)
        }
        return URLSessionTransport(
            try urlRequest(to: url), server: server, sink: reader, silence: silence, patience: patience.stall)
    }
}
