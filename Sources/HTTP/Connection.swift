// One client: its requests one after the other, until either side has had enough (RFC 9112 section 9).
//
// A request that cannot be accepted is answered with the status of its `Refusal`, and the connection ends, because
// nobody knows where the next request would begin. A request is handed over whole, so the handler never waits for
// the client; while it works, nothing more is read, and requests that were sent ahead wait in the kernel.

import Glibc

/// What a server grants its clients.
public struct Limits: Sendable {
    /// Connections at a time; one more is answered 503.
    public var connections = 128
    /// The request line and the field lines together, in bytes (431).
    public var head = 32 << 10
    /// A request's body, in bytes (413).
    public var body = 1 << 20
    /// From the first byte of a head to its last (408), and from a connection's start to its first byte.
    public var headTime = Duration.seconds(10)
    /// Between two pieces of a body (408), and between two pieces that a client takes of an answer.
    public var bodyTime = Duration.seconds(30)
    /// Between two requests on one connection.
    public var idleTime = Duration.seconds(30)

    /// The defaults.
    public init() {}
}

/// Serves one connection in one task.
struct Connection {
    let wire: Wire
    let limits: Limits
    let handler: @Sendable (Request) async -> Response

    /// Returns when the connection may be closed.
    func serve() async {
        do {
            var patience = limits.headTime
            while let head = try await readHead(within: patience) {
                let body = try await readBody(head)
                let response = await handler(Request(head, body: body))
                // A server that was stopped is as dead as one that was killed.
                guard !Task.isCancelled, try await deliver(response, to: head) else { return }
                patience = limits.idleTime
            }
        } catch let refusal as Refusal {
            await refuse(refusal)
        } catch {
            // Gone: nobody is left to tell.
        }
    }

    /// Answers without having read anything, and ends.
    func refuse(_ refusal: Refusal) async {
        let refused = try? await deliver(.refusing(refusal), to: nil)
        if refused != nil { await wire.lingerBeforeClosing() }
    }

    /// `nil` where the client ended the connection between two requests, or was silent for too long.
    private func readHead(within patience: Duration) async throws -> RequestHead? {
        do {
            while wire.unread.isEmpty || wire.unread.elementsEqual([cr]) {
                guard try await wire.receive(before: .now + patience) else { return nil }
            }
        } catch is TimedOut { return nil }
        // RFC 9112 section 2.2: an empty line before a request is some old client's mistake, once.
        if wire.unread.starts(with: [cr, lf]) { wire.use(2) }
        let deadline = ContinuousClock.now + limits.headTime
        var searched = 0
        while true {
            let found = RequestHead.length(in: wire.unread.dropFirst(max(0, searched - 3)))
            if let found {
                let length = found + max(0, searched - 3)
                guard length <= limits.head else { throw Refusal(status: 431, why: "the head is too long") }
                let head = try RequestHead(wire.unread.prefix(length))
                wire.use(length)
                return head
            }
            searched = wire.unread.count
            guard searched <= limits.head else { throw Refusal(status: 431, why: "the head is too long") }
            do {
                guard try await wire.receive(before: deadline) else { throw Gone() }
            } catch is TimedOut {
                throw Refusal(status: 408, why: "the head did not come in time")
            }
        }
    }

    private func readBody(_ head: RequestHead) async throws -> [UInt8] {
        var body: [UInt8] = []
        switch head.framing {
        case .length(let length):
            guard length <= limits.body else { throw Refusal(status: 413, why: "the body is too long") }
            if length > 0 { try await invite(head) }
            while true {
                let piece = wire.unread.prefix(length - body.count)
                body.append(contentsOf: piece)
                wire.use(piece.count)
                if body.count == length { return body }
                try await receiveBody()
            }
        case .chunked:
            var decoder = ChunkedDecoder(limit: limits.body)
            try await invite(head)
            while true {
                wire.use(try decoder.decode(wire.unread, into: &body))
                if decoder.isComplete { return body }
                try await receiveBody()
            }
        }
    }

    /// RFC 9110 section 10.1.1: a client that has begun to send does not wait for the word any more.
    private func invite(_ head: RequestHead) async throws {
        guard head.expectsContinue, wire.unread.isEmpty else { return }
        try await wire.send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)[...], patience: limits.bodyTime)
    }

    private func receiveBody() async throws {
        do {
            guard try await wire.receive(before: .now + limits.bodyTime) else { throw Gone() }
        } catch is TimedOut {
            throw Refusal(status: 408, why: "the body did not come in time")
        }
    }

    /// Sends an answer; says whether the connection can serve another request.
    private func deliver(_ response: Response, to request: RequestHead?) async throws -> Bool {
        let keepsAlive = request?.keepsAlive ?? false
        let isBodyless = request?.method == "HEAD" || [204, 304].contains(response.status)
        let patience = limits.bodyTime
        switch response.body {
        case .hangUp(let reset):
            if reset { wire.resetWhenClosed() }
            return false
        case .bytes(let bytes):
            let framing: Response.Framing? = response.status == 204 ? nil : .length(bytes.count)
            let head = response.head(framing: framing, close: !keepsAlive, now: time(nil))
            let isSmall = bytes.count <= Self.oneSegment
            try await wire.send((isBodyless || !isSmall ? head : head + bytes)[...], patience: patience)
            if !isBodyless, !isSmall { try await wire.send(bytes[...], patience: patience) }
            return keepsAlive
        case .stream(let wanted, let write):
            let isTooOld = wanted == .chunked && request?.isHTTP10 == true
            let framing = isTooOld ? .close : wanted
            let keepsAlive = keepsAlive && framing != .close
            let head = response.head(framing: framing, close: !keepsAlive, now: time(nil))
            try await wire.send(head[...], patience: patience)
            if isBodyless { return keepsAlive }
            do {
                let writer = BodyWriter(wire: wire, framing: framing, patience: patience)
                try await write(writer)
                try await writer.finish()
            } catch let cut as Cut {
                if cut.reset { wire.resetWhenClosed() }
                throw Gone()
            }
            return keepsAlive
        }
    }

    /// Below this, head and body are worth a copy to leave in one send(2).
    private static let oneSegment = 16 << 10
}
