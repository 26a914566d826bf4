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
    /// The disk can no longer be trusted, and why.
    private let fail: @Sendable (any Error) -> Void

    private var sources: [any DispatchSourceRead] = []
    private var timer: (any DispatchSourceTimer)?

    init(
        folders: Folders, intake: Intake, hands: HandWatch, queue: Queue, tell: @escaping @Sendable (Event) -> Void,
        fail: @escaping @Sendable (any Error) -> Void
    ) {
        self.folders = folders
        self.intake = intake
        self.hands = hands
        self.queue = queue
        self.tell = tell
        self.fail = fail
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
        guard let timer else { return }
        do {
            var tickets: [Lane: [Ticket]] = [:]
            for outcome in try intake.collect() {
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
            let wait = max(.zero, intake.nextLook - .now)
            timer.schedule(deadline: .now() + wait / .seconds(1), leeway: .milliseconds(1))
        } catch {
            fail(error)
        }
    }

    private func collectByHand() {
        guard timer != nil else { return }
        do {
            for change in try hands.collect() {
                switch change {
                case .queued(let ticket):
                    queue.add([ticket], to: try folders.lane(of: ticket, sort: \.lane))
                case .paused(let isPaused):
                    if queue.pause(isPaused) { tell(.paused(isPaused)) }
                }
            }
        } catch {
            fail(error)
        }
    }
}
