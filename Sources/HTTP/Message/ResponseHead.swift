// Bytes → the head of an answer, strictly (RFC 9112 sections 4 and 6.3).

/// The status line and the field lines of an answer.
package struct ResponseHead: Sendable {
    /// 100 to 599.
    package let status: Int
    /// The field lines.
    package let headers: Headers

    /// How the end of the body is told.
    enum Framing: Equatable {
        case length(Int)
        case chunked
        /// By the end of the connection, which a broken one looks like.
        case close
    }
    let framing: Framing

    /// Parses a head that ends with its empty line.
    init(_ bytes: ArraySlice<UInt8>, to method: String) throws(RequestError) {
        var lines = try RequestHead.lines(of: bytes)[...]
        guard let statusLine = lines.popFirst() else { throw .bad("no status line") }
        // The reason phrase is for people, and some leave out the space before an empty one.
        let words = statusLine.split(separator: sp, maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count >= 2, words[0].elementsEqual("HTTP/1.1".utf8) || words[0].elementsEqual("HTTP/1.0".utf8),
            words[1].count == 3, words[1].allSatisfy(isDigit),
            let status = Int(String(decoding: words[1], as: UTF8.self)), (100..<600).contains(status)
        else { throw .bad("no status line of HTTP/1.1") }
        self.status = status
        let fields = try RequestHead.fields(lines)
        framing = try Self.framing(status, fields, method)
        // Where both are told the length says nothing, and whoever passes the answer on must not (RFC 9112 section 6.3).
        headers = fields["transfer-encoding"] == nil ? fields : fields.without("content-length")
    }

    private static func framing(_ status: Int, _ headers: Headers, _ method: String) throws(RequestError) -> Framing {
        if method == "HEAD" || status < 200 || status == 204 || status == 304 { return .length(0) }
        let codings = headers.members("transfer-encoding")
        if !codings.isEmpty {
            guard codings == ["chunked"] else { throw .bad("no transfer coding but chunked is known") }
            return .chunked
        }
        let lengths = headers.members("content-length")
        guard let length = lengths.first else { return .close }
        guard lengths.allSatisfy({ $0 == length }), !length.isEmpty, length.utf8.allSatisfy(isDigit),
            let number = Int(length)
        else { throw .bad("Content-Length is not one number") }
        return .length(number)
    }
}
