// What a client is answered: values, and their form on the wire (RFC 9112 section 4).

import Glibc

/// An answer. Date, the framing and, where the connection ends, `Connection: close` are the server's to add.
package struct Response: Sendable {
    /// Three digits; an unknown one goes without a reason phrase.
    package var status: Int
    /// Field lines beside those that the server adds.
    package var headers: Headers
    /// What follows the head; not sent to HEAD, nor with 204 and 304.
    package var body: Body

    /// What follows the head.
    package enum Body: Sendable {
        case bytes([UInt8])
        /// Written piece by piece. A closure that throws cuts the connection without the body's end, so that the
        /// client knows; ``AbortResponse`` says how.
        case stream(Framing, @Sendable (BodyWriter) async throws -> Void)
        /// No answer at all: the connection ends (FIN) or is torn down (RST).
        case hangUp(reset: Bool)
    }

    /// How the client learns where a streamed body ends.
    package enum Framing: Equatable, Sendable {
        /// After so many bytes (Content-Length). A closure that writes fewer has its connection cut.
        case length(Int)
        /// With the last chunk; for a client of HTTP/1.0 as `close`.
        case chunked
        /// With the connection: the client cannot tell an end from a failure.
        case close
    }

    /// An answer without a body, unless there is one.
    package init(status: Int, headers: Headers = [:], body: Body = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The connection ends without a byte of an answer.
    package static func hangUp(reset: Bool) -> Response { Response(status: 0, body: .hangUp(reset: reset)) }

    static func refusing(_ refusal: RequestError) -> Response {
        Response(
            status: refusal.status, headers: ["Content-Type": "text/plain; charset=utf-8"],
            body: .bytes(Array((refusal.why + "\n").utf8)))
    }

    /// The status line and the field lines. A line break in a value would let the value's author write headers, so
    /// control characters become spaces.
    func head(framing: Framing?, close: Bool, now: time_t) -> [UInt8] {
        var lines = "HTTP/1.1 \(status) \(Self.reasons[status] ?? "")\r\n"
        func add(_ name: String, _ value: String) {
            let isText = value.utf8.allSatisfy(isTextByte)
            let bytes = value.utf8.map { isTextByte($0) ? $0 : sp }
            lines += "\(name): \(isText ? value : String(decoding: bytes, as: UTF8.self))\r\n"
        }
        add("Date", Self.date(now))
        for (name, value) in headers.lines { add(name, value) }
        switch framing {
        case .length(let count): add("Content-Length", "\(count)")
        case .chunked: add("Transfer-Encoding", "chunked")
        case .close, nil: break
        }
        if close { add("Connection", "close") }
        return Array((lines + "\r\n").utf8)
    }

    /// RFC 9110 section 5.6.7.
    static func date(_ now: time_t) -> String {
        var now = now
        var parts = tm()
        gmtime_r(&now, &parts)
        var text = [CChar](repeating: 0, count: 30)
        // English, as nobody here calls setlocale(3).
        strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static let reasons: [Int: String] = [
        200: "OK", 202: "Accepted", 204: "No Content", 304: "Not Modified", 307: "Temporary Redirect",
        400: "Bad Request",
        401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout",
        409: "Conflict", 410: "Gone",
        413: "Content Too Large", 414: "URI Too Long", 417: "Expectation Failed", 418: "I'm a teapot",
        421: "Misdirected Request",
        422: "Unprocessable Content", 429: "Too Many Requests", 431: "Request Header Fields Too Large",
        500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
        504: "Gateway Timeout", 505: "HTTP Version Not Supported",
    ]
}

/// Thrown by a stream's closure to cut the connection on purpose.
package struct AbortResponse: Error, Equatable {
    /// RST instead of FIN.
    package let reset: Bool

    /// With `reset` the client sees ECONNRESET, without it an early end.
    package init(reset: Bool) {
        self.reset = reset
    }
}
