import Testing

@testable import HTTP

@Suite("A request's head")
struct RequestHeadTests {
    static func head(_ text: String) throws(RequestError) -> RequestHead { try RequestHead(Array(text.utf8)[...]) }

    @Test("a plain one is understood")
    func plain() throws {
        let head = try Self.head("GET /a/b?c=d?e HTTP/1.1\r\nHost: x:80\r\nACCEPT:\t a, b \t\r\n\r\n")
        #expect(head.method == "GET")
        #expect(head.target == "/a/b?c=d?e")
        #expect(head.path == "/a/b")
        #expect(head.query == "c=d?e")
        #expect(head.headers["accept"] == "a, b")
        #expect(head.framing == .length(0))
        #expect(head.keepsAlive)
    }

    static let sound: [(String, RequestHead.Framing, Bool)] = [
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", .length(3), true),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\nContent-Length: 3\r\n\r\n", .length(3), true),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n", .chunked, true),
        ("GET http://a/x HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", .length(0), false),
        ("GET http://a HTTP/1.1\r\nHost:\r\n\r\n", .length(0), true),
        ("OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", .length(0), true),
        ("GET / HTTP/1.0\r\n\r\n", .length(0), false),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: caf\u{e9}\r\n\r\n", .length(0), true),
    ]

    @Test("what is sound is accepted", arguments: sound)
    func accepted(text: String, framing: RequestHead.Framing, keepsAlive: Bool) throws {
        let head = try Self.head(text)
        #expect(head.framing == framing)
        #expect(head.keepsAlive == keepsAlive)
    }

    static let host = "Host: a\r\n"
    static let unsound: [(String, Int)] = [
        ("\r\n", 400),
        ("GET /\r\n\r\n", 400),
        ("GET  / HTTP/1.1\r\n\(host)\r\n", 400),
        ("GET / HTTP/1.1 \r\n\(host)\r\n", 400),
        ("GET\t/ HTTP/1.1\r\n\(host)\r\n", 400),
        ("G(T / HTTP/1.1\r\n\(host)\r\n", 400),
        ("GET x HTTP/1.1\r\n\(host)\r\n", 400),
        ("GET http:///x HTTP/1.1\r\n\(host)\r\n", 400),
        ("CONNECT a:80 HTTP/1.1\r\n\(host)\r\n", 400),
        ("GET * HTTP/1.1\r\n\(host)\r\n", 400),
        ("GET /#a HTTP/1.1\r\n\(host)\r\n", 400),
        ("GET /é HTTP/1.1\r\n\(host)\r\n", 400),
        ("GET / http/1.1\r\n\(host)\r\n", 400),
        ("GET / HTTP/1.10\r\n\(host)\r\n", 400),
        ("GET / HTTP/2.0\r\n\(host)\r\n", 505),
        ("GET / HTTP/1.2\r\n\(host)\r\n", 505),
        ("GET /\(String(repeating: "a", count: 8 << 10)) HTTP/1.1\r\n\(host)\r\n", 414),
        ("GET / HTTP/1.1\n\(host)\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n", 400),
        ("GET / HTTP/1.1\r\nX: a\rb\r\n\(host)\r\n", 400),
        ("GET / HTTP/1.1\r\nX: a\0\r\n\(host)\r\n", 400),
        ("GET / HTTP/1.1\r\nX: a\u{1b}[2J\r\n\(host)\r\n", 400),
        ("GET / HTTP/1.1\r\nX : a\r\n\(host)\r\n", 400),
        ("GET / HTTP/1.1\r\n: a\r\n\(host)\r\n", 400),
        ("GET / HTTP/1.1\r\nX\r\n\(host)\r\n", 400),
        ("GET / HTTP/1.1\r\nX: a\r\n b\r\n\(host)\r\n", 400),
        ("GET / HTTP/1.1\r\n X: a\r\n\(host)\r\n", 400),
        ("GET / HTTP/1.1\r\n\(String(repeating: "X: a\r\n", count: 101))\r\n", 431),
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n\(host)\(host)\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\n\(host)Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\n\(host)Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\n\(host)Content-Length: 1, 2\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\n\(host)Content-Length: +1\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\n\(host)Content-Length: 0x1\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\n\(host)Content-Length: 1 1\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\n\(host)Content-Length:\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\n\(host)Content-Length: 99999999999999999999\r\n\r\n", 413),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: gzip\r\n\r\n", 501),
        ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
        ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked, gzip\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding:\r\n\r\n", 501),
        ("POST / HTTP/1.1\r\n\(host)Expect: coffee\r\n\r\n", 417),
    ]

    @Test("what is unsound is refused, with the status that says so", arguments: unsound)
    func refused(text: String, status: Int) {
        do throws(RequestError) {
            _ = try Self.head(text)
            Issue.record("accepted")
        } catch {
            #expect(error.status == status, "\(error.why)")
        }
    }

    @Test(
        "it ends with the first empty line, whichever line ends are used",
        arguments: [
            ("GET / HTTP/1.1\r\n\r\nrest", 18), ("a\n\nrest", 3), ("a\r\n\nrest", 4), ("a\n\r\nrest", 4),
            ("\r\n\r\n", 4),
        ])
    func end(text: String, length: Int) {
        #expect(RequestHead.length(in: Array(text.utf8)[...]) == length)
    }

    @Test(
        "it has no end before its empty line",
        arguments: ["", "a", "a\r\n", "a\r\n\r", "a\r\nb\r\n", "a\nb\nc", "a\n\r\r\n"])
    func noEnd(text: String) {
        #expect(RequestHead.length(in: Array(text.utf8)[...]) == nil)
    }
}

