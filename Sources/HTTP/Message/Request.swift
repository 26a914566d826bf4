// What a client asks, after it was understood and found sound.

/// One request, whole: head and body.
package struct Request: Sendable {
    /// As it was sent; methods are case-sensitive (RFC 9110 section 9.1).
    package let method: String
    /// As it was sent, at most 8 KiB of visible ASCII.
    package let target: String
    /// What comes before the question mark, not percent-decoded. `*` for a request about the server itself.
    package let path: String
    /// What comes after the question mark, not percent-decoded; `nil` where there is none.
    package let query: String?
    /// The field lines in their order.
    package let headers: Headers
    /// The content, without its chunks; at most the server's limit.
    package let body: [UInt8]

    /// Reads the rest of a request that has begun to come. Throws as ``ServerRequest/next()`` does.
    nonisolated(nonsending) package init(_ incoming: ServerRequest) async throws {
        self.init(incoming.head, body: try await incoming.rest())
    }

    init(_ head: RequestHead, body: [UInt8]) {
        method = head.method
        target = head.target
        path = head.path
        query = head.query
        headers = head.headers
        self.body = body
    }
}

/// Field lines in their order; names are compared without case (RFC 9110 section 5.1).
package struct Headers: Sendable, ExpressibleByDictionaryLiteral {
    /// The lines, as they are sent.
    package private(set) var lines: [(name: String, value: String)] = []

    /// `["Allow": "GET"]`; a name may come more than once.
    package init(dictionaryLiteral lines: (String, String)...) {
        for (name, value) in lines { append(name, value) }
    }

    /// Adds a line at the end.
    package mutating func append(_ name: String, _ value: String) {
        lines.append((name, value))
    }

    /// The values of all lines with this name.
    package func all(_ name: String) -> [String] {
        lines.filter { isSameName($0.name, name) }.map(\.value)
    }

    /// The value of the first line with this name.
    package subscript(name: String) -> String? {
        lines.first { isSameName($0.name, name) }?.value
    }

    /// All lines but those with this name.
    package func without(_ name: String) -> Headers {
        var others = self
        others.lines.removeAll { isSameName($0.name, name) }
        return others
    }

    /// The members of a comma-separated list, over all its lines, in lower case.
    func members(_ name: String) -> [String] {
        all(name).flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }
            .map { $0.drop { $0 == " " || $0 == "\t" } }
            .map { String($0.reversed().drop { $0 == " " || $0 == "\t" }.reversed()).lowercased() }
    }
}

private func isSameName(_ left: String, _ right: String) -> Bool {
    left.utf8.count == right.utf8.count && left.lowercased() == right.lowercased()
}

/// Why a request was not accepted: the status to answer with, and words for its author. The connection ends with
/// the answer, because where the next request would begin is not known.
struct RequestError: Error, Equatable {
    let status: Int
    let why: String

    static func bad(_ why: String) -> RequestError { RequestError(status: 400, why: why) }
}
