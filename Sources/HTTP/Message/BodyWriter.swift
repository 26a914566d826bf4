// A body that is written piece by piece, in the framing that its head has announced.

/// Hands the pieces of a streamed body to the client, as fast as the client takes them.
package struct BodyWriter {
    private let socket: BufferedSocket
    private let framing: Response.Framing
    private let patience: Duration
    private let tally: Tally

    init(socket: BufferedSocket, framing: Response.Framing, patience: Duration) {
        self.socket = socket
        self.framing = framing
        self.patience = patience
        self.tally = Tally()
    }

    /// Sends a piece; an empty one is nothing. Throws where the client is gone, where the server stops, or where there would be more bytes
    /// than the head has announced: let it pass through, the connection is of no more use.
    package func write(_ bytes: some Sequence<UInt8>) async throws {
        // A client that takes all at once never lets it wait.
        try Task.checkCancellation()
        let bytes = Array(bytes)
        guard !bytes.isEmpty else { return }
        tally.count += bytes.count
        switch framing {
        case .length(let length):
            guard tally.count <= length else { throw AbortResponse(reset: false) }
            try await socket.send(bytes[...], patience: patience)
        case .chunked:
            let size = Array((String(bytes.count, radix: 16) + "\r\n").utf8)
            try await socket.send((size + bytes + [cr, lf])[...], patience: patience)
        case .close:
            try await socket.send(bytes[...], patience: patience)
        }
    }

    /// Ends the body as its framing wants it; throws where bytes are missing.
    func finish() async throws {
        switch framing {
        case .length(let length): guard tally.count == length else { throw AbortResponse(reset: false) }
        case .chunked: try await socket.send(Array("0\r\n\r\n".utf8)[...], patience: patience)
        case .close: break
        }
    }

    /// Shared by the copies of one writer.
    private final class Tally {
        var count = 0
    }
}
