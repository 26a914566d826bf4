// The daemon: one spool, its front desk and its workers, from the lock to the last word.

import A1111
import Foundation
import Linux
import Spool

/// What a daemon is told at its start.
public struct Options: Sendable {
    /// The path of the spool.
    public var spool: String
    /// Who renders.
    public var server: ServerAddress
    /// How long a file that is not whole must stay unchanged before it is given up.
    public var settle = Duration.seconds(5)
    /// Between the opening of a server's port that was seen closed and the first request.
    public var grace = Duration.seconds(15)
    /// Of a job file, in bytes.
    public var cap = JobFile.usualCap
    /// Whether jobs may stop or restart the server itself.
    public var allowsControl = false
    /// Whether a picture that is not what was asked for fails its job.
    public var isStrict = false
    /// Whether the server is asked how far a render is.
    public var showsProgress = true
    /// For a whole render; `nil` for no limit.
    public var renderTimeout: Duration?

    /// The usual options for a spool and a server.
    public init(spool: String, server: ServerAddress) {
        self.spool = spool
        self.server = server
    }
}

/// Another daemon has the spool.
public struct SpoolTaken: Error, Sendable, CustomStringConvertible {
    /// Who, where and since when, in plain words.
    public let description: String
}

/// Runs a spool.
public final class Daemon: Sendable {
    private let options: Options
    private let tell: @Sendable (Event) -> Void
    private let board: StatusBoard
    private let folders: Folders
    /// Held for as long as the daemon is.
    private let lock: FileLock
    private let stops: AsyncStream<(any Error)?>
    private let stopping: AsyncStream<(any Error)?>.Continuation

    /// Opens the spool, takes its lock and repairs what the last daemon left.
    ///
    /// Throws ``SpoolTaken``, or ``SystemError`` where a folder cannot be used.
    public init(_ options: Options, tell: @escaping @Sendable (Event) -> Void) throws {
        self.options = options
        folders = try Folders(path: options.spool)
        let board = StatusBoard(folders)
        self.board = board
        self.tell = { event in
            board.note(event)
            tell(event)
        }
        switch try folders.lock(for: Holder.this) {
        case .held(let lock): self.lock = lock
        case .taken(let holder): throw SpoolTaken(description: "\(folders.root.path) is served by \(holder)")
        }
        (stops, stopping) = AsyncStream.makeStream()
        for repair in try folders.recover() { tell(.recovered(repair)) }
    }

    /// Takes jobs and renders them until ``stop()``. Throws where the disk can no longer be trusted.
    public func run() async throws {
        let queue = Queue()
        // Armed before the folders are looked at: what happens in between is told.
        let hands = try HandWatch(folders)
        let waiting = try folders.waiting()
        queue.add(waiting)
        if try hands.isPaused(), queue.pause(true) { tell(.paused(true)) }
        let desk = FrontDesk(
            folders: folders,
            intake: try Intake(
                folders, settle: options.settle, cap: options.cap, after: waiting.map(\.arrival).max(),
                insight: Insight.jobs),
            hands: hands, queue: queue, tell: tell)
        await desk.open()
        tell(.ready(spool: folders.root.path, server: options.server.description, waiting: waiting.count))

        let workers = startWorkers(on: queue)
        let sorting = sort(waiting, on: queue)
        let reason = await stops.first { _ in true } ?? nil
        tell(.stopping)
        await desk.close()
        queue.close()
        sorting.cancel()
        workers.forEach { $0.cancel() }
        for worker in workers { await worker.value }
        try? await blocking { [board] in board.finish() }
        if let reason { throw reason }
    }

    /// One for each lane.
    private func startWorkers(on queue: Queue) -> [Task<Void, Never>] {
        let client = Client(server: options.server, renderTimeout: options.renderTimeout)
        let watch = ServerWatch(server: options.server, grace: options.grace, tell: tell)
        let catalogue = Catalogue(client: client)
        return Lane.allCases.map { lane in
            var worker = Worker(
                folders: folders, queue: queue, lane: lane, client: client, watch: watch, catalogue: catalogue,
                options: options, tell: tell)
            return Task { [stopping] in
                do {
                    try await worker.run()
                } catch is CancellationError {
                    // What was under way is back in its place.
                } catch {
                    stopping.yield(error)
                }
            }
        }
    }

    /// Finds the queries among the jobs of an earlier life. Their tickets do not tell; their files do, and reading those
    /// of a long queue takes a while in which the first renders are under way already.
    private func sort(_ waiting: [Ticket], on queue: Queue) -> Task<Void, Never> {
        Task { [folders] in
            for ticket in waiting {
                let lane = try? await blocking { try folders.lane(of: ticket, sort: \.lane) }
                if lane == .queries { queue.moveToQueries(ticket) }
                if Task.isCancelled { return }
            }
        }
    }

    /// Finishes what can be finished at once, puts back what cannot, and lets ``run()`` return.
    public func stop() { stopping.yield(nil) }
}
