// From a request to a file in the inbox: written as it comes, with the endpoint that was asked put into its `sdspool` key,
// and nothing else of it changed.

import A1111
import A1111API
import Foundation
import HTTP
import JSONText
import Linux
import Spool
import Synchronization

/// Drops what clients send.
package final class JobSubmission: Sendable {
    private let spool: Spool
    private let tracker: JobTracker
    /// Held between the look for an earlier job of a key and the drop.
    private let keys = Mutex(())

    package init(_ spool: Spool, _ tracker: JobTracker) {
        self.spool = spool
        self.tracker = tracker
    }

    /// A job that was dropped, and the news of it since then.
    package struct Submitted {
        package let name: JobName
        package let events: AsyncStream<JobEvent>
        /// False for one that an earlier request with the same key has dropped.
        package let isNew: Bool
    }

    /// What cannot be taken, in the shape in which A1111 says so.
    package struct Unfit: Error {
        let response: Response
    }

    /// Takes the job in a request's body. Throws ``Unfit``, what reading the body throws, and ``SystemError`` where it cannot
    /// be written.
    package nonisolated(nonsending) func take(_ incoming: ServerRequest, as service: Endpoint.Service) async throws
        -> Submitted
    {
        let name = try incoming.headers["idempotency-key"].map(Self.name(ofKey:))
        return try await withDraft { draft in
            let scanner = try await write(incoming, to: draft)
            let (jobOptions, hasMembers) = (scanner.jobOptions, scanner.hasMembers)
            try await HTTPGateway.writes.run {
                try Self.complete(draft, jobOptions: jobOptions, hasMembers: hasMembers, service)
            }
            if let name { return try await drop(draft, keyed: name) }
            return try await drop(draft, called: scanner.prompt.isEmpty ? service.rawValue : scanner.prompt)
        }
    }

    /// Takes a job that is whole.
    package nonisolated(nonsending) func take(_ job: Data, called words: String) async throws -> Submitted {
        try await withDraft { draft in
            try await HTTPGateway.writes.run { try draft.write(job) }
            return try await drop(draft, called: words)
        }
    }

    // MARK: Writing

    /// The draft is gone when it returns, however it does: also for a client that has left, and at the gateway's end.
    nonisolated(nonsending) private func withDraft(
        _ body: nonisolated(nonsending) (JobDraft) async throws -> Submitted
    ) async throws -> Submitted {
        let draft = try await HTTPGateway.writes.run { [spool] in try Inbox(spool).draft() }
        let result: Result<Submitted, any Error>
        do { result = .success(try await body(draft)) } catch { result = .failure(error) }
        try await HTTPGateway.writes.run { draft.discard() }
        return try result.get()
    }

    nonisolated(nonsending) private func write(_ incoming: ServerRequest, to draft: JobDraft) async throws -> JobScanner
    {
        var scanner = JobScanner()
        var taken = 0
        do {
            while let piece = try await incoming.next() {
                try scanner.feed(piece)
                // Up to the closing brace: the endpoint goes before it.
                let left = scanner.end.map { max(0, $0 - 1 - taken) } ?? piece.count
                if left > 0 { try await HTTPGateway.writes.run { try draft.write(piece.prefix(left)) } }
                taken += piece.count
            }
            try scanner.finish()
        } catch let error as JSONSyntaxError {
            throw Unfit(response: .unfit("JSON decode error: \(error.problem)", at: error.offset))
        }
        return scanner
    }

    private static func complete(
        _ draft: JobDraft, jobOptions place: Range<Int>?, hasMembers: Bool, _ service: Endpoint.Service
    ) throws {
        let own: ObjectText?
        if let place {
            guard place.count < 1 << 20, let object = try? ObjectText(draft.read(place)) else {
                throw Unfit(
                    response: .unfit("\"sdspool\" must be an object such as {\"priority\": 3}", at: place.lowerBound))
            }
            own = object
        } else {
            own = nil
        }
        try draft.write(ending(jobOptions: own, hasMembers: hasMembers, service))
    }

    /// What stands in the place of a job's closing brace, for it to go where it was sent.
    package static func ending(jobOptions: ObjectText?, hasMembers: Bool, _ service: Endpoint.Service) -> Data {
        let endpoint = ("endpoint", JSONString.encoded(service.path))
        let jobOptions =
            jobOptions?.text(removing: ["method"], setting: [endpoint])
            ?? Data("{\"endpoint\": ".utf8) + endpoint.1 + Data("}".utf8)
        // Of a key that comes twice the last one counts.
        return Data((hasMembers ? ", " : "").utf8) + Data("\"sdspool\": ".utf8) + jobOptions + Data("}\n".utf8)
    }

    // MARK: Dropping

    /// Under words of its own and a few characters of chance. No two jobs of the gateway have one name, as a result's folder is
    /// the job's name: chance alone gives two of some ten thousand jobs with one prompt the same.
    nonisolated(nonsending) private func drop(_ draft: JobDraft, called words: String) async throws -> Submitted {
        while true {
            let mark = String((0..<6).compactMap { _ in "abcdefghijkmnpqrstuvwxyz23456789".randomElement() })
            let name = try Self.name("\(JobName.words(of: words))-\(mark)")
            let events = tracker.listen(to: name)
            let isDropped = try await HTTPGateway.writes.run { [spool, tracker] in
                guard tracker.ticket(of: name) == nil, try Results(spool).ended(name.with(suffix: "")) == nil else {
                    return false
                }
                return try Inbox(spool).drop(draft, named: name)
            }
            if isDropped {
                return Submitted(name: name, events: events, isNew: true)
            }
        }
    }

    nonisolated(nonsending) private func drop(_ draft: JobDraft, keyed name: JobName) async throws -> Submitted {
        let events = tracker.listen(to: name)
        let isNew = try await HTTPGateway.writes.run { [self] in
            try draft.sync()
            // The disk is not waited for in here: all clients with keys would stand behind one another.
            let isNew = try keys.withLock { _ in
                guard tracker.ticket(of: name) == nil, try Inbox(spool).isFree(name) else { return false }
                return try Inbox(spool).place(draft, named: name)
            }
            if isNew { try Inbox(spool).keep(name) }
            return isNew
        }
        return Submitted(name: name, events: events, isNew: isNew)
    }

    private static func name(ofKey key: String) throws -> JobName {
        let key = key.trimmingCharacters(in: CharacterSet(charactersIn: "\""))
        guard (1...128).contains(key.utf8.count) else {
            throw Unfit(response: .plain(400, "an Idempotency-Key has 1 to 128 characters"))
        }
        // What a name cannot hold is escaped with a %: two keys are never one name.
        return try name("key-\(key.replacing("%", with: "%25").replacing("/", with: "%2f"))")
    }

    private static func name(_ text: String) throws -> JobName {
        guard let name = JobName(called: text) else {
            throw Unfit(response: .plain(400, "no job can be called so"))
        }
        return name
    }
}

extension JobSubmission.Submitted {
    /// Returns when the daemon has taken it, and soon in any case: one that is paused by its disk may take long.
    package func taken(_ tracker: JobTracker) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [events, name, isNew] in
                guard tracker.ticket(of: name) == nil, isNew else { return }
                for await _ in events { return }
            }
            group.addTask { try? await TaskQueueExecutor.rest(for: TimeLimit.with(.seconds(2))) }
            await group.next()
            group.cancelAll()
        }
    }
}
