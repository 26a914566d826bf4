// The inbox: what was dropped becomes tickets, in the order in which the files became whole.
//
// The listing of the folder is the truth; events are wake-ups that also carry the order. What is no job is left where
// it is, what is not whole yet is waited for, and what never becomes a job goes to failed/ with the reason.

import A1111API
import Foundation
import Linux

/// Takes job files out of the inbox. One caller at a time; each call may block on the disk.
package struct Intake {
    /// What became of a name in the inbox.
    package enum IntakeResult: Sendable {
        /// It is in the queue, and on the disk.
        case accepted(Ticket, JobClass)
        /// A batch: its parts are in the queue, and on the disk.
        case expanded(Ticket, Expansion)
        /// It is in failed/, at `path`.
        case refused(JobName, because: JobFileError, path: String)
        /// It stays where it is. Told once.
        case leftAlone(FileName, because: String)
        /// It stays where it is and is tried again soon.
        case diskError(SystemError)
    }

    let spool: Spool
    let settle: Duration
    let cap: Int
    let servers: [ServerAddress]
    let inotify: Inotify
    /// `nil` while there is no inbox.
    private var inboxWatch: Inotify.Watch?
    private var stamps: ArrivalClock

    private var pending = PendingNames()
    /// Names that were looked at and not taken.
    private var sightings: [FileName: StabilityCheck] = [:]
    /// Names of jobs whose pictures are still arriving.
    var lacking: Set<FileName> = []
    /// Files that have to be written anew before they are accepted.
    var failures = SyncFailures()
    /// What is no job, as it was seen: something else may take its name.
    private var leftAlone: [FileName: FileStatus] = [:]
    /// What an error has left in doubt: whether its file has left the inbox.
    private var doubtful: [(ticket: Ticket, step: StalledJobs.Step)] = []
    /// What has left the inbox and was stopped by the disk on its way; tried again.
    private var stopped = StalledJobs()
    /// What has happened, in order, and is not told yet: some of it is accepted, but not yet known to outlive a loss of
    /// power. And when that is tried again.
    private var untold: [IntakeResult] = []
    private var nextCommit: ContinuousClock.Instant?
    /// The inbox must be listed: events were lost, or the last time it could not be.
    private var nextListing: ContinuousClock.Instant?

    /// So many names are accepted together and share the syncs of the directories. Their files are open at once.
    private static let batch = 128
    /// So many files are remembered before anybody looks which of them are gone.
    private static let manyFailures = 1000
    /// A name that appeared without being closed is looked at after so long: a link is whole at once, and the file
    /// of a writer at work will be told to be closed.
    private static let appearance = Duration.milliseconds(20)
    private static let retry = Duration.seconds(1)

    /// Arms the watch and lists what lies there already, the oldest first by the time at which it got its name.
    ///
    /// - Parameters:
    ///   - settle: how long a file that is not whole must stay unchanged before it is given up.
    ///   - cap: the size in bytes of the largest job file that is read.
    ///   - last: the latest arrival in the spool.
    ///   - servers: those that the daemon serves: a job that names one waits for that one.
    package init(
        _ spool: Spool, _ inotify: Inotify, settle: Duration, cap: Int, after last: Timestamp?,
        servers: [ServerAddress]
    ) throws {
        self.spool = spool
        self.inotify = inotify
        self.settle = settle
        self.cap = cap
        self.servers = servers
        stamps = ArrivalClock(after: last)
        try watchInbox()
    }

    private mutating func watchInbox() throws(SystemError) {
        inboxWatch = try inotify.watch(spool.inbox, for: [.written, .movedIn, .created, .attributes])
        // Behind the watch: what came before it is not told.
        try list(at: .now)
    }

    /// Watches the inbox where that could not be done when it was asked for. To be called before a round.
    package mutating func arm() throws(SystemError) {
        if let inboxWatch, !inboxWatch.isArmed { try watchInbox() }
    }

    /// Somebody has done something to the folders. True where that makes a difference to what is taken: the inbox is gone,
    /// or is back.
    package mutating func record(_ refresh: DirectoryRefresh) throws(SystemError) -> Bool {
        let wasThere = inboxWatch != nil
        // What they wait for may lie in another folder now.
        if !refresh.changed.isEmpty { for name in lacking { pending.add(name, at: .now) } }
        if refresh.inbox == .same, wasThere { return false }
        if let inboxWatch { inotify.forget(inboxWatch) }
        inboxWatch = nil
        (pending, sightings, leftAlone, lacking) = (PendingNames(), [:], [:], [])
        if refresh.inbox != .nothing { try watchInbox() }
        return wasThere || isThere
    }

    /// Whether there is an inbox.
    package var isThere: Bool { inboxWatch != nil }

    /// When to collect next although nothing happens.
    package var nextLook: ContinuousClock.Instant {
        [nextListing, stopped.due, nextCommit, pending.next].compactMap { $0 }.min() ?? .now + .seconds(3600)
    }

    /// Looks at what is due, at most a batch of it. What it says is accepted is on the disk. What the disk does not let
    /// it do is told and tried again.
    ///
    /// - Parameters:
    ///   - events: all that is told so far, before anything is taken: a later close may come before an earlier
    ///     appearance.
    ///   - isRound: whether to list the inbox in any case. Its listing is the truth.
    package mutating func collect(_ events: [Inotify.Event], isRound: Bool) -> [IntakeResult] {
        let now = ContinuousClock.now
        do throws(SystemError) {
            take(events)
            // What was told comes first, in its order; what was lost follows by ctime.
            if isRound || nextListing.map({ now >= $0 }) == true { try list(at: now) }
        } catch {
            untold.append(.diskError(error))
            nextListing = now + Self.retry
        }
        // Before the names are looked at again.
        resolveDoubts()
        let names = pending.take(Self.batch, at: now)
        let looks = lookAtMany(names)
        var trouble: SystemError?
        for name in names {
            do throws(SystemError) {
                try settle(name, looks[name])
                pending.forgetTrouble(of: name)
            } catch {
                // A disk that fails one fails them all, and says the same of each.
                trouble = trouble ?? error
                pending.postpone(name, at: .now)
            }
        }
        if let trouble { untold.append(.diskError(trouble)) }
        for (job, step) in stopped.takeDue(at: now) { conclude(job, step) }
        return committed()
    }

    /// Nothing is called accepted before it is.
    private mutating func committed() -> [IntakeResult] {
        do throws(SystemError) {
            if untold.contains(where: { if case .accepted = $0 { true } else { false } }) {
                try Acceptance(spool).commitAccepted()
            }
        } catch {
            nextCommit = .now + Self.retry
            return [.diskError(error)]
        }
        defer { untold = [] }
        nextCommit = nil
        return untold
    }

    // MARK: What to look at

    private mutating func take(_ events: [Inotify.Event]) {
        guard isThere else { return }
        let order = ArrivalOrder(events.filter { $0.watch == inboxWatch })
        for name in order.whole where JobName(dropped: name) != nil {
            sightings[name] = StabilityCheck(now: .now, closed: true)
            pending.add(name)
        }
        for name in order.appeared where JobName(dropped: name) != nil {
            // Also one that was waited for: a chmod may have made it readable.
            pending.add(name, at: .now + Self.appearance)
        }
        // Something happened in assets/: perhaps it is what they wait for.
        if events.contains(where: { $0.watch != inboxWatch }) { for name in lacking { pending.add(name, at: .now) } }
    }

    private mutating func list(at now: ContinuousClock.Instant) throws(SystemError) {
        nextListing = nil
        guard isThere else { return }
        let expected = pending.names
        var found: [(changed: Int64, name: FileName)] = []
        var present: Set<FileName> = []
        for name in try spool.inbox.entries() where JobName(dropped: name) != nil {
            present.insert(name)
            // Where no watch is left nobody tells of its pictures.
            if lacking.contains(name) { pending.add(name, at: now) }
            if expected.contains(name) {
                // One that is waited for, and has changed without a word.
                guard let seen = sightings[name]?.seen.first else { continue }
                if let status = try spool.inbox.status(of: name), status != seen { pending.add(name, at: now) }
                continue
            }
            guard let status = try spool.inbox.status(of: name), leftAlone[name] != status else { continue }
            found.append((status.changed, name))
        }
        for (_, name) in found.sorted(by: { ($0.changed, $0.name) < ($1.changed, $1.name) }) { pending.add(name) }
        leftAlone = leftAlone.filter { present.contains($0.key) }
        sightings = sightings.filter { present.contains($0.key) }
        pending.forgetTrouble(butOf: present)
        if failures.count > Self.manyFailures {
            let inbox = spool.inbox
            try failures.removeGone { (name) throws(SystemError) in try inbox.status(of: name) }
        }
    }

    // MARK: One name

    /// - Parameter earlier: a look at it whose content has been brought to the disk behind it.
    private mutating func settle(
        _ name: FileName, _ earlier: (Inspection, seen: [FileStatus])?
    ) throws(SystemError) {
        var (look, seen) = (Inspection.gone, [FileStatus]())
        if let earlier, try spool.inbox.status(of: name) == earlier.seen.first {
            (look, seen) = earlier
        } else {
            (look, seen) = try self.look(at: name)
        }
        var stability = sightings[name] ?? StabilityCheck(now: .now, closed: false)
        let verdict = stability.judge(look, seen: seen, now: .now, settle: settle)
        sightings[name] = nil
        let isTold = leftAlone.removeValue(forKey: name) != nil
        switch verdict {
        case .forget: break
        case .accept(let job):
            guard let ticket = ticket(for: name, priority: job.jobOptions.priority) else { return }
            let jobClass = JobClass(of: job, at: servers)
            if ticket.name.loses(name) {
                try take(name, as: ticket, .queue(jobClass))
            } else if try Acceptance(spool).accept(name, as: ticket) {
                untold.append(.accepted(ticket, jobClass))
            }
        case .expand(let batch):
            guard let ticket = ticket(for: name, priority: batch.priority, behind: batch.count) else { return }
            try take(name, as: ticket, .expand(batch))
        case .refuse(let error):
            guard let ticket = ticket(for: name, priority: Ticket.usualPriority) else { return }
            try take(name, as: ticket, .refuse(error))
        case .wait(let moment):
            sightings[name] = stability
            pending.add(name, at: moment)
        case .leaveAlone(let reason):
            leftAlone[name] = seen.first
            if !isTold { untold.append(.leftAlone(name, because: reason)) }
        }
    }

    private mutating func take(_ name: FileName, as ticket: Ticket, _ step: StalledJobs.Step) throws(SystemError) {
        do throws(SystemError) {
            if let job = try Acceptance(spool).take(name, as: ticket) { conclude(job, step) }
        } catch {
            doubtful.append((ticket, step))
            throw error
        }
    }

    private mutating func resolveDoubts() {
        let doubts = doubtful
        doubtful = []
        for doubt in doubts {
            do throws(SystemError) {
                if let job = try Acceptance(spool).taken(doubt.ticket) { conclude(job, doubt.step) }
            } catch {
                doubtful.append(doubt)
            }
        }
    }

    /// Throws nothing: the job is on its way already, and what stops it there is told and tried again.
    private mutating func conclude(_ job: ActiveJob, _ step: StalledJobs.Step) {
        do throws(SystemError) {
            try job.commitTaken()
            switch step {
            case .queue(let jobClass):
                if try job.requeue() == .queued { untold.append(.accepted(job.ticket, jobClass)) }
            case .expand(let batch):
                if let expansion = try job.expand(batch, at: servers) {
                    untold.append(.expanded(job.ticket, expansion))
                }
            case .refuse(let error):
                untold.append(.refused(job.ticket.name, because: error, path: try job.refuse(because: error)))
            }
            stopped.forgetTrouble()
        } catch {
            untold.append(.diskError(error))
            stopped.add(job, step)
        }
    }

    private mutating func ticket(for name: FileName, priority: UInt8, behind room: Int = 0) -> Ticket? {
        // A job that was held comes back under its ticket: its name is what it was.
        let held = JobFileKind(of: name) == .json ? Ticket(entry: name)?.name : nil
        let job = held ?? JobName(dropped: name)
        return job.map { Ticket(priority: priority, arrival: stamps.next(now: .now, behind: room), name: $0) }
    }
}
