// What goes wrong on request: a body's own `standIn` key asks for it, so a job file can.
//
// `"standIn": {"fault": "oom", "times": 2, "id": "x", "seconds": 0.5}` fails twice and then behaves. Uses are counted by
// the fault and `id`, or the prompt where there is none; without `times` it never behaves. With `"step": 3` its render
// stands still behind its third step, until who runs the stand-in lets it go on (``StandIn/release(_:)``).

import Foundation
import HTTP
import JSONText

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
        /// It stands still until it is told to go on: after the lock, or under it.
        case withhold, hold
    }
    let name: Name
    /// By which it is counted and released.
    let id: String
    private let time: Duration
    /// Behind so many steps, those of all its batches, the render stands still.
    let step: Int?

    private struct FaultRequest: Decodable {
        let fault: String
        let times: Int?
        let id: String?
        let seconds: Double?
        let step: Int?
    }

    /// The fault that is due now; counts the use. Throws for a fault that nobody knows: a slip of the pen should not
    /// look like a server that behaves.
    static func due(_ body: ObjectText, in lock: RenderLock) throws(Response) -> Fault? {
        guard let text = body.value(of: "sketch") else { return nil }
        guard let wish = try? JSONDecoder().decode(FaultRequest.self, from: text), let name = Name(rawValue: wish.fault)
        else {
            let known = Name.allCases.map(\.rawValue).joined(separator: ", ")
            throw .invalid([.complaint(["sketch", "fault"], "one of \(known)", "value_error")])
        }
        let id = wish.id ?? BodySchema(body)["prompt"] ?? ""
        let use = "\(wish.fault) \(id)"
        let uses = lock.change { state in
            state.faults[use, default: 0] += 1
            return state.faults[use, default: 0]
        }
        guard uses <= wish.times ?? .max else { return nil }
        let seconds = wish.seconds ?? (name == .drip ? 0.01 : 1)
        return Fault(
            name: name, id: id, time: .seconds(max(0, min(3600, seconds))), step: wish.step ?? (name == .hold ? 0 : nil)
        )
    }

    /// What a render takes longer.
    var extraTime: Duration { name == .slow ? time : .zero }

    /// An answer that comes without a render.
    var early: Response? {
        switch name {
        case .unavailable: return .refusal(503, "Service Unavailable")
        case .unauthorized: return .failure(401, "HTTPException", detail: "Not authenticated")
        case .notFound: return .refusal(404, "Not Found")
        case .tooMany:
            var response = Response.refusal(429, "Too Many Requests")
            response.headers.append("Retry-After", "1")
            return response
        case .redirect: return Response(status: 307, headers: ["Location": "/elsewhere"])
        case .html:
            let page = Array("<!doctype html><title>Welcome</title><p>Not an API.".utf8)
            return Response(status: 200, headers: ["Content-Type": "text/html; charset=utf-8"], body: .bytes(page))
        default: return nil
        }
    }

    /// How the render fails.
    var failure: Response? {
        switch name {
        case .oom:
            .failure(500, "OutOfMemoryError", "CUDA out of memory. Tried to allocate 2.00 GiB (a fault on request)")
        case .nan: .failure(500, "NansException", "A tensor with NaNs was produced in Unet.")
        case .error: .failure(500, "RuntimeError", "a fault on request")
        default: nil
        }
    }

    func spoil(_ files: [[UInt8]]) -> [[UInt8]] {
        guard name != .noImages, var last = files.last else { return [] }
        switch name {
        case .notAnImage: last = Array("This is text, not an image.".utf8)
        case .truncatedPNG: last.removeLast(last.count / 3)
        // The sum of the pixels' chunk, which lies before the 12 bytes of IEND.
        case .brokenPNG where last.count > 12: last[last.count - 13] ^= 0xff
        default: break
        }
        return files.dropLast() + [last]
    }

    /// Sends an answer, wrongly.
    func deliver(_ json: Data, in lock: RenderLock) async -> Response {
        let time = time
        var response = Response.json(json)
        switch name {
        case .hangup: return .hangUp(reset: false)
        case .reset: return .hangUp(reset: true)
        case .delay: try? await Task.sleep(for: time)
        case .withhold: await lock.standStill(id)
        case .truncate, .truncateUnframed:
            response.body = .stream(name == .truncate ? .length(json.count) : .close) {
                try await $0.write(json.prefix(json.count / 2))
            }
        case .drip:
            response.body = .stream(.length(json.count)) { writer in
                for byte in json {
                    try await writer.write(CollectionOfOne(byte))
                    try await Task.sleep(for: time)
                }
            }
        case .gzip:
            response.headers.append("Content-Encoding", "gzip")
            response.body = .bytes(Self.gzip(Array(json)))
        case .endless:
            response.body = .stream(.chunked) { writer in
                try await writer.write("{\"images\":[\"".utf8)
                let piece = [UInt8](repeating: UInt8(ascii: "A"), count: 64 << 10)
                // Nobody should take that much, and no forgotten client's disk should be filled for ever.
                for _ in 0..<(1 << 30) / piece.count { try await writer.write(piece) }
                throw AbortResponse(reset: false)
            }
        default: break
        }
        return response
    }

    /// RFC 1952, without compressing.
    private static func gzip(_ bytes: [UInt8]) -> [UInt8] {
        var file: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]
        PNG.appendStored(bytes, to: &file)
        for number in [Int(PNG.crc32(bytes[...])), bytes.count] { file += PNG.bigEndian(number).reversed() }
        return file
    }
}
