// What a client asks, and how long it waits for whom.

import Linux

/// A part of a body, whose length is known before it is read.
package struct BodyPiece: Sendable {
    /// In bytes.
    package let length: Int
    /// The bytes at a place of it. Asked once for each place, in order, and never for all where it is long.
    package let read: @Sendable (Range<Int>) throws -> [UInt8]

    /// A piece that is made while it is sent.
    package init(length: Int, read: @escaping @Sendable (Range<Int>) throws -> [UInt8]) {
        self.length = length
        self.read = read
    }
}

/// How slowly the body of an answer may come, once its head is there: at least so many bytes, or its end, in each window.
/// A peer that sends a byte now and then is never silent, and would never end.
package struct MinimumRate: Sendable {
    /// See `window`.
    package let bytes: Int
    /// A time in which so many `bytes` must come.
    package let window: Duration

    /// `bytes` in each `window`.
    package init(bytes: Int, window: Duration) {
        self.bytes = bytes
        self.window = window
    }
}

/// How long a peer is waited for that does not take what it is sent.
package struct SendLimits: Sendable {
    /// Nothing is taken for so long: the sending has failed.
    package var stall: Duration
    /// Behind a sending that has failed: for the answer that the peer may have sent before.
    package var answer: Duration

    /// The usual patience, unless told otherwise.
    package init(stall: Duration = .seconds(60), answer: Duration = .seconds(5)) {
        self.stall = stall
        self.answer = answer
    }
}

/// A request to be sent.
package struct ClientRequest: Sendable {
    /// As in the request line.
    package var method: String
    /// Path and query, as in the request line.
    package var target: String
    /// A name or a numeric address.
    package var host: String
    /// Of the server.
    package var port: UInt16
    /// Where to connect to, for who has looked `host` up already; `nil` to have it looked up.
    package var peers: [ResolvedAddress]?
    /// Without Host, Content-Length and Connection, which are the connection's own.
    package var headers: [(name: String, value: String)]
    /// `nil` where there is none.
    package var body: [BodyPiece]?

    /// A request as its parts say.
    package init(
        method: String, target: String, host: String, port: UInt16, headers: [(name: String, value: String)],
        body: [BodyPiece]?
    ) {
        self.method = method
        self.target = target
        self.host = host
        self.port = port
        self.headers = headers
        self.body = body
    }

    var head: [UInt8] {
        // RFC 9110 section 7.2: a numeric IPv6 address stands in brackets.
        var text = "\(method) \(target) HTTP/1.1\r\nHost: \(host.contains(":") ? "[\(host)]" : host):\(port)\r\n"
        for header in headers { text += "\(header.name): \(header.value)\r\n" }
        if let body { text += "Content-Length: \(body.reduce(0) { $0 + $1.length })\r\n" }
        return Array((text + "Connection: close\r\n\r\n").utf8)
    }
}
