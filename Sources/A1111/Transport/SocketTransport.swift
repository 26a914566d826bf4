// One request and its answer over a plain connection.
//
// URLSession on Linux could carry it, but uses a core for as long as an answer is due (it asks the kernel again and again
// whether it may write), ends the process when a server dies in the middle of a head, and reads faster than pictures can be
// stored. It carries only what needs TLS, see URLSessionTransport.swift.
// Runs: on a thread of its own or its caller's, which waits for the server and for the disk.
// Fails: as ExchangeFailure says (Failure+Transport.swift), and with what the reader of the answer throws.

import Foundation
import HTTP
import Linux
import Synchronization

/// The request, and the reader of its answer.
actor SocketTransport: Transport {
    /// It waits for the server, and pictures are written and synced while the answer comes.
    private let thread: SerialQueueExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private struct State {
        var reason: (any Error)?
        var hasBegun = false
    }
    private nonisolated let state = Mutex(State())
    private let wakeup: WakeupEvent
    private let request: ClientRequest
    let server: String
    private let silence: FirstByteTimer?
    private let admission: Admission?
    private let patience: SendLimits
    private var reader: AnswerReader?

    /// - Parameters:
    ///   - thread: where it waits; the caller's own, where that may.
    ///   - admission: asked whether there is room for the answer before it is read.
    init(
        _ request: ClientRequest, server: String, reader: consuming AnswerReader, on thread: SerialQueueExecutor?,
        silence: FirstByteTimer?, patience: SendLimits = SendLimits(), admission: Admission? = nil
    ) throws(SystemError) {
        self.patience = patience
        self.thread = thread ?? SerialQueueExecutor(label: "conversation")
        self.request = request
        self.server = server
        self.reader = consume reader
        self.silence = silence
        self.admission = admission
        wakeup = try WakeupEvent()
    }

    nonisolated var hasBegun: Bool { state.withLock { $0.hasBegun } }

    nonisolated func giveUp(because reason: any Error) {
        state.withLock { $0.reason = $0.reason ?? reason }
        wakeup.raise()
    }

    func run() async throws -> Answer {
        do {
            return try await exchange()
        } catch {
            // With the files of the pictures: their folder is emptied next.
            reader = nil
            throw state.withLock { $0.reason } ?? error
        }
    }

    private func exchange() async throws -> Answer {
        do {
            try await request.exchange(
                connectTimeout: Client.connectTimeout, pace: Client.pace, patience: patience, wakeup: wakeup,
                silence: silence.map { ($0.after, $0.tell) },
                onHead: { head in
                    try reader?.begin(status: head.status, headers: head.headers)
                    try waitForRoom(head)
                    state.withLock { $0.hasBegun = true }
                },
                onBody: { try reader?.take(Data($0)) })
        } catch let failure as ExchangeFailure {
            throw Failure(failure, server: server, status: reader?.status)
        }
        guard let reader = reader.take() else { preconditionFailure("an answer is read once") }
        return try reader.finish()
    }

    /// The server holds its answer for as long as nobody reads it.
    private func waitForRoom(_ head: ResponseHead) throws {
        guard let admission, (200..<300).contains(head.status),
            let length = head.headers["content-length"].flatMap(Int.init)
        else { return }
        while try !admission.admits(NoSpace.bytes(ofAnswer: length)) {
            if let reason = state.withLock(\.reason) { throw reason }
            Thread.sleep(forTimeInterval: Admission.interval)
        }
    }
}
