// A server that renders nothing and measures everything: one renderer behind a line, answers that are ready made, and the
// moments at which each request came, began and ended.

import Foundation
import HTTP
import Synchronization

/// Answers like A1111 does, in given times.
final class TimingServer: Sendable {
    /// What a render takes and brings.
    struct Timing: Sendable {
        /// Behind the lock.
        var render = Duration.zero
        /// In front of it: the next render has begun by then.
        var encode = Duration.zero
        var answer: [UInt8] = []
    }

    /// The moments of one request.
    struct Sample: Sendable {
        var came: ContinuousClock.Instant
        var began: ContinuousClock.Instant?
        var ended: ContinuousClock.Instant?
    }

    private struct State {
        var beats: [Sample] = []
        var isBusy = false
        var line: [CheckedContinuation<Void, Never>] = []
        var waiting: [(count: Int, heard: CheckedContinuation<Void, Never>)] = []
    }
    private final class Board: Sendable {
        let state = Mutex(State())
    }
    private let board = Board()
    private let server: Server

    init(_ tempo: Timing) throws {
        let board = board
        server = try Server.start { request in
            guard request.method == "POST", request.path == "/sdapi/v1/txt2img" else {
                return Response(
                    status: 404, headers: Self.headers, body: .bytes(Array(#"{"detail":"Not Found"}"#.utf8)))
            }
            let number = await Self.enter(board)
            if tempo.render > .zero { try? await Task.sleep(for: tempo.render) }
            Self.leave(board, number)
            if tempo.encode > .zero { try? await Task.sleep(for: tempo.encode) }
            return Response(status: 200, headers: Self.headers, body: .bytes(tempo.answer))
        }
    }

    private static let headers: Headers = ["Content-Type": "application/json"]

    private static func enter(_ board: Board) async -> Int {
        let (number, waiting) = board.state.withLock { state in
            state.beats.append(Sample(came: .now))
            defer { state.waiting.removeAll { $0.count <= state.beats.count } }
            return (state.beats.count - 1, state.waiting.filter { $0.count <= state.beats.count })
        }
        waiting.forEach { $0.heard.resume() }
        await withCheckedContinuation { turn in
            let isFree = board.state.withLock { state in
                if state.isBusy { state.line.append(turn) }
                defer { state.isBusy = true }
                return !state.isBusy
            }
            if isFree { turn.resume() }
        }
        board.state.withLock { $0.beats[number].began = .now }
        return number
    }

    private static func leave(_ board: Board, _ number: Int) {
        let next = board.state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.beats[number].ended = .now
            if state.line.isEmpty { state.isBusy = false }
            return state.line.isEmpty ? nil : state.line.removeFirst()
        }
        next?.resume()
    }

    var url: String { "http://127.0.0.1:\(server.port)" }
    var beats: [Sample] { board.state.withLock { $0.beats } }

    /// Returns when so many requests have come.
    func came(_ count: Int) async {
        await withCheckedContinuation { heard in
            let isLate = board.state.withLock { state in
                guard state.beats.count < count else { return true }
                state.waiting.append((count, heard))
                return false
            }
            if isLate { heard.resume() }
        }
    }

    /// From the end of each render to the beginning of the next, in milliseconds.
    var gaps: [Double] {
        let beats = beats
        return zip(beats, beats.dropFirst()).compactMap { before, after in
            guard let ended = before.ended, let began = after.began else { return nil }
            return (began - ended) / .milliseconds(1)
        }
    }

    func stop() async { await server.stop() }
}
