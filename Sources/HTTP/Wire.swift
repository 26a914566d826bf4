// The bytes of one connection, in both directions, with patience that ends.
//
// Belongs to one task; suspends where the socket would block. What goes wrong on the way is `Gone`: whoever sat at
// the other end cannot be told any more, and the server goes on.

import Linux

/// The connection has ended, or was given up: the peer left, said nothing for too long, or the server stops.
struct Gone: Error {
    /// What the last call said, where it was a call that said it.
    var cause: SystemError?
}

/// A connected socket and what was received but not used yet.
final class Wire {
    private let socket: Descriptor
    private let alarm: Alarm?
    private(set) var unread: ArraySlice<UInt8> = []

    /// - Parameter alarm: waits with the thread that it is called on, until the alarm is raised; `nil` to hold none.
    init(owning socket: consuming Descriptor, alarm: Alarm? = nil) {
        self.socket = socket
        self.alarm = alarm
    }

    /// Drops bytes from the front of `unread`.
    func use(_ count: Int) {
        unread = unread.dropFirst(count)
        // A slice keeps its whole array alive: an idle connection holds none.
        if unread.isEmpty { unread = [] }
    }

    /// Waits for more bytes to be unread; `false` means that the peer sends no more. Throws `TimedOut`, or `Gone`.
    nonisolated(nonsending) func receive(before deadline: ContinuousClock.Instant) async throws -> Bool {
        // Not the slice itself: appending to it would copy whatever was used before.
        var bytes: [UInt8] = []
        while true {
            switch try reading({ try socket.receive(appendingTo: &bytes, limit: Self.pieceSize) }) {
            case .end:
                return false
            case .bytes:
                unread = unread.isEmpty ? bytes[...] : unread + bytes
                return true
            case .nothingYet:
                let readiness = await Readiness.wait(socket, for: .reading, atMost: deadline - .now, alarm: alarm)
                if readiness == .timedOut { throw TimedOut() }
                if readiness == .cancelled { throw Gone() }
            }
        }
    }

    /// Sends everything; `Gone` where the peer takes nothing for `patience`.
    nonisolated(nonsending) func send(_ bytes: ArraySlice<UInt8>, patience: Duration) async throws {
        var rest = bytes
        while !rest.isEmpty {
            let count = try reading { try socket.send(rest) }
            rest = rest.dropFirst(count)
            if count == 0, await Readiness.wait(socket, for: .writing, atMost: patience, alarm: alarm) != .ready {
                throw Gone()
            }
        }
    }

    func departure() throws(SystemError) -> Departure { Departure(try socket.duplicate()) }

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
        do { return try call() } catch { throw Gone(cause: error as? SystemError) }
    }

    private static let pieceSize = 64 << 10
}

/// The peer did not send in time what it owes.
struct TimedOut: Error {}
