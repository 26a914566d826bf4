// One client: its requests one after the other, until either side has had enough (RFC 9112 section 9).
//
// A request that cannot be accepted is answered with the status of its `RequestError`, and the connection ends, because
// nobody knows where the next request would begin. While a request is worked at nothing more is read than its body, and
// requests that were sent ahead wait in the kernel.

import Glibc

/// What a server grants its clients.
package struct Limits: Sendable {
    /// Connections at a time; one more is answered 503.
    package var connections = 128
    /// The request line and the field lines together, in bytes (431).
    package var head = 32 << 10
    /// A request's body, in bytes (413).
    package var body = 1 << 20
    /// From the first byte of a head to its last (408), and from a connection's start to its first byte.
    package var headTime = Duration.seconds(10)
    /// Between two pieces of a body (408), and between two pieces that a client takes of an answer.
    package var bodyTime = Duration.seconds(30)
    /// Of a body on the whole, in bytes a second; what comes more slowly is given up when it is ``bodyTime`` behind (408).
    package var bodyRate = 1 << 10
    /// Between two requests on one connection.
    package var idleTime = Duration.seconds(30)

    /// The defaults.
    package init() {}

    /// How long the next piece of a body is waited for. A byte now and then keeps nobody's place for good; only what was
    /// waited for counts, not what we did meanwhile.
    func patience(behind received: Int, waited: Duration) -> Duration {
        min(bodyTime, bodyTime + .seconds(1) * (Double(received) / Double(bodyRate)) - waited)
    }
}

/// Serves one connection in one task.
struct Connection {
    let socket: BufferedSocket
    let limits: Limits
    let handler: Server.Handler

    /// Returns when the connection may be closed.
    func serve() async {
        do {
            var patience = limits.headTime
            while let head = try await readHead(within: patience) {
                let incoming = ServerRequest(head, socket: socket, limits: limits)
                let response = try await handler(incoming)
                // A server that was stopped is as dead as one that was killed.
                guard !Task.isCancelled else { return }
                let goesOn = try await deliver(response, to: head, mayGoOn: incoming.isWhole)
                if !incoming.isWhole { return await socket.lingerBeforeClosing() }
                guard goesOn else { return }
                patience = limits.idleTime
            }
        } catch let refusal as RequestError {
            await refuse(refusal)
        } catch {
            // Gone: nobody is left to tell.
        }
    }

    /// Answers without having read anything, and ends.
    func refuse(_ refusal: RequestError) async {
        let refused = try? await deliver(.refusing(refusal), to: nil)
        if refused != nil { await socket.lingerBeforeClosing() }
    }

    /// `nil` where the client ended the connection between two requests, or was silent for too long.
    private func readHead(within patience: Duration) async throws -> RequestHead? {
        do {
            while socket.unread.isEmpty || socket.unread.elementsEqual([cr]) {
                guard try await socket.receive(before: .now + patience) else { return nil }
            }
        } catch is TimedOut { return nil }
        // RFC 9112 section 2.2: an empty line before a request is some old client's mistake, once.
        if socket.unread.starts(with: [cr, lf]) { socket.use(2) }
        let deadline = ContinuousClock.now + limits.headTime
        var searched = 0
        while true {
            let found = RequestHead.length(in: socket.unread.dropFirst(max(0, searched - 3)))
            if let found {
                let length = found + max(0, searched - 3)
                guard length <= limits.head else { throw RequestError(status: 431, why: "the head is too long") }
                let head = try RequestHead(socket.unread.prefix(length))
                socket.use(length)
                return head
            }
            searched = socket.unread.count
            guard searched <= limits.head else { throw RequestError(status: 431, why: "the head is too long") }
            do {
                guard try await socket.receive(before: deadline) else { throw ConnectionClosed() }
            } catch is TimedOut {
                throw RequestError(status: 408, why: "the head did not come in time")
            }
        }
    }

    /// Sends an answer; says whether the connection can serve another request.
    private func deliver(
        _ response: Response, to request: RequestHead?, mayGoOn: Bool = false
    ) async throws -> Bool {
        let keepsAlive = mayGoOn && request?.keepsAlive == true
        let isBodyless = request?.method == "HEAD" || [204, 304].contains(response.status)
        let patience = limits.bodyTime
        switch response.body {
        case .hangUp(let reset):
            if reset { socket.resetWhenClosed() }
            return false
        case .bytes(let bytes):
            let framing: Response.Framing? = response.status == 204 ? nil : .length(bytes.count)
            let head = response.head(framing: framing, close: !keepsAlive, now: time(nil))
            let isSmall = bytes.count <= Self.oneSegment
            try await socket.send((isBodyless || !isSmall ? head : head + bytes)[...], patience: patience)
            if !isBodyless, !isSmall { try await socket.send(bytes[...], patience: patience) }
            return keepsAlive
        case .stream(let wanted, let write):
            let isTooOld = wanted == .chunked && request?.isHTTP10 == true
            let framing = isTooOld ? .close : wanted
            let keepsAlive = keepsAlive && framing != .close
            let head = response.head(framing: framing, close: !keepsAlive, now: time(nil))
            try await socket.send(head[...], patience: patience)
            if isBodyless { return keepsAlive }
            do {
                let writer = BodyWriter(socket: socket, framing: framing, patience: patience)
                try await write(writer)
                try await writer.finish()
            } catch let cut as AbortResponse {
                if cut.reset { socket.resetWhenClosed() }
                throw ConnectionClosed()
            }
            return keepsAlive
        }
    }

    /// Below this, head and body are worth a copy to leave in one send(2).
    private static let oneSegment = 16 << 10
}
