// One request and its answer, over a connection of their own.
//
// Nothing is sent twice, nothing is followed, nothing is unpacked; the body is handed on piece by piece, and no more is
// read from the socket before a piece is dealt with. While the server is silent nothing runs here at all.

@preconcurrency import Dispatch
import Linux

/// Why an exchange brought no whole answer.
package enum ExchangeFailure: Error, Sendable {
    /// Nobody was reached; the server knows nothing of the request.
    case notConnected(SystemError)
    /// It broke, or was ended by the server, behind the request.
    case broken(SystemError?)
    /// The server sent a body shorter than it had said.
    case cut
    /// The body came more slowly than anybody waits for.
    case slow
    /// What came is no HTTP: the request was not understood.
    case foreign(String)
    /// What came begins as HTTP does, and is no answer of HTTP/1.1.
    case malformed(String)

    /// The same told by its cause, a sending that failed; `nil` where it has another one.
    fileprivate func caused(by error: SystemError) -> ExchangeFailure? {
        switch self {
        case .broken, .cut, .slow: .broken(error)
        case .notConnected, .foreign, .malformed: nil
        }
    }
}

extension ClientRequest {
    /// Sends the request and reads the answer: `onHead` once, then `onBody` for each piece of the body.
    ///
    /// Throws ``ExchangeFailure``, CancellationError, and what the two closures throw. Runs where its caller runs; a
    /// closure that blocks wants an executor of its own.
    ///
    /// - Parameters:
    ///   - alarm: waits with the thread of its caller, and is given up (`broken`) when the alarm is raised; `nil` to hold no
    ///     thread.
    ///   - silence: called once where the server has said nothing for so long behind the request.
    nonisolated(nonsending) package func exchange(
        connectTimeout: Duration, pace: MinimumRate, patience: SendLimits = SendLimits(), wakeup: WakeupEvent? = nil,
        silence: (after: Duration, tell: () -> Void)? = nil, onHead: (ResponseHead) throws -> Void,
        onBody: nonisolated(nonsending) (ArraySlice<UInt8>) async throws -> Void
    ) async throws {
        let socket = BufferedSocket(owning: try await connect(within: connectTimeout, wakeup), wakeup: wakeup)
        var sendFailure: SystemError?
        do {
            try await send(over: socket, patience.stall)
        } catch let error as ConnectionClosed {
            try Task.checkCancellation()
            // A server that refuses a body may have said so before it closed: its answer counts. Another one does not come
            // any more: it has not got the request.
            sendFailure = error.cause ?? .timedOut("send", "\(host):\(port)")
            socket.receiveNothing(behind: .now + patience.answer)
        }
        do {
            if let silence, sendFailure == nil { try await wait(for: socket, silence.after, silence.tell) }
            try await readAnswer(socket, pace, onHead: onHead, onBody: onBody)
        } catch let error as ConnectionClosed {
            try Task.checkCancellation()
            throw ExchangeFailure.broken(sendFailure ?? error.cause)
        } catch let failure as ExchangeFailure {
            throw sendFailure.flatMap(failure.caused(by:)) ?? failure
        } catch let error as RequestError {
            throw ExchangeFailure.malformed(error.why)
        }
    }

    nonisolated(nonsending) private func wait(
        for socket: BufferedSocket, _ time: Duration, _ tell: () -> Void
    ) async throws {
        // An end is found again by whoever reads the answer.
        do { _ = try await socket.receive(before: .now + time) } catch is TimedOut { tell() }
    }

    /// A small request leaves at once: the server would be woken by each part of it. A body of pictures is never in memory
    /// as a whole.
    nonisolated(nonsending) private func send(over socket: BufferedSocket, _ patience: Duration) async throws {
        var bytes = head
        for piece in body ?? [] {
            for start in stride(from: 0, to: piece.length, by: Self.pieceSize) {
                bytes += try piece.read(start..<min(start + Self.pieceSize, piece.length))
                guard bytes.count >= Self.pieceSize else { continue }
                try await socket.send(bytes[...], patience: patience)
                bytes = []
            }
        }
        try await socket.send(bytes[...], patience: patience)
    }

    private static let pieceSize = 256 << 10

    nonisolated(nonsending) private func readAnswer(
        _ socket: BufferedSocket, _ pace: MinimumRate, onHead: (ResponseHead) throws -> Void,
        onBody: nonisolated(nonsending) (ArraySlice<UInt8>) async throws -> Void
    ) async throws {
        var head = try await readHead(socket, pace)
        // An interim answer announces the final one (RFC 9110 section 15.2).
        var interim = 0
        while head.status < 200 {
            interim += 1
            guard interim <= Self.interimLimit else {
                throw ExchangeFailure.malformed("more than \(Self.interimLimit) interim answers")
            }
            head = try await readHead(socket, pace)
        }
        try onHead(head)
        var window = Window(pace, now: .now)
        switch head.framing {
        case .length(var left):
            while left > 0 {
                if socket.unread.isEmpty, try await !window.receive(from: socket) { throw ExchangeFailure.cut }
                let piece = socket.unread.prefix(left)
                try await onBody(piece)
                left -= piece.count
                socket.use(piece.count)
            }
        case .chunked:
            var decoder = ChunkedDecoder(limit: .max)
            while true {
                var piece: [UInt8] = []
                socket.use(try decoder.decode(socket.unread, into: &piece))
                if !piece.isEmpty { try await onBody(piece[...]) }
                if decoder.isComplete { return }
                if try await !window.receive(from: socket) { throw ExchangeFailure.cut }
            }
        case .close:
            repeat {
                if !socket.unread.isEmpty { try await onBody(socket.unread) }
                socket.use(socket.unread.count)
            } while try await window.receive(from: socket)
        }
    }

