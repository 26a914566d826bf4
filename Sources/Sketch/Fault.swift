// What goes wrong on request: a body's own `sketch` key asks for it, so a job file can.
//
// `"sketch": {"fault": "oom", "times": 2, "id": "x", "seconds": 0.5}` fails twice and then behaves. Uses are counted by
// the fault and `id`, or the prompt where there is none; without `times` it never behaves.

import Foundation
import HTTP

struct Fault: Sendable {
    enum Name: String, CaseIterable {
        /// Answered at once, as by something in front of the server.
        case unavailable = "503"
        case tooMany = "429"
        case unauthorized = "401"
        case notFound = "404"
        case redirect, html
        /// The render fails.
        case oom, nan
        case error = "500"
        /// The render succeeds, and its answer fails.
        case hangup, reset, truncate, drip, gzip, endless
        case truncateUnframed = "truncate-unframed"
        /// The answer is sound, and what is in it is not.
        case noImages = "no-images"
        case notAnImage = "not-an-image"
        case brokenPNG = "broken-png"
        case truncatedPNG = "truncated-png"
        /// It takes long: after the lock, or under it.
        case delay, slow
    }
    let name: Name
    private let time: Duration

    /// The fault that is due now; counts the use. Throws for a fault that nobody knows: a slip of the pen should not
    /// look like a server that behaves.
    static func due(_ body: JSON, in studio: Studio) throws(FieldError) -> Fault? {
        guard let wish = body["sketch"], let word = wish["fault"]?.text else { return nil }
        guard let name = Name(rawValue: word) else {
            let known = Name.allCases.map(\.rawValue).joined(separator: ", ")
            throw FieldError(
                location: ["body", "sketch", "fault"], message: "one of \(known)", type: "value_error")
        }
        let id = wish["id"]?.text ?? body["prompt"]?.text ?? ""
        guard studio.uses("\(word) \(id)", times: wish["times"]?.int ?? .max) else { return nil }
        let seconds = wish["seconds"]?.double ?? (name == .drip ? 0.01 : 1)
        return Fault(name: name, time: .seconds(max(0, min(3600, seconds))))
    }

    /// What a render takes longer.
    var extraTime: Duration { name == .slow ? time : .zero }

    /// An answer that comes without a render.
    var early: Reply? {
        switch name {
        case .unavailable: return .refusal(503, "Service Unavailable")
        case .unauthorized: return .failure(401, "HTTPException", detail: "Not authenticated")
        case .notFound: return .refusal(404, "Not Found")
        case .tooMany:
            var reply = Reply.refusal(429, "Too Many Requests")
            reply.headers.append("Retry-After", "1")
            return reply
        case .redirect:
            var reply = Reply(nil, status: 307)
            reply.headers.append("Location", "/elsewhere")
            return reply
        case .html:
            var reply = Reply(pieces: [.text("<!doctype html><title>Welcome</title><p>Not an API.")])
            reply.headers = ["Content-Type": "text/html; charset=utf-8"]
            return reply
        default: return nil
        }
    }

    /// How the render fails.
    var failure: Reply? {
        switch name {
        case .oom:
            .failure(
                500, "OutOfMemoryError", "CUDA out of memory. Tried to allocate 2.00 GiB (a fault on request)"
            )
        case .nan: .failure(500, "NansException", "A tensor with NaNs was produced in Unet.")
        case .error: .failure(500, "RuntimeError", "a fault on request")
        default: nil
        }
    }

    func spoil(_ pictures: [Picture]) -> [Picture] {
        let flaws: [Name: Picture.Flaw] = [.notAnImage: .noImage, .brokenPNG: .badSum, .truncatedPNG: .cut]
        if name == .noImages { return [] }
        guard let flaw = flaws[name], !pictures.isEmpty else { return pictures }
        var pictures = pictures
        pictures[pictures.count - 1].flaw = flaw
        return pictures
    }

    /// Sends an answer, wrongly.
    func deliver(_ reply: Reply) async -> Response {
        let time = time
        var response = reply.response
        switch name {
        case .hangup: return .hangUp(reset: false)
        case .reset: return .hangUp(reset: true)
        case .delay: try? await Task.sleep(for: time)
        case .truncate:
            response.body = .stream(.length(reply.length)) { try await Self.writeHalf(of: reply, to: $0) }
        case .truncateUnframed:
            response.body = .stream(.close) { try await Self.writeHalf(of: reply, to: $0) }
        case .drip:
            response.body = .stream(.length(reply.length)) { writer in
                for piece in reply.pieces {
                    for byte in piece.bytes() {
                        try await writer.write(CollectionOfOne(byte))
                        try await Task.sleep(for: time)
                    }
                }
            }
        case .gzip:
            response.headers.append("Content-Encoding", "gzip")
            response.body = .bytes(Self.gzip(reply.pieces.flatMap { $0.bytes() }))
        case .endless:
            response.body = .stream(.chunked) { writer in
                try await writer.write("{\"images\":[\"".utf8)
                let piece = [UInt8](repeating: UInt8(ascii: "A"), count: 64 << 10)
                // Nobody should take that much, and no forgotten client's disk should be filled for ever.
                for _ in 0..<(1 << 30) / piece.count { try await writer.write(piece) }
                throw Cut(reset: false)
            }
        default: break
        }
        return response
    }

    private static func writeHalf(of reply: Reply, to writer: BodyWriter) async throws {
        var left = reply.length / 2
        for piece in reply.pieces where left > 0 {
            let bytes = piece.bytes().prefix(left)
            try await writer.write(bytes)
            left -= bytes.count
        }
    }

    /// RFC 1952, without compressing.
    private static func gzip(_ bytes: [UInt8]) -> [UInt8] {
        var file: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]
        PNG.appendStored(bytes, to: &file)
        for number in [Int(PNG.crc32(bytes[...])), bytes.count] { file += PNG.bigEndian(number).reversed() }
        return file
    }
}
