// An answer to a proxied request over https, held whole: URLSession reads as fast as the server sends, however slowly the
// client takes it.
//
// Promises: at most `cap` bytes are held. Any status is an answer: redirects, and requests for credentials, because ours
// were sent. Runs on the queue of the URLSession.
// Fails: "longer than … bytes", "gave no answer", "is broken".

import Foundation
import HTTP

/// Collects the answer, and is the answer when it is whole.
struct ProxyAnswer: AnswerSink {
    /// Of an answer, in bytes.
    static let cap = 256 << 20

    let server: String
    let cap: Int
    private(set) var status: Int?
    private(set) var body = Data()
    private var headers: Headers = [:]

    init(server: String, cap: Int) {
        self.server = server
        self.cap = cap
    }

    var received: Int { body.count }

    mutating func begin(status: Int, headers: Headers) {
        self.status = status
        self.headers = headers
    }

    mutating func take(_ piece: Data) throws {
        body.append(piece)
        guard body.count > cap else { return }
        body = Data()
        throw Failure(.wrongResult, "the answer of \(server) is longer than \(cap) bytes")
    }

    consuming func finish() throws -> ProxyAnswer {
        guard status != nil else { throw Failure(.ambiguous, "the answer of \(server) is broken") }
        return self
    }

    func failure(_ error: URLError, hasBody: Bool, bodySent: Bool) -> Failure {
        Failure(.serverDown, "\(server) gave no answer: \(error.localizedDescription)")
    }

    /// The fields of the answer to a `method`, as they fit the body here: unpacked, and so long.
    func fields(to method: String) -> Headers {
        // What HEAD says of a body is true of one that is not packed.
        if method == "HEAD", headers["content-encoding"] == nil { return headers }
        var fields = headers.without("content-encoding").without("content-length")
        if method != "HEAD" { fields.append("Content-Length", "\(body.count)") }
        return fields
    }
}