@Suite("A chunked body")
struct ChunkedDecoderTests {
    /// Decodes in pieces of `size` bytes; returns the body and what was left.
    static func decode(
        _ text: String, inPiecesOf size: Int, limit: Int = 100
    ) throws(RequestError) -> (body: String, rest: String, isComplete: Bool) {
        var decoder = ChunkedDecoder(limit: limit)
        var body: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty, !decoder.isComplete {
            rest = rest.dropFirst(try decoder.decode(rest.prefix(size), into: &body))
        }
        return (
            String(decoding: body, as: UTF8.self), String(decoding: rest, as: UTF8.self), decoder.isComplete
        )
    }

    static let sound: [(String, String, String)] = [
        ("0\r\n\r\n", "", ""),
        ("3\r\nabc\r\n0\r\n\r\nGET", "abc", "GET"),
        ("3\r\na\r\n\r\n00A\r\n0123456789\r\n000\r\n\r\n", "a\r\n0123456789", ""),
        ("1;name=\"v\"\r\na\r\n0;x\r\nTrailer: t\r\n\r\n0", "a", "0"),
    ]

    @Test("is put together, in whatever pieces it comes", arguments: sound, [1, 2, 3, 1000])
    func decoded(from example: (text: String, body: String, rest: String), size: Int) throws {
        let decoded = try Self.decode(example.text, inPiecesOf: size)
        #expect(decoded.isComplete)
        #expect(decoded.body == example.body)
        #expect(decoded.rest == example.rest)
    }

    @Test(
        "is not complete before its last line end",
        arguments: ["", "3", "3\r\nab", "3\r\nabc\r\n0\r\n", "0\r\n\r"])
    func incomplete(text: String) throws {
        #expect(try !Self.decode(text, inPiecesOf: 1).isComplete)
    }

    static let unsound: [(String, Int)] = [
        ("\r\n", 400), ("g\r\n", 400), ("-1\r\n", 400), ("+1\r\n", 400), ("0x1\r\n", 400),
        (" 1\r\na\r\n", 400),
        ("1 \r\na\r\n", 400), ("1\na\r\n", 400), ("1\r\nab\r\n", 400), ("1\r\na\n", 400), ("1\r\na0", 400),
        ("1;a\rb\r\n", 400), ("1;\0\r\n", 400), ("65\r\n", 413),
        ("60\r\n\(String(repeating: "a", count: 96))\r\n5\r\n", 413),
        ("ffffffffffffffff\r\n", 413), ("00000000000000001\r\n", 400), ("0\r\nbad trailer\r\n\r\n", 400),
        ("0\r\n folded: x\r\n\r\n", 400), ("1;\(String(repeating: "x", count: 1100))", 400),
        ("0\r\n\(String(repeating: "X: \(String(repeating: "y", count: 900))\r\n", count: 10))\r\n", 431),
    ]

    @Test("is refused where its end would be a matter of opinion", arguments: unsound, [1, 1000])
    func refused(from example: (text: String, status: Int), size: Int) {
        do throws(RequestError) {
            _ = try Self.decode(example.text, inPiecesOf: size)
            Issue.record("accepted")
        } catch {
            #expect(error.status == example.status, "\(error.why)")
        }
    }
}
