// The daemon: one spool, its spool monitor and its dispatchers, from the lock to the last word.

import A1111
import A1111API
import Foundation
import Linux
import Spool

/// What a daemon is told at its start.
package struct DaemonOptions: Sendable {
    /// The path of the spool.
    package var spool: String
    /// Who renders.
    package var servers: [ServerAddress]
    /// So many jobs are with a server at once: while one is rendered the next waits there already.
    package var inFlight = 2
    /// How long a file that is not whole must stay unchanged before it is given up.
    package var settle = Duration.seconds(5)
    /// Whose all is that is made in the spool; `nil` for what the kernel gives.
    package var group: UInt32?
    /// Between two looks at all folders; `nil` for what their filesystem needs.
    package var poll: Duration?
    /// Between the opening of a server's port that was seen closed and the first request.
    package var grace = Duration.seconds(15)
    /// Of a job file, in bytes.
    package var cap = JobFile.usualCap
    /// Whether jobs may stop or restart the server itself.
    package var allowsControl = false
    /// Whether a picture that is not what was asked for fails its job.
    package var isStrict = false
    /// Whether the server is asked how far a render is.
    package var showsProgress = true
    /// What is kept of done/.
    package var retention = Retention()
    /// For a whole render; `nil` for no limit.
    package var renderTimeout: Duration?
    /// So many jobs may go before another of their priority because the server has loaded their checkpoint; 0 for strict
    /// order.
    package var groupLimit = 0
    /// What is run when something has happened.
    package var hooks: [Hook: Command] = [:]
    /// Hosts to which results may be sent although they are neither this machine nor in a private network.
    package var callbackHosts: Set<String> = []

    /// The service manager, if there is one that wants to be told how the daemon is.
    package var notify: NotifySocket?

    /// The usual options for a spool and its servers.
    package init(spool: String, servers: [ServerAddress]) {
        self.spool = spool
        self.servers = servers
    }
}

/// Another daemon has the spool.
package struct SpoolTaken: Error, Sendable, CustomStringConvertible {
    /// Who, where and since when, in plain words.
    package let description: String
}

