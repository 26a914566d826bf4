// Heads and chunks of HTTP/1.1: where they end does not depend on the pieces that they come in.

import Foundation

@testable import HTTP

func fuzzHeads(_ input: Data) {
    let bytes = Array(input)
    let length = RequestHead.length(in: bytes[...])
    // As a connection searches: from a little before what has been seen.
    var searched = 0
    var found: Int?
    for end in 1...max(1, bytes.count) where found == nil && end <= bytes.count {
        let start = max(0, searched - 3)
        found = RequestHead.length(in: bytes[start..<end]).map { $0 + start }
        searched = end
    }
    check(found == length, "a head's end is found in pieces, too: \(String(describing: length))")
    guard let length else { return }
    if let head = try? RequestHead(bytes[..<length]) {
        check(isSound(head.headers), "no line of a head holds another one")
        check(!head.method.isEmpty && head.target.utf8.allSatisfy { (0x21...0x7e).contains($0) }, "\(head.target)")
        if case .length(let body) = head.framing { check(body >= 0, "a body's length is a number") }
        _ = Request(head, body: [])
    }
    if let head = try? ResponseHead(bytes[..<length], to: "POST") {
        check(isSound(head.headers), "no line of a head holds another one")
        check((100..<600).contains(head.status), "\(head.status)")
        if case .length(let body) = head.framing { check(body >= 0, "a body's length is a number") }
    }
}

private func isSound(_ headers: Headers) -> Bool {
    headers.lines.allSatisfy { line in
        !line.name.isEmpty
            && !(line.name + line.value).unicodeScalars.contains { $0 == "\r" || $0 == "\n" || $0 == "\0" }
    }
}

func fuzzChunks(_ input: Data) {
    var choices = Bytes(input)
    let seed = choices.next()
    let bytes = choices.rest
    let limit = 300
    func decode(_ pieces: [Data]) -> (body: [UInt8], used: Int, refusal: RequestError?, isComplete: Bool) {
        var decoder = ChunkedDecoder(limit: limit)
        var body: [UInt8] = []
        var used = 0
        do throws(RequestError) {
            for piece in pieces where !decoder.isComplete { used += try decoder.decode(Array(piece)[...], into: &body) }
            return (body, used, nil, decoder.isComplete)
        } catch {
            return (body, used, error, false)
        }
    }
    let whole = decode([bytes])
    let cut = decode(pieces(of: bytes, seed: seed))
    check(whole.refusal == cut.refusal, "\(String(describing: whole.refusal)) or \(String(describing: cut.refusal))")
    check(whole.body == cut.body, "a body in pieces is the body")
    check(
        whole.refusal != nil || (whole.used == cut.used && whole.isComplete == cut.isComplete), "it ends where it ends")
    check(whole.body.count <= limit, "a body is not longer than its limit")

    // What is chunked is unchunked again.
    let body = bytes.prefix(limit)
    var wire = Data()
    for piece in pieces(of: body, seed: seed ^ 1) {
        wire += Data("\(String(piece.count, radix: 16))\r\n".utf8) + piece + Data("\r\n".utf8)
    }
    let back = decode(pieces(of: wire + Data("0\r\n\r\n".utf8), seed: seed))
    check(back.isComplete && back.body == Array(body), "what is chunked is unchunked again")
}
