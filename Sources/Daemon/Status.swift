// status.json: what the daemon does now, and if it does not go on, why.

import Foundation
import JSONText
import Spool

/// What the events so far come to.
struct Status: Sendable {
    /// What a queue can be in; the first of these that holds is told.
    enum State: String, Sendable {
        case stopped, troubled
        case waiting = "waiting for the server"
        case paused, rendering, idle
    }

    private var hasStopped = false
    private var trouble: String?
    private var away: String?
    private var isPaused = false
    private var rendering: [Ticket] = []
    private(set) var server = ""
    /// When the state became what it is.
    private(set) var since = Stamp.now

    var state: State {
        if hasStopped { return .stopped }
        if trouble != nil { return .troubled }
        if away != nil { return .waiting }
        if isPaused, rendering.isEmpty { return .paused }
        return rendering.isEmpty ? .idle : .rendering
    }

    /// Takes in what has happened.
    mutating func note(_ event: Event, at now: Stamp = .now) {
        let before = state
        switch event {
        case .ready(_, let server, _): self.server = server
        case .troubled(let error): trouble = error.description
        case .serverAway(_, let reason):
            // What was under way there is put back in silence.
            away = reason
            rendering = []
        case .serverBack: away = nil
        case .paused(let paused): isPaused = paused
        case .started(let ticket, _):
            trouble = nil
            rendering.removeAll { $0 == ticket }
            rendering.append(ticket)
        case .accepted, .expanded, .refused: trouble = nil
        case .done(let ticket, _, _, _, _), .failed(let ticket, _, _):
            trouble = nil
            rendering.removeAll { $0 == ticket }
        case .putBack(let ticket), .cancelled(let ticket), .tryingAgain(let ticket, _, _):
            rendering.removeAll { $0 == ticket }
        case .stopping:
            hasStopped = true
            rendering = []
        case .recovered, .leftAlone: break
        }
        if state != before { since = now }
    }

    /// The text of the file.
    func document(at now: Stamp = .now) -> Data {
        var members: [(String, JSONValue)] = [("state", .string(state.rawValue))]
        let reason: String? =
            switch state {
            case .troubled: trouble
            case .waiting: away
            case .paused: "PAUSE lies in the spool"
            case .stopped, .rendering, .idle: nil
            }
        if let reason { members.append(("reason", .string(reason))) }
        members += [
            ("since", .string(since.iso8601)), ("server", .string(server)),
            ("rendering", .array(rendering.map { .string($0.description) })), ("updated", .string(now.iso8601)),
        ]
        return JSONValue.object(members).document
    }
}
