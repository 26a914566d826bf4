// Where people's doings come in: files dropped in the inbox, jobs put back into the queue by hand, PAUSE.

import A1111API
@preconcurrency import Dispatch
import Foundation
import Linux
import Spool

/// Collects what was brought, on a thread of its own that may wait for the disk, and hands the tickets to the queue.
actor SpoolMonitor {
    private let thread = SerialQueueExecutor(label: "front desk")
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let spool: Spool
    private let servers: [ServerAddress]
    private let inotify: Inotify
    private var intake: Intake
    private let hands: ManualChangeWatcher
    private let queue: JobQueue
    private let emit: @Sendable (Event) -> Void
    private var rescans: RescanSchedule
    /// What was told last of a folder that cannot be opened: it is the same each time that it is looked for.
    private var trouble: SystemError?
    /// Called behind each look at all folders.
    private let wentRound: @Sendable () -> Void
    private static let retry = Duration.seconds(1)
    /// Each claim of a job is told, too. Whoever has heard of nothing else does not listen for so many seconds: in a burst it
    /// would be woken for each.
    private static let nap = 0.002

    /// What is told of the folders by the kernel; `nil` also while it has nothing to tell it by.
    private var source: (any DispatchSourceRead)?
    /// For want of watches the folders are looked at so often as on a share.
    private var isPolling = false
    private var timer: (any DispatchSourceTimer)?

    init(
        spool: Spool, servers: [ServerAddress], inotify: Inotify, intake: Intake,
        hands: ManualChangeWatcher, queue: JobQueue, rescans: RescanSchedule,
        emit: @escaping @Sendable (Event) -> Void, wentRound: @escaping @Sendable () -> Void
    ) {
        self.wentRound = wentRound
        self.spool = spool
        self.servers = servers
        self.inotify = inotify
        self.intake = intake
        self.hands = hands
        self.queue = queue
        self.rescans = rescans
        self.emit = emit
    }

    /// Begins to collect, with what lies in the inbox already.
    func open() {
        let wake: @Sendable () -> Void = { [weak self] in self?.assumeIsolated { $0.collect() } }
        let timer = DispatchSource.makeTimerSource(queue: thread.queue)
        timer.setEventHandler(handler: wake)
        self.timer = timer
        timer.activate()
        listen()
        collect()
    }

    private func listen() {
        guard source == nil else { return }
        source = inotify.source(on: thread.queue) { [weak self] in self?.assumeIsolated { $0.collect() } }
        source?.activate()
    }

    /// Tries again to have what was lacking to be told of changes; what has changed until then is for the look that follows.
    private func arm() throws(SystemError) {
        guard isPolling else { return }
        try inotify.arm()
        try hands.arm()
        try intake.arm()
        listen()
    }

    /// Listing the folders takes the place of watches that cannot be had, and ends when they can.
    private func poll(_ now: ContinuousClock.Instant) {
        let lack = inotify.lack
        guard (lack != nil) != isPolling else { return }
        isPolling.toggle()
        rescans.poll(isPolling, now)
        emit(lack.map { .polling($0, every: rescans.interval) } ?? .watched)
    }

    /// Collects no more.
    func close() {
        source?.cancel()
        source = nil
        timer?.cancel()
        timer = nil
    }

    /// Returns when the desk is free: it is asked for a sign of life.
    func answer() {}

    private func collect() {
        guard let timer else { return }
        let began = ContinuousClock.now
        var isRound = rescans.isDue(began)
        var events: [Inotify.Event] = []
        do throws(SystemError) {
            events = try inotify.readAll()
            // Events were lost, or a watch was, with its folder or its filesystem.
            isRound = isRound || events.contains { !$0.kind.isDisjoint(with: [.overflow, .ignored]) }
            if isRound { try arm() }
            let own = events.filter(hands.owns)
            try take(isRound ? hands.everything() : hands.changes(own))
            if isRound {
                rescans.ended(.now, after: .now - began)
                wentRound()
            }
        } catch {
            emit(.diskError(error))
            rescans.hurry(.now, in: Self.retry)
        }
        let arrivals = events.filter { !hands.owns($0) }
        take(intake.collect(arrivals, isRound: isRound))
        poll(.now)
        if !events.isEmpty, arrivals.isEmpty { Thread.sleep(forTimeInterval: Self.nap) }
        let wait = min(intake.nextLook, rescans.next) - .now
        timer.schedule(deadline: .now() + max(.zero, wait) / .seconds(1), leeway: .milliseconds(1))
    }

    private func take(_ outcomes: [Intake.IntakeResult]) {
        var tickets: [JobClass: [Ticket]] = [:]
        for outcome in outcomes {
            switch outcome {
            case .accepted(let ticket, let jobClass):
                tickets[jobClass, default: []].append(ticket)
                emit(.accepted(ticket))
            case .expanded(let ticket, let expansion):
                // Told before any of its parts can come to its end.
                emit(.expanded(ticket, expansion))
                queue.add(expansion)
            case .refused(let name, let error, let path): emit(.refused(name, error, path: path))
            case .leftAlone(let name, let reason): emit(.leftAlone(name, reason))
            case .diskError(let error): emit(.diskError(error))
            }
        }
        for (jobClass, tickets) in tickets { queue.add(tickets, to: jobClass) }
    }

    /// Who renames a job in queue/ gives it another place: there it is one job, and not two. The ticket that it had, if it
    /// waited by one.
    private func withdrawn(_ namesakes: [Ticket]) throws(SystemError) -> Ticket? {
        for ticket in namesakes {
            if try !Pending(spool).isQueued(ticket), queue.withdraw(ticket) { return ticket }
        }
        return nil
    }

    private func take(_ changes: [ManualChangeWatcher.Change]) throws(SystemError) {
        // Once for all: somebody may put back a hundred thousand.
        lazy var names = queue.names
        for change in changes {
            switch change {
            case .queued(let ticket):
                guard !queue.knows(ticket), try Pending(spool).isQueued(ticket) else { continue }
                // What cannot be read now is a render, which the dispatcher reads again.
                let jobClass = (try? JobFiles(spool).jobClass(of: ticket, at: servers)) ?? .renders
                // Told first: what becomes of it in its place is told behind that.
                if let old = try withdrawn(names[ticket.name] ?? []) {
                    emit(.moved(old, to: ticket))
                } else {
                    emit(.queued(ticket))
                }
                queue.add([ticket], to: jobClass)
            case .paused(let isPaused):
                if queue.pause(isPaused) { emit(.paused(isPaused)) }
            case .folders(let refresh):
                for path in refresh.changed { emit(.directoryReplaced(path)) }
                if refresh.trouble != trouble, let trouble = refresh.trouble { emit(.diskError(trouble)) }
                trouble = refresh.trouble
                if try intake.record(refresh) { emit(.inbox(spool.inbox.path, isThere: intake.isThere)) }
            }
        }
    }
}
