// The inbox: what was dropped becomes tickets, in the order in which the files became whole.
//
// The listing of the folder is the truth; events are wake-ups that also carry the order. What is no job is left where
// it is, what is not whole yet is waited for, and what never becomes a job goes to failed/ with the reason.

@preconcurrency import Dispatch
import Foundation
import Linux

/// Takes job files out of the inbox. One caller at a time; each call may block on the disk.
public struct Intake {
    /// What became of a name in the inbox.
    public enum Outcome: Sendable {
        /// It is in the queue, and on the disk.
        case accepted(Ticket, Lane)
        /// A batch: its parts are in the queue, and on the disk.
        case expanded(Ticket, Expansion)
        /// It is in failed/, at `path`.
        case refused(JobName, because: JobFileError, path: String)
        /// It stays where it is. Told once.
        case leftAlone(FileName, because: String)
        /// It stays where it is and is tried again soon.
        case troubled(SystemError)
    }

    private let folders: Folders
    private let settle: Duration
    private let cap: Int
    private let insight: Insight
    private let inotify: Inotify
    private let inboxWatch: Inotify.Watch
    private var stamps: StampClock

    /// Names to look at now, in order, from `first` on.
    private var backlog: [FileName] = []
    private var first = 0
    /// Names that were looked at and not taken.
    private var sightings: [FileName: Sighting] = [:]
    /// Names to look at again, and when.
    private var due: [FileName: ContinuousClock.Instant] = [:]
    /// Names that the disk did not let be dealt with, and how long they waited the last time.
    private var waits: [FileName: Duration] = [:]
    /// Names of jobs whose pictures are still arriving.
    private var lacking: Set<FileName> = []
    private var leftAlone: Set<FileName> = []
    /// What an error has left in doubt: whether its file has left the inbox.
    private var doubtful: [(ticket: Ticket, step: Stopped.Step)] = []
    /// What has left the inbox and was stopped by the disk on its way; tried again.
    private var stopped = Stopped()
    /// What has happened, in order, and is not told yet: some of it is accepted, but not yet known to outlive a loss of
    /// power. And when that is tried again.
    private var untold: [Outcome] = []
    private var nextCommit: ContinuousClock.Instant?
    private var nextListing: ContinuousClock.Instant

    /// So many names are accepted together and share the syncs of the directories.
    private static let batch = 256
    /// A name that appeared without being closed is looked at after so long: a link is whole at once, and the file
    /// of a writer at work will be told to be closed.
    private static let appearance = Duration.milliseconds(20)
    private static let retry = Duration.seconds(1)
    private static let longestRetry = Duration.seconds(30)
    /// Events may be lost by the kernel without a word on some filesystems; the folder's listing is the truth.
    private static let listing = Duration.seconds(60)

    /// Arms the watch and lists what lies there already, the oldest first by the time at which it got its name.
    ///
    /// - Parameters:
    ///   - settle: how long a file that is not whole must stay unchanged before it is given up.
    ///   - cap: the size in bytes of the largest job file that is read.
    ///   - last: the latest arrival in the spool.
    ///   - insight: what only the server's side can read in a job.
    public init(
        _ folders: Folders, settle: Duration, cap: Int, after last: Stamp?, insight: Insight
    ) throws {
        self.folders = folders
        self.settle = settle
        self.cap = cap
        self.insight = insight
        stamps = StampClock(after: last)
        inotify = try Inotify()
        inboxWatch = try inotify.watch(folders.inbox, for: [.written, .movedIn, .created, .attributes])
        nextListing = .now
        try list(at: .now)
    }

    /// Runs `wake` when something happened in the inbox.
    public func source(on queue: DispatchQueue, wake: @escaping @Sendable () -> Void) -> any DispatchSourceRead {
        inotify.source(on: queue, wake: wake)
    }

    /// When to collect next although nothing happens.
    public var nextLook: ContinuousClock.Instant {
        if first < backlog.count { return .now }
        return [nextListing, stopped.due, nextCommit, due.values.min()].compactMap { $0 }.min() ?? nextListing
    }

