// The order among jobs of one priority where loading another checkpoint costs the server more than its turn is worth.

import A1111
import Foundation
import JSONText
import Spool
import Synchronization

/// Which checkpoint a waiting job needs.
enum WantedCheckpoint: Equatable, Sendable {
    /// The one that the server is set to.
    case own
    /// Another, by its file's name without ending.
    case named(String)
    /// It keeps its turn, whatever is loaded: it may change what the server is set to, or nobody knows what it is.
    case turn

    /// What a job file asks for.
    init(_ file: JobFile) {
        guard (try? file.endpoint)?.service != nil else {
            self = .turn
            return
        }
        guard let overrides = file.object.value(of: "override_settings").flatMap({ try? ObjectText($0) }),
            let value = overrides.value(of: "sd_model_checkpoint"),
            let name = try? JSONDecoder().decode(String.self, from: value), !name.isEmpty
        else {
            self = .own
            return
        }
        self = .named(Self.plain(name))
    }

    /// `anime/v3.safetensors [d34db33f]`, `v3.safetensors` and `v3` are one checkpoint's names.
    private static func plain(_ name: String) -> String {
        let file = name.prefix { $0 != "[" }.trimmingCharacters(in: .whitespaces)
        let last = file.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last.map(String.init) ?? file
        for ending in [".safetensors", ".ckpt"] where last.hasSuffix(ending) {
            return String(last.dropLast(ending.count))
        }
        return last
    }
}

/// Which of the waiting jobs is to be taken, by its place from the front: the first that wants what is loaded, if none
/// before it keeps its turn or has been overtaken `limit` times already. Otherwise the first.
///
/// - Parameter waiting: jobs of one priority, in order, `limit` + 1 of them at most.
func choice(of waiting: [(wanted: WantedCheckpoint, overtaken: Int)], loaded: WantedCheckpoint, limit: Int) -> Int {
    guard loaded != .turn else { return 0 }
    for (place, job) in waiting.prefix(limit + 1).enumerated() {
        if job.wanted == .turn { return 0 }
        if job.wanted == loaded { return place }
        if job.overtaken >= limit { return 0 }
    }
    return 0
}

/// What is known of the waiting jobs and of the servers, for as long as the daemon lives. Only where jobs are grouped.
final class CheckpointAffinity: Sendable {
    private struct State {
        /// Of jobs that were looked at: each file is read once.
        var wishes: [Ticket: WantedCheckpoint] = [:]
        var overtaken: [Ticket: Int] = [:]
        /// What the last job at each server has it load.
        var loaded: [SlotKey: WantedCheckpoint] = [:]
    }
    private let state = Mutex(State())
    /// So many jobs go before another.
    let limit: Int
    private let read: @Sendable (Ticket) -> WantedCheckpoint

    /// - Parameter read: looks into the file of a waiting job; may block.
    init(limit: Int, read: @escaping @Sendable (Ticket) -> WantedCheckpoint) {
        self.limit = limit
        self.read = read
    }

    /// Reads those of the next jobs that nobody has read yet.
    func look(at next: [Ticket]) {
        for ticket in next where state.withLock({ $0.wishes[ticket] == nil }) {
            let wanted = read(ticket)
            state.withLock { $0.wishes[ticket] = wanted }
        }
    }

    /// Takes one of the jobs that come next, for a server: the others are overtaken.
    func take(of next: [Ticket], for slot: SlotKey) -> Ticket? {
        state.withLock { state in
            // A server that was given no job yet has loaded what it is set to.
            let loaded = state.loaded[slot] ?? .own
            let waiting = next.map { (wanted: state.wishes[$0] ?? .turn, overtaken: state.overtaken[$0] ?? 0) }
            guard !next.isEmpty else { return nil }
            let place = choice(of: waiting, loaded: loaded, limit: limit)
            for ticket in next[..<place] { state.overtaken[ticket, default: 0] += 1 }
            let ticket = next[place]
            // One that keeps its turn leaves what the server is set to.
            let wanted = waiting[place].wanted
            state.loaded[slot] = wanted == .turn ? .own : wanted
            (state.wishes[ticket], state.overtaken[ticket]) = (nil, nil)
            return ticket
        }
    }
}

extension CheckpointAffinity {
    /// Of a daemon; `nil` where it keeps strict order.
    convenience init?(_ options: DaemonOptions, _ spool: Spool) {
        guard options.groupLimit > 0 else { return nil }
        self.init(limit: options.groupLimit) { ticket in
            // What cannot be read is met in its turn.
            (try? JobFiles(spool).waitingJob(ticket, upTo: options.cap)).flatMap { $0 }.map(WantedCheckpoint.init)
                ?? .turn
        }
    }
}
