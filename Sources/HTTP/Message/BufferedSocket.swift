// The bytes of one connection, in both directions, with patience that ends.
//
// Belongs to one task; suspends where the socket would block. What goes wrong on the way is `ConnectionClosed`: whoever sat at
// the other end cannot be told any more, and the server goes on.

import Linux

/// The connection has ended, or was given up: the peer left, said nothing for too long, or the server stops.
struct ConnectionClosed: Error {
    /// What the last call said, where it was a call that said it.
    var cause: SystemError?
}

/// A connected socket and what was received but not used yet.
final class BufferedSocket {
    private let socket: Descriptor
    private let wakeup: WakeupEvent?
    private(set) var unread: ArraySlice<UInt8> = []
    /// Of all that is sent: what is sent next is taken no sooner.
    private var stall: Stall?
    /// See ``receiveNothing(behind:)``.
    private var end: ContinuousClock.Instant?

    /// - Parameter alarm: waits with the thread that it is called on, until the alarm is raised; `nil` to hold none.
    init(owning socket: consuming Descriptor, wakeup: WakeupEvent? = nil) {
        self.socket = socket
        self.wakeup = wakeup
    }

    /// Drops bytes from the front of `unread`.
    func use(_ count: Int) {
        unread = unread.dropFirst(count)
        // A slice keeps its whole array alive: an idle connection holds none.
        if unread.isEmpty { unread = [] }
    }

    /// Waits for more bytes to be unread; `false` means that the peer sends no more. Throws `TimedOut`, or `ConnectionClosed`.
    nonisolated(nonsending) func receive(before deadline: ContinuousClock.Instant) async throws -> Bool {
        // Not the slice itself: appending to it would copy whatever was used before.
        var bytes: [UInt8] = []
        while true {
            if let end, .now >= end { throw ConnectionClosed() }
            switch try reading({ try socket.receive(appendingTo: &bytes, limit: Self.pieceSize) }) {
            case .end:
                return false
            case .bytes:
                unread = unread.isEmpty ? bytes[...] : unread + bytes
                return true
            case .nothingYet:
                let moment = end.map { min($0, deadline) } ?? deadline
                let readiness = await Readiness.wait(socket, for: .reading, atMost: moment - .now, wakeup: wakeup)
                if readiness == .timedOut, moment < deadline { throw ConnectionClosed() }
                if readiness == .timedOut { throw TimedOut() }
                if readiness == .cancelled { throw ConnectionClosed() }
            }
        }
    }

    /// Sends everything; `ConnectionClosed` where the peer takes nothing for `patience`.
    nonisolated(nonsending) func send(_ bytes: ArraySlice<UInt8>, patience: Duration) async throws {
        var rest = bytes
        var stall = stall ?? Stall(patience: patience)
        defer { self.stall = stall.isBegun ? stall : nil }
        while !rest.isEmpty {
            let result: Result<Int, SystemError>
            do throws(SystemError) { result = .success(try socket.send(rest)) } catch { result = .failure(error) }
            switch stall.step(after: result, now: .now) {
            case .sent(let count): rest = rest.dropFirst(count)
            case .giveUp(let error): throw ConnectionClosed(cause: error)
            case .waitForRoom(let time):
                // Once more in any case: the kernel takes bytes before it calls a socket writable.
                let readiness = await Readiness.wait(socket, for: .writing, atMost: time, wakeup: wakeup)
                if readiness == .cancelled { throw ConnectionClosed() }
            case .rest(let time): try await pause(for: time)
            }
        }
    }

    nonisolated(nonsending) private func pause(for time: Duration) async throws {
        let end = if let wakeup { wakeup.wait(atMost: time) } else { await Readiness.wait(atMost: time) }
        if end == .cancelled { throw ConnectionClosed() }
    }

    /// From that moment on nothing is received any more: it is ``ConnectionClosed`` then.
    func receiveNothing(behind moment: ContinuousClock.Instant) { end = moment }

    func disconnect() throws(SystemError) -> DisconnectWatcher { DisconnectWatcher(try socket.duplicate()) }

    /// The coming close is an RST.
    func resetWhenClosed() {
        // What cannot be reset is closed, which ends the connection as well.
        try? socket.resetWhenClosed()
    }

    /// Ends the sending, and takes in for a while what the peer still sends. A close at once would answer unread bytes
    /// with an RST, which can destroy the last answer before it is read (RFC 9112 section 9.6).
    nonisolated(nonsending) func lingerBeforeClosing() async {
        socket.endSending()
        let deadline = ContinuousClock.now + .seconds(2)
        var budget = 4 << 20
        unread = []
        while budget > 0, let more = try? await receive(before: deadline), more {
            budget -= unread.count
            unread = []
        }
    }

    private func reading<Result>(_ call: () throws -> Result) throws -> Result {
        do { return try call() } catch { throw ConnectionClosed(cause: error as? SystemError) }
    }

    private static let pieceSize = 64 << 10
}

/// The peer did not send in time what it owes.
struct TimedOut: Error {}