/// Runs a spool.
package final class Daemon: Sendable {
    private let options: DaemonOptions
    private let emit: @Sendable (Event) -> Void
    private let board: StatusWriter
    private let notifier: ServiceNotifier?
    private let page: PageWriter
    /// The spool that it runs.
    package let spool: Spool
    /// Held for as long as the daemon is.
    private let lock: FileLock
    private let queue: JobQueue
    private let hooks: Hooks
    private let sender: CallbackSender
    private let monitor: SpoolMonitor
    private let renderServers: [RenderServer]
    /// What an earlier daemon has left in the queue.
    private let waiting: [Ticket]
    private let stops: AsyncStream<(any Error)?>
    private let stopping: AsyncStream<(any Error)?>.Continuation

    /// Opens the spool, as `init` does, as soon as its disk lets it: a machine that starts with a full disk has its
    /// daemon when there is room again.
    package static func open(_ options: DaemonOptions, emit: @escaping @Sendable (Event) -> Void) async throws -> Daemon
    {
        try await retryUntilDone(emit: emit, where: \.mayPass) { _ in try Daemon(options, emit: emit) }
    }

    /// Opens the spool, takes its lock, repairs what the last daemon left, and begins to watch the folders.
    ///
    /// Throws ``SpoolTaken``, or ``SystemError`` where a folder cannot be used.
    package init(_ options: DaemonOptions, emit: @escaping @Sendable (Event) -> Void) throws {
        self.options = options
        spool = try Spool(path: options.spool, group: options.group)
        let queue = JobQueue()
        self.queue = queue
        notifier = options.notify.map { ServiceNotifier($0, emit: emit) }
        let board = StatusWriter(spool, queue, notifier: notifier)
        let pruner = ResultPruner(options.retention, spool, emit: emit)
        self.board = board
        let page = PageWriter(spool, queue, status: { board.status })
        self.page = page
        let show: @Sendable (Event) -> Void = { event in
            board.record(event)
            page.record(event)
            emit(event)
            if case .done = event { pruner?.look() }
        }
        let hooks = Hooks(
            options.hooks, spool: spool.root.path, isIdle: { queue.isIdle },
            isPending: { [spool] in try Pending(spool).hasPending() }, emit: show)
        self.hooks = hooks
        let sender = CallbackSender(spool, allowed: options.callbackHosts, emit: show)
        self.sender = sender
        self.emit = { event in
            show(event)
            hooks.record(event)
            sender.record(event)
        }
        switch try SpoolLock(spool).take(for: LockOwner.this) {
        case .held(let lock): self.lock = lock
        case .taken(let owner): throw SpoolTaken(description: "\(spool.root.path) is served by \(owner)")
        }
        (stops, stopping) = AsyncStream.makeStream()
        renderServers = options.servers.map { [emit = self.emit] in
            RenderServer($0, options: options, queue: queue, gap: board.record(gap:), emit: emit)
        }
        try Recovery(spool).recover { [emit = self.emit] in emit(.recovered($0)) }
        // Armed before the folders are looked at: what happens in between is told.
        let inotify = try Inotify()
        let hands = try ManualChangeWatcher(spool, inotify)
        waiting = try Listing(spool).waiting()
        queue.add(waiting)
        if try hands.isPaused(), queue.pause(true) { self.emit(.paused(true)) }
        let intake = try Intake(
            spool, inotify, settle: options.settle, cap: options.cap, after: waiting.map(\.arrival).max(),
            servers: options.servers)
        let filesystem = try spool.root.filesystem()
        let interval = options.poll ?? (filesystem.isShared ? RescanSchedule.onShares : RescanSchedule.usual)
        if interval < RescanSchedule.usual { self.emit(.rescans(filesystem: filesystem.name, every: interval)) }
        monitor = SpoolMonitor(
            spool: spool, servers: options.servers, inotify: inotify, intake: intake, hands: hands, queue: queue,
            rescans: RescanSchedule(every: interval, now: .now), emit: self.emit,
            wentRound: {
                board.beat()
                pruner?.look()
            })
    }

    /// Takes jobs and renders them until ``stop()``. Throws where the disk can no longer be trusted.
    package func run() async throws {
        await monitor.open()
        emit(.ready(spool: spool.root.path, servers: options.servers.map(\.description), waiting: waiting.count))

        notifier?.ready()
        let life = signsOfLife()
        let dispatchers = startWorkers(on: queue)
        let sorting = sort(waiting, on: queue)
        let delivery = Task(executorPreference: TaskQueueExecutor.shared) { [sender] in await sender.run() }
        let reason = await stops.first { _ in true } ?? nil
        emit(.stopping)
        notifier?.stopping()
        life.cancel()
        await monitor.close()
        queue.close()
        sorting.cancel()
        dispatchers.forEach { $0.cancel() }
        for dispatcher in dispatchers { await dispatcher.value }
        await sender.finish(delivery)
        // Blocks only; there is nothing to go wrong.
        try? await TaskQueueExecutor.blocking { [hooks, board, page, notifier] in
            hooks.finish()
            board.finish()
            page.finish()
            notifier?.finish()
        }
        if let reason { throw reason }
    }

    /// Alive is a daemon that can take a job: the spool monitor, which a disk may hold up, the queue's lock, and the thread of
    /// all tasks, on which this runs.
    private func signsOfLife() -> Task<Void, Never> {
        Task(executorPreference: TaskQueueExecutor.shared) { [notifier, monitor, queue] in
            await notifier?.live {
                await monitor.answer()
                _ = queue.waiting
            }
        }
    }

    /// One for each kind of jobs at each server.
    private func startWorkers(on queue: JobQueue) -> [Task<Void, Never>] {
        let transitions = JobTransitions(
            spool: spool, queue: queue, options: options, emit: emit, space: DiskSpace(spool, queue, emit: emit),
            affinity: CheckpointAffinity(options, spool))
        // All are seated before the first one takes a job: the first server is not to have two while the second has none.
        let dispatchers = renderServers.flatMap { renderServer in
            JobClass.Kind.allCases.map { Dispatcher($0, at: renderServer, transitions: transitions) }
        }
        return dispatchers.map { dispatcher in
            Task(executorPreference: TaskQueueExecutor.shared) { [stopping] in
                do {
                    try await dispatcher.run()
                } catch is CancellationError {
                    // What was under way is back in its place.
                } catch {
                    stopping.yield(error)
                }
            }
        }
    }

    /// Finds those that are no common renders among the jobs of an earlier life. Their tickets do not tell; their files do,
    /// and reading those of a long queue takes a while in which the first renders are under way already.
    private func sort(_ waiting: [Ticket], on queue: JobQueue) -> Task<Void, Never> {
        Task(executorPreference: TaskQueueExecutor.shared) { [spool, options] in
            for first in stride(from: 0, to: waiting.count, by: 256) where !Task.isCancelled {
                try? await TaskQueueExecutor.blocking {
                    for ticket in waiting[first...].prefix(256) {
                        // One that cannot be read now is met in its turn.
                        let jobClass = (try? JobFiles(spool).jobClass(of: ticket, at: options.servers)) ?? .renders
                        if jobClass != .renders { queue.move(ticket, to: jobClass) }
                    }
                }
            }
        }
    }

    /// For a proxy.
    package var proxiedServers: [ProxiedServer] { renderServers.map(ProxiedServer.init) }

    /// Finishes what can be finished at once, puts back what cannot, and lets ``run()`` return.
    package func stop() { stopping.yield(nil) }
}