    /// The window in which a body comes.
    struct Window {
        let pace: MinimumRate
        private var end: ContinuousClock.Instant
        private var missing: Int

        init(_ pace: MinimumRate, now: ContinuousClock.Instant) {
            self.pace = pace
            end = now + pace.window
            missing = pace.bytes
        }

        /// Whether more is waited for. Where its time is over, and enough has come in it, the next one begins.
        mutating func goesOn(at now: ContinuousClock.Instant) -> Bool {
            guard now >= end else { return true }
            guard missing <= 0 else { return false }
            self = Window(pace, now: now)
            return true
        }

        mutating func took(_ count: Int) { missing -= count }

        nonisolated(nonsending) mutating func receive(from socket: BufferedSocket) async throws -> Bool {
            while true {
                guard goesOn(at: .now) else { throw ExchangeFailure.slow }
                let before = socket.unread.count
                do {
                    guard try await socket.receive(before: end) else { return false }
                    took(socket.unread.count - before)
                    return true
                } catch is TimedOut {
                    continue
                }
            }
        }
    }

    /// A server that says "Processing" (102) says it every few seconds, and a render takes hours at most.
    private static let interimLimit = 10_000

    nonisolated(nonsending) private func readHead(_ socket: BufferedSocket, _ pace: MinimumRate) async throws
        -> ResponseHead
    {
        // A render is silent for as long as it takes; a head that has begun is not.
        var deadline = ContinuousClock.Instant.distantFuture
        var searched = 0
        while true {
            let start = max(0, searched - 3)
            if let length = RequestHead.length(in: socket.unread.dropFirst(start)).map({ $0 + start }) {
                defer { socket.use(length) }
                return try ResponseHead(socket.unread.prefix(length), to: method)
            }
            if searched == 0, !socket.unread.isEmpty { deadline = .now + pace.window }
            searched = socket.unread.count
            // What does not begin like HTTP is told at once; it may never end a line.
            let opening = socket.unread.prefix(5)
            guard "HTTP/".utf8.starts(with: opening) else {
                throw ExchangeFailure.foreign("it begins with \"\(escapedForPeople(Array(socket.unread.prefix(20))))\"")
            }
            guard socket.unread.count <= Limits().head else { throw ExchangeFailure.malformed("its head has no end") }
            do {
                guard try await socket.receive(before: deadline) else {
                    throw socket.unread.isEmpty ? ExchangeFailure.broken(nil) : .cut
                }
            } catch is TimedOut {
                throw ExchangeFailure.slow
            }
        }
    }

    nonisolated(nonsending) private func connect(
        within timeout: Duration, _ wakeup: WakeupEvent?
    ) async throws -> Descriptor {
        let deadline = ContinuousClock.now + timeout
        var failure = SystemError.timedOut("connect", "\(host):\(port)")
        for peer in try await peers(wakeup) {
            do {
                let socket = try peer.connect()
                switch await Readiness.wait(socket, for: .writing, atMost: deadline - .now, wakeup: wakeup) {
                case .cancelled: throw CancellationError()
                case .timedOut: throw SystemError.timedOut("connect", "\(host):\(port)")
                case .ready: break
                }
                let code = try socket.pendingError()
                guard code == 0 else { throw SystemError(call: "connect", code: code, path: "\(host):\(port)") }
                return socket
            } catch let error as SystemError {
                failure = error
            }
        }
        throw ExchangeFailure.notConnected(failure)
    }

    private static let lookups = BlockingCalls(label: "look-up", width: 16)

    /// A look-up blocks: it is not for the threads that everything else runs on.
    nonisolated(nonsending) private func peers(_ wakeup: WakeupEvent?) async throws -> [ResolvedAddress] {
        if let peers { return peers }
        do {
            if wakeup != nil { return try ResolvedAddress.all(of: host, port: port) }
            return try await Self.lookups.run { [host, port] in try ResolvedAddress.all(of: host, port: port) }
        } catch let error as SystemError {
            throw ExchangeFailure.notConnected(error)
        }
    }
}

extension ContinuousClock.Instant {
    /// Later than anybody waits; a render is silent for as long as it takes.
    static var distantFuture: ContinuousClock.Instant { .now + .seconds(10 * 365 * 24 * 3600) }
}