    /// Looks at what is due, at most a batch of it. What it says is accepted is on the disk. What the disk does not let
    /// it do is told and tried again.
    public mutating func collect() -> [Outcome] {
        let now = ContinuousClock.now
        do throws(SystemError) {
            // All that is told so far, before anything is taken: a later close may come before an earlier appearance.
            var events: [Inotify.Event] = []
            while case let more = try inotify.read(), !more.isEmpty { events += more }
            take(events)
            if now >= nextListing { try list(at: now) }
        } catch {
            untold.append(.troubled(error))
            nextListing = now + Self.retry
        }
        for (name, moment) in due.sorted(by: { $0.value < $1.value }) where moment <= now {
            due[name] = nil
            backlog.append(name)
        }
        // Before the names are looked at again.
        resolveDoubts()
        let names = backlog[first...].prefix(Self.batch)
        var trouble: SystemError?
        for name in names {
            do throws(SystemError) {
                try settle(name)
                waits[name] = nil
            } catch {
                // A disk that fails one fails them all, and says the same of each.
                trouble = trouble ?? error
                let wait = min(waits[name].map { $0 * 2 } ?? Self.retry, Self.longestRetry)
                waits[name] = wait
                due[name] = .now + wait
            }
        }
        if let trouble { untold.append(.troubled(trouble)) }
        first += names.count
        if first == backlog.count {
            backlog = []
            first = 0
        }
        for (job, step) in stopped.takeDue(at: now) { conclude(job, step) }
        return committed()
    }

    /// Nothing is called accepted before it is.
    private mutating func committed() -> [Outcome] {
        do throws(SystemError) {
            if untold.contains(where: { if case .accepted = $0 { true } else { false } }) {
                try folders.commitAccepted()
            }
        } catch {
            nextCommit = .now + Self.retry
            return [.troubled(error)]
        }
        defer { untold = [] }
        nextCommit = nil
        return untold
    }

    // MARK: What to look at

    private mutating func take(_ events: [Inotify.Event]) {
        let order = ArrivalOrder(events.filter { $0.watch == inboxWatch })
        for name in order.whole where JobName(dropped: name) != nil {
            sightings[name] = Sighting(now: .now, closed: true)
            due[name] = nil
            backlog.append(name)
        }
        for name in order.appeared where JobName(dropped: name) != nil {
            // Also one that was waited for: a chmod may have made it readable.
            due[name] = min(due[name] ?? .now + Self.appearance, .now + Self.appearance)
        }
        // Something happened in assets/: perhaps it is what they wait for.
        if events.contains(where: { $0.watch != inboxWatch }) { for name in lacking { due[name] = .now } }
        // What was told comes first, in its order; what was lost follows by ctime.
        if events.contains(where: { $0.kind.contains(.overflow) }) { nextListing = .now }
    }

    private mutating func list(at now: ContinuousClock.Instant) throws(SystemError) {
        nextListing = now + Self.listing
        let expected = Set(backlog[first...]).union(due.keys)
        var found: [(changed: Int64, name: FileName)] = []
        var present: Set<FileName> = []
        for name in try folders.inbox.entries() where JobName(dropped: name) != nil {
            present.insert(name)
            guard !expected.contains(name), !leftAlone.contains(name) else { continue }
            guard let status = try folders.inbox.status(of: name) else { continue }
            found.append((status.changed, name))
        }
        backlog += found.sorted { ($0.changed, $0.name) < ($1.changed, $1.name) }.map(\.name)
        leftAlone.formIntersection(present)
        sightings = sightings.filter { present.contains($0.key) }
        waits = waits.filter { present.contains($0.key) }
    }

    // MARK: One name

    private mutating func settle(_ name: FileName) throws(SystemError) {
        lacking.remove(name)
        let (look, seen) = try look(at: name)
        var sighting = sightings[name] ?? Sighting(now: .now, closed: false)
        let verdict = sighting.judge(look, seen: seen, now: .now, settle: settle)
        sightings[name] = nil
        switch verdict {
        case .forget: leftAlone.remove(name)
        case .accept(let job):
            guard let ticket = ticket(for: name, priority: job.orders.priority) else { return }
            if try folders.accept(name, as: ticket) { untold.append(.accepted(ticket, insight.lane(job))) }
        case .expand(let batch):
            guard let ticket = ticket(for: name, priority: batch.priority, behind: batch.count) else { return }
            try take(name, as: ticket, .expand(batch))
        case .refuse(let error):
            guard let ticket = ticket(for: name, priority: Ticket.usualPriority) else { return }
            try take(name, as: ticket, .refuse(error))
        case .wait(let moment):
            sightings[name] = sighting
            due[name] = moment
        case .leaveAlone(let reason):
            if leftAlone.insert(name).inserted { untold.append(.leftAlone(name, because: reason)) }
        }
    }

