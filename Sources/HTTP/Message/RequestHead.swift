// Bytes → the head of a request, strictly (RFC 9112 sections 2 to 6; RFC 9110 section 5).
//
// Two readers of one message must not come to two opinions about where it ends, or a request can be smuggled past
// one of them. So whatever the RFC lets a server either repair or reject, is rejected: a `RequestError` with the status.

/// The request line and the field lines of one request.
struct RequestHead {
    let method: String
    let target: String
    let path: String
    let query: String?
    let headers: Headers
    let isHTTP10: Bool

    /// What follows the head.
    enum Framing: Equatable {
        case length(Int)
        case chunked
    }
    let framing: Framing

    /// The client waits for a word before it sends the body (RFC 9110 section 10.1.1).
    let expectsContinue: Bool
    /// The connection may serve another request afterwards.
    let keepsAlive: Bool

    static let targetLimit = 8 << 10
    static let fieldLimit = 100

    /// The number of bytes up to the empty line's end, or `nil` where it has not come. A bare LF ends the search
    /// as well: `init` refuses it at once instead of letting its sender wait for a time-out.
    static func length(in bytes: ArraySlice<UInt8>) -> Int? {
        // Of the line so far; before the first line's end nothing is a line that could be empty.
        var length: Int?
        for index in bytes.indices {
            switch bytes[index] {
            case lf:
                if length == 0 { return index + 1 - bytes.startIndex }
                length = 0
            // One, and no more of them: who goes on where he stopped has three bytes to look back at.
            case cr where length == 0 && bytes.startIndex < index && bytes[index - 1] == lf: break
            default: length = length.map { $0 + 1 }
            }
        }
        return nil
    }

    /// Parses a head that ends with its empty line.
    init(_ bytes: ArraySlice<UInt8>) throws(RequestError) {
        var lines = try Self.lines(of: bytes)[...]
        guard let requestLine = lines.popFirst() else { throw .bad("no request line") }
        let words = requestLine.split(separator: sp, omittingEmptySubsequences: false)
        guard words.count == 3, !words[0].isEmpty, words[0].allSatisfy(isTokenByte) else {
            throw .bad(
                "the request line is not a method, a target and a version, each with one space between")
        }
        method = String(decoding: words[0], as: UTF8.self)
        guard words[1].count <= Self.targetLimit else {
            throw RequestError(status: 414, why: "the target is too long")
        }
        isHTTP10 = try Self.isHTTP10(words[2])
        target = String(decoding: words[1], as: UTF8.self)
        (path, query) = try Self.parts(of: words[1], method: method)
        headers = try Self.fields(lines)
        try Self.checkHost(headers, isHTTP10: isHTTP10)
        framing = try Self.framing(headers, isHTTP10: isHTTP10)
        let expectations = headers.members("expect")
        guard expectations.allSatisfy({ $0 == "100-continue" }) else {
            throw RequestError(status: 417, why: "no expectation but 100-continue is known")
        }
        expectsContinue = !expectations.isEmpty && !isHTTP10
        keepsAlive = !isHTTP10 && !headers.members("connection").contains("close")
    }

