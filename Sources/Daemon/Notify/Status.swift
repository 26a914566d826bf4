// status.json: what the daemon does now, and if it does not go on, why.

import Foundation
import JSONText
import Spool

/// What the events so far come to.
struct Status: Sendable {
    /// What a queue can be in; the first of these that holds is told.
    enum State: String, Sendable, CaseIterable {
        case stopped
        case diskError = "troubled"
        case waiting = "waiting for the server"
        case paused, rendering
        /// For a moment at which something is tried again, or for room on the disk.
        case retrying = "waiting"
        case idle
    }

    private var hasStopped = false
    private var trouble: String?
    /// Why nothing new can come in.
    private var lack: String?
    /// Why results of some jobs find no room.
    private var shortage: String?
    /// Jobs that are sent later, when, and why.
    private var retries: [Ticket: (at: Timestamp, reason: String)] = [:]
    /// Servers that are waited for, and why.
    private(set) var away: [String: String] = [:]
    private var isPaused = false
    private(set) var rendering: [(ticket: Ticket, server: String)] = []
    private(set) var servers: [String] = []
    /// When the state became what it is.
    private(set) var since = Timestamp.now

    var state: State {
        if hasStopped { return .stopped }
        if trouble != nil || lack != nil { return .diskError }
        if !away.isEmpty, away.count >= servers.count { return .waiting }
        if isPaused, rendering.isEmpty { return .paused }
        if !rendering.isEmpty { return .rendering }
        return shortage != nil || !retries.isEmpty ? .retrying : .idle
    }

    /// How many jobs are with a server.
    var renderingCount: Int { rendering.count }

    /// Whether a server answers.
    func isUp(_ server: String) -> Bool { away[server] == nil }

    /// Takes in what has happened.
    mutating func record(_ event: Event, at now: Timestamp = .now) {
        let before = state
        // It is put back while it waits for its next attempt.
        if let ticket = event.ticket, event.kind != "putBack" { retries[ticket] = nil }
        switch event {
        case .ready(_, let servers, _): self.servers = servers
        case .diskError(let error): trouble = error.description
        case .serverAway(let server, let reason):
            // What was under way there is put back in silence.
            away[server] = reason
            rendering.removeAll { $0.server == server }
        case .serverBack(let server, _): away[server] = nil
        case .paused(let paused): isPaused = paused
        case .started(let ticket, let server):
            trouble = nil
            rendering.removeAll { $0.ticket == ticket }
            rendering.append((ticket, server))
        case .accepted, .expanded, .refused, .queued, .moved: trouble = nil
        case .done(let ticket, _, _, _, _), .failed(let ticket, _, _):
            trouble = nil
            rendering.removeAll { $0.ticket == ticket }
        case .requeued(let ticket), .cancelled(let ticket): rendering.removeAll { $0.ticket == ticket }
        case .retrying(let ticket, let reason, let delay):
            rendering.removeAll { $0.ticket == ticket }
            let moment = Timestamp(microseconds: now.microseconds + Int64(delay / .microseconds(1)))
            retries[ticket] = (moment, "\(ticket.name) is tried again at \(moment.iso8601): \(reason)")
        case .delayed(let ticket, let reason, let delay):
            let moment = Timestamp(microseconds: now.microseconds + Int64(delay / .microseconds(1)))
            retries[ticket] = (moment, "\(ticket.name) is sent at \(moment.iso8601) at the latest: \(reason)")
        case .noSpace(let ticket, _, _):
            rendering.removeAll { $0.ticket == ticket }
            shortage = event.message
        case .spaceAgain: shortage = nil
        case .stopping:
            hasStopped = true
            (rendering, retries) = ([], [:])
        case .inbox(_, let isThere): lack = isThere ? nil : event.message
        case .recovered, .leftAlone, .directoryReplaced, .rescans, .polling, .watched, .oneAtATime, .pruned, .notPruned,
            .notifyFailed, .hookFailed,
            .hookOverloaded, .hookDropped, .callbackTold, .callbackFailed, .callbackGivenUp:
            break
        }
        if state != before { since = now }
    }

    /// Why it does not go on; `nil` where it does, or has nothing to do.
    var reason: String? {
        switch state {
        case .diskError: trouble ?? lack
        case .waiting: servers.compactMap { away[$0] }.joined(separator: "; ")
        case .paused: "PAUSE lies in the spool"
        case .retrying:
            shortage ?? retries.values.min { $0.at < $1.at }?.reason
        case .stopped, .rendering, .idle: nil
        }
    }

    /// The text of the file.
    func document(at now: Timestamp = .now) -> Data {
        var members: [(String, JSONValue)] = [("state", .string(state.rawValue))]
        if let reason { members.append(("reason", .string(reason))) }
        members += [
            ("since", .string(since.iso8601)), ("servers", .array(servers.map(document))),
            ("rendering", .array(rendering.map { .string($0.ticket.description) })),
            ("updated", .string(now.iso8601)),
        ]
        return JSONValue.object(members).document
    }

    private func document(of server: String) -> JSONValue {
        var members: [(String, JSONValue)] = [("url", .string(server)), ("up", .boolean(isUp(server)))]
        if let reason = away[server] { members.append(("reason", .string(reason))) }
        let own = rendering.filter { $0.server == server }
        members.append(("rendering", .array(own.map { .string($0.ticket.description) })))
        return .object(members)
    }
}
