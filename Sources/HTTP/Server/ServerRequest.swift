// A request whose body is still on its way: read piece by piece, by whoever wants it.
//
// Until the first piece is asked for a client that has asked for leave to send (RFC 9110 section 10.1.1) gets none, so
// what is refused by its head alone costs nobody a body.

import Linux

/// One request: its head, and its body as it comes. Belongs to the task that serves it.
package struct ServerRequest {
    let head: RequestHead
    private let socket: BufferedSocket
    private let limits: Limits
    private let state: State

    /// Shared by the copies of one request.
    private final class State {
        var decoder: ChunkedDecoder?
        /// Of a body whose length was told.
        var left = 0
        /// What has come, framing and all, and how long it was waited for.
        var received = 0
        var waited = Duration.zero
        var isInvited = false
        var isWhole = false
    }

    init(_ head: RequestHead, socket: BufferedSocket, limits: Limits) {
        self.head = head
        self.socket = socket
        self.limits = limits
        state = State()
        switch head.framing {
        case .length(let length):
            state.left = length
            state.isWhole = length == 0
        case .chunked: state.decoder = ChunkedDecoder(limit: limits.body)
        }
    }

    /// As it was sent; methods are case-sensitive (RFC 9110 section 9.1).
    package var method: String { head.method }
    /// What comes before the question mark, not percent-decoded.
    package var path: String { head.path }
    /// What comes after the question mark, not percent-decoded; `nil` where there is none.
    package var query: String? { head.query }
    /// Path and query as they were sent.
    package var target: String { head.target }
    /// The field lines in their order.
    package var headers: Headers { head.headers }

    /// Whether all of the body was read: the next request begins behind it.
    var isWhole: Bool { state.isWhole }

    /// The next piece of the body, never empty, as it comes; `nil` behind the last one.
    ///
    /// Throws where it is too long, broken or too slow, or its sender is gone. The server answers for that: let it pass.
    nonisolated(nonsending) package func next() async throws -> [UInt8]? {
        // A client that sends all at once never lets it wait.
        try Task.checkCancellation()
        try await invite()
        while !state.isWhole {
            let piece = try take()
            if !piece.isEmpty { return piece }
            if !state.isWhole { try await receive() }
        }
        return nil
    }

    /// All of it that is still to come. Throws as ``next()`` does.
    nonisolated(nonsending) package func rest() async throws -> [UInt8] {
        var body: [UInt8] = []
        while let piece = try await next() { if body.isEmpty { body = piece } else { body += piece } }
        return body
    }

    /// What tells of the client's end; for who lets it wait for longer than a moment.
    package func disconnect() throws(SystemError) -> DisconnectWatcher { try socket.disconnect() }

    private func take() throws -> [UInt8] {
        if state.decoder != nil {
            var piece: [UInt8] = []
            let used = try state.decoder?.decode(socket.unread, into: &piece) ?? 0
            socket.use(used)
            state.isWhole = state.decoder?.isComplete ?? true
            return piece
        }
        let piece = Array(socket.unread.prefix(state.left))
        socket.use(piece.count)
        state.left -= piece.count
        state.isWhole = state.left == 0
        return piece
    }

    nonisolated(nonsending) private func invite() async throws {
        guard !state.isInvited else { return }
        state.isInvited = true
        if case .length(let length) = head.framing, length > limits.body {
            throw RequestError(status: 413, why: "the body is too long")
        }
        // A client that has begun to send does not wait for the word any more.
        guard !state.isWhole, head.expectsContinue, socket.unread.isEmpty else { return }
        try await socket.send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)[...], patience: limits.bodyTime)
    }

    nonisolated(nonsending) private func receive() async throws {
        let patience = limits.patience(behind: state.received, waited: state.waited)
        let start = ContinuousClock.now
        do {
            guard try await socket.receive(before: start + patience) else { throw ConnectionClosed() }
        } catch is TimedOut {
            throw RequestError(status: 408, why: "the body did not come in time")
        }
        state.waited += .now - start
        state.received += socket.unread.count
    }
}

/// The client's end of a connection, watched while its request is being worked at.
package final class DisconnectWatcher: Sendable {
    /// One more for the same connection: it is closed on its own, whatever becomes of the other.
    private let socket: Descriptor

    init(_ socket: consuming Descriptor) { self.socket = socket }

    /// Returns when the client is gone, or when the task is cancelled. One that has only ended its sending (`nc -N`) waits for
    /// its answer (RFC 9112 section 9.6); whether it does, or has closed the connection, the kernel finds out.
    package func wait() async {
        while !Task.isCancelled, !socket.isBroken {
            switch socket.look() {
            case .nothingYet: _ = await Readiness.wait(socket, for: .reading, atMost: .seconds(3600))
            // There is something to be read all the time, so that cannot be waited for.
            case .bytes, .end: _ = await Readiness.wait(atMost: .seconds(5))
            }
        }
    }
}