    private mutating func take(_ name: FileName, as ticket: Ticket, _ step: Stopped.Step) throws(SystemError) {
        do throws(SystemError) {
            if let job = try folders.take(name, as: ticket) { conclude(job, step) }
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
                if let job = try folders.taken(doubt.ticket) { conclude(job, doubt.step) }
            } catch {
                doubtful.append(doubt)
            }
        }
    }

    /// Throws nothing: the job is on its way already, and what stops it there is told and tried again.
    private mutating func conclude(_ job: ActiveJob, _ step: Stopped.Step) {
        do throws(SystemError) {
            switch step {
            case .expand(let batch):
                if let expansion = try job.expand(batch, with: insight) {
                    untold.append(.expanded(job.ticket, expansion))
                }
            case .refuse(let error):
                untold.append(.refused(job.ticket.name, because: error, path: try job.refuse(because: error)))
            }
            stopped.forgetTrouble()
        } catch {
            untold.append(.troubled(error))
            stopped.add(job, step)
        }
    }

    private mutating func ticket(for name: FileName, priority: UInt8, behind room: Int = 0) -> Ticket? {
        // A job that was held comes back under its ticket: its name is what it was.
        let held = JobFileKind(of: name) == .json ? Ticket(entry: name)?.name : nil
        let job = held ?? JobName(dropped: name)
        return job.map { Ticket(priority: priority, arrival: stamps.next(now: .now, behind: room), name: $0) }
    }

    private mutating func look(at name: FileName) throws(SystemError) -> (Look, seen: [FileStatus]) {
        guard let status = try folders.inbox.status(of: name) else { return (.gone, []) }
        switch status.kind {
        case .directory: return (.noFile("it is a folder"), [status])
        case .symbolicLink: return (.noFile("it is a symbolic link; links are not followed"), [status])
        case .other: return (.noFile("it is a FIFO, a socket or a device"), [status])
        case .file: break
        }
        if status.size > cap {
            let error = JobFileError(message: "the file has \(status.size) bytes; at most \(cap) are read")
            return (.wrong(error), [status])
        }
        do throws(SystemError) {
            let file = try folders.inbox.file(name)
            let content = try file.read(upTo: cap + 1)
            let kind = JobFileKind(of: name) ?? .json
            let submission: Submission
            let assets: [AssetName]
            do throws(JobFileError) {
                submission = try Submission(content, kind: kind)
                try submission.check(insight)
                assets = try submission.assets(insight)
            } catch {
                return (error.mayStillArrive ? .unfinished(error) : .wrong(error), [status])
            }
            let (lack, pictures) = try look(at: assets, of: name)
            if let lack { return (lack, [status] + pictures) }
            // Its writer may not have: before the name moves on, the content is on the disk.
            do throws(SystemError) {
                try file.sync()
            } catch {
                try folders.rewrite(name, content)
            }
            switch submission {
            case .job(let job): return (.whole(job), [status] + pictures)
            case .batch(let batch) where kind == .json: return (.batch(batch), [status] + pictures)
            case .batch(let batch):
                return (.lines(batch, hasWriter: file.hasWriter == true), [status] + pictures)
            }
        } catch  where error.isMissing {
            return (.gone, [])
        } catch  where error.isForbidden {
            return (.unfinished(JobFileError(message: "it cannot be read: \(error.reason)")), [status])
        }
    }

    /// A job whose pictures are not there yet is one that is still arriving; `nil` where they all are.
    private mutating func look(
        at assets: [AssetName], of name: FileName
    ) throws(SystemError) -> (Look?, seen: [FileStatus]) {
        var seen: [FileStatus] = []
        var lack: Look?
        for asset in assets {
            var state = try folders.look(at: asset, settle: settle)
            if case .arriving = state {
                try watch(asset)
                lacking.insert(name)
                // Once more: what came before the watch is not told.
                state = try folders.look(at: asset, settle: settle)
            }
            switch state {
            case .ready(let status): seen.append(status)
            case .arriving(let error, let status):
                seen += [status].compactMap { $0 }
                lack = lack ?? .unfinished(error)
            case .wrong(let error): return (.wrong(error), seen)
            }
        }
        return (lack, seen)
    }

    /// Watches the folder that a picture will come to, or the one that its folder will.
    private func watch(_ asset: AssetName) throws(SystemError) {
        _ = try inotify.watch(asset.parent(in: folders).folder, for: [.written, .movedIn, .created])
    }
}