    static func lines(of bytes: ArraySlice<UInt8>) throws(RequestError) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        for line in bytes.split(separator: lf, omittingEmptySubsequences: false).dropLast() {
            guard line.last == cr else { throw .bad("a line ends without CR") }
            guard line.dropLast().allSatisfy({ isTextByte($0) }) else { throw .bad("a control character") }
            lines.append(line.dropLast())
        }
        // The empty line that ends the head.
        return lines.dropLast()
    }

    private static func isHTTP10(_ version: ArraySlice<UInt8>) throws(RequestError) -> Bool {
        let text = String(decoding: version, as: UTF8.self)
        if text == "HTTP/1.1" { return false }
        if text == "HTTP/1.0" { return true }
        let bytes = Array(version)
        let isVersion =
            text.hasPrefix("HTTP/") && bytes.count == 8 && isDigit(bytes[5])
            && bytes[6] == UInt8(ascii: ".") && isDigit(bytes[7])
        throw isVersion ? RequestError(status: 505, why: "HTTP/1.1 and 1.0 only") : .bad("not a version of HTTP")
    }

    /// RFC 9112 section 3.2: the forms of a target.
    private static func parts(
        of target: ArraySlice<UInt8>, method: String
    ) throws(RequestError) -> (path: String, query: String?) {
        guard target.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw .bad("the target is not visible ASCII")
        }
        var rest = target
        let scheme = Array("http://".utf8)
        if rest.starts(with: scheme) {
            rest = rest.dropFirst(scheme.count)
            guard let first = rest.first, first != UInt8(ascii: "/") else {
                throw .bad("a target without a host")
            }
            rest = rest.drop { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
            if rest.first != UInt8(ascii: "/") { rest = [UInt8(ascii: "/")] + rest }
        }
        if rest.elementsEqual([UInt8(ascii: "*")]), method == "OPTIONS" { return ("*", nil) }
        guard rest.first == UInt8(ascii: "/"), !rest.contains(UInt8(ascii: "#")) else {
            throw .bad("the target is neither a path nor an http URL")
        }
        let parts = rest.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        return (
            String(decoding: parts[0], as: UTF8.self),
            parts.count == 2 ? String(decoding: parts[1], as: UTF8.self) : nil
        )
    }

    static func fields(_ lines: ArraySlice<ArraySlice<UInt8>>) throws(RequestError) -> Headers {
        guard lines.count <= fieldLimit else { throw RequestError(status: 431, why: "too many fields") }
        var headers: Headers = [:]
        for line in lines {
            guard line.first != sp, line.first != tab else { throw .bad("a folded field line") }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
                throw .bad("a field without a colon")
            }
            let name = line[..<colon]
            guard !name.isEmpty, name.allSatisfy(isTokenByte) else {
                throw .bad("a field's name is not a token")
            }
            let value = line[(colon + 1)...].drop { $0 == sp || $0 == tab }
            let end = value.lastIndex { $0 != sp && $0 != tab }.map { $0 + 1 } ?? value.startIndex
            headers.append(String(decoding: name, as: UTF8.self), text(value[..<end]))
        }
        return headers
    }

    /// Field values are bytes; what is not UTF-8 was Latin-1 once (RFC 9110 section 5.5).
    private static func text(_ value: ArraySlice<UInt8>) -> String {
        String(validating: value, as: UTF8.self)
            ?? String(String.UnicodeScalarView(value.map { UnicodeScalar($0) }))
    }

    /// RFC 9112 section 3.2: a request of HTTP/1.1 names exactly one host.
    private static func checkHost(_ headers: Headers, isHTTP10: Bool) throws(RequestError) {
        let hosts = headers.all("host")
        guard hosts.count == 1 || (isHTTP10 && hosts.isEmpty) else { throw .bad("not exactly one Host") }
        let isHost = hosts.allSatisfy {
            $0.utf8.allSatisfy { isTokenByte($0) || "[]:()=;,".utf8.contains($0) }
        }
        guard isHost else { throw .bad("Host is not a host") }
    }

    /// RFC 9112 section 6.3: how long the body is.
    private static func framing(_ headers: Headers, isHTTP10: Bool) throws(RequestError) -> Framing {
        let lengths = headers.members("content-length")
        let codings = headers.members("transfer-encoding")
        if !headers.all("transfer-encoding").isEmpty {
            guard lengths.isEmpty else { throw .bad("both Content-Length and Transfer-Encoding") }
            guard !isHTTP10 else { throw .bad("HTTP/1.0 has no Transfer-Encoding") }
            if codings == ["chunked"] { return .chunked }
            guard !codings.dropLast().contains("chunked") else {
                throw .bad("chunked is not the last coding")
            }
            throw RequestError(status: 501, why: "no transfer coding but chunked is known")
        }
        guard let length = lengths.first else { return .length(0) }
        guard lengths.allSatisfy({ $0 == length }) else { throw .bad("two lengths") }
        guard !length.isEmpty, length.utf8.allSatisfy(isDigit) else {
            throw .bad("Content-Length is not a number")
        }
        guard let number = Int(length) else { throw RequestError(status: 413, why: "the body is too long") }
        return .length(number)
    }
}

let cr = UInt8(ascii: "\r")
let lf = UInt8(ascii: "\n")
let sp = UInt8(ascii: " ")
let tab = UInt8(ascii: "\t")

func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

/// RFC 9110 section 5.5: visible ASCII, space, tab, and the upper half.
func isTextByte(_ byte: UInt8) -> Bool { byte == tab || (byte >= sp && byte != 0x7f) }

/// RFC 9110 section 5.6.2.
func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
}
