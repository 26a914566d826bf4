// Where people's doings come in: files dropped in the inbox, jobs put back into the queue by hand, PAUSE.

@preconcurrency import Dispatch
import Linux
import Spool

/// Collects what was brought, on a thread of its own that may wait for the disk, and hands the tickets to the queue.
actor FrontDesk {
    private let thread = QueueExecutor(label: "front desk")
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let folders: Folders
    private var intake: Intake
    private let hands: HandWatch
    private let queue: Queue
    private let tell: @Sendable (Event) -> Void
    /// Something that was done by hand has not been heard: the disk was in the way.
    private var hasMissed = false
    private static let retry = Duration.seconds(1)

    private var sources: [any DispatchSourceRead] = []
    private var timer: (any DispatchSourceTimer)?

    init(
        folders: Folders, intake: Intake, hands: HandWatch, queue: Queue, tell: @escaping @Sendable (Event) -> Void
    ) {
        self.folders = folders
        self.intake = intake
        self.hands = hands
        self.queue = queue
        self.tell = tell
    }

    /// Begins to collect, with what lies in the inbox already.
    func open() {
        let timer = DispatchSource.makeTimerSource(queue: thread.queue)
        timer.setEventHandler { @Sendable [weak self] in self?.assumeIsolated { $0.collect() } }
        self.timer = timer
        sources = [
            intake.source(on: thread.queue) { [weak self] in self?.assumeIsolated { $0.collect() } },
            hands.source(on: thread.queue) { [weak self] in self?.assumeIsolated { $0.collectByHand() } },
        ]
        timer.activate()
        sources.forEach { $0.activate() }
        collect()
    }

    /// Collects no more.
    func close() {
        sources.forEach { $0.cancel() }
        sources = []
        timer?.cancel()
        timer = nil
    }

    private func collect() {
        guard timer != nil else { return }
        if hasMissed { collectByHand() }
        var tickets: [Lane: [Ticket]] = [:]
        for outcome in intake.collect() {
            switch outcome {
            case .accepted(let ticket, let lane):
                tickets[lane, default: []].append(ticket)
                tell(.accepted(ticket))
            case .expanded(let ticket, let expansion):
                queue.add(expansion)
                tell(.expanded(ticket, expansion))
            case .refused(let name, let error, let path): tell(.refused(name, error, path: path))
            case .leftAlone(let name, let reason): tell(.leftAlone(name, reason))
            case .troubled(let error): tell(.troubled(error))
            }
        }
        for (lane, tickets) in tickets { queue.add(tickets, to: lane) }
        comeBack(in: hasMissed ? min(Self.retry, intake.nextLook - .now) : intake.nextLook - .now)
    }

    private func comeBack(in wait: Duration) {
        timer?.schedule(deadline: .now() + max(.zero, wait) / .seconds(1), leeway: .milliseconds(1))
    }

    private func collectByHand() {
        guard timer != nil else { return }
        do {
            for change in try hands.collect(all: hasMissed) {
                switch change {
                case .queued(let ticket):
                    // What cannot be read now is a render, which the worker reads again.
                    let lane = (try? folders.lane(of: ticket, sort: \.lane)) ?? .renders
                    queue.add([ticket], to: lane)
                case .paused(let isPaused):
                    if queue.pause(isPaused) { tell(.paused(isPaused)) }
                }
            }
            hasMissed = false
        } catch {
            hasMissed = true
            tell(.troubled(error))
            comeBack(in: Self.retry)
        }
    }
}
