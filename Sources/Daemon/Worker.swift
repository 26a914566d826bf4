// A worker of a press: takes jobs from the queue, makes them ready, and sends them in their order.
//
// claim → record the attempt → send → publish. The last two are a flight's (Flight.swift), and several are on their way
// at once: while one job is rendered the next waits in the server already, and the last is written to the disk.
// Whatever happens in between, the job is in one of the folders, and recovery knows the way on from there.

import A1111
import Foundation
import Linux
import Spool

/// Serves the jobs of one kind at one server until the queue is closed or its task is cancelled.
actor Worker {
    /// Jobs are made ready on a thread that may wait for the disk: each change of threads would cost as much as a sync.
    private let thread = QueueExecutor(label: "worker")
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// Where jobs are made ready while others are sent.
    private let besides = QueueExecutor(label: "preparation")

    private let clerk: Clerk
    private let kind: Lane.Kind
    private let press: Press

    private nonisolated var queue: Queue { clerk.queue }
    private nonisolated var seat: Seat { Seat(server: press.server.description, kind: kind) }

    private typealias Flights = ThrowingDiscardingTaskGroup<any Error>

    /// Takes its seat: from now on it is counted with.
    init(_ kind: Lane.Kind, at press: Press, clerk: Clerk) {
        self.clerk = clerk
        self.kind = kind
        self.press = press
        let seat = Seat(server: press.server.description, kind: kind)
        clerk.queue.crew { $0.add(seat, limit: kind == .renders ? clerk.options.inFlight : 1) }
    }

    /// Works until the queue is closed. Throws CancellationError when the task is cancelled; what was under way is back
    /// in its place then.
    func run() async throws {
        // Also while nothing waits, so that the log says at the start whether the server is there.
        try await press.watch.waitUntilThere()
        try await withThrowingDiscardingTaskGroup { flights in
            while await queue.hasNext(for: seat) {
                if !press.watch.isUp { try await press.watch.waitUntilThere() }
                try await clerk.waitForDisk()
                let paths = await press.catalogue.paths()
                try await serve(makeReady(take(), paths), &flights)
            }
        }
    }

    private func take() -> [Preparation.Taken] {
        var taken: [Preparation.Taken] = []
        while let next = queue.next(for: seat, by: clerk.grouping) {
            taken.append(.init(ticket: next.ticket, lane: next.lane))
        }
        return taken
    }

    // MARK: Making ready

    /// Sends jobs that are ready. Where the server is so quick that it would wait for the disk, the next ones are made ready
    /// meanwhile, and sent behind them.
    private func serve(_ first: [Ready], _ flights: inout Flights) async throws {
        var (jobs, isCancelled) = (first, false)
        while !jobs.isEmpty {
            let next = await beginNext()
            for job in jobs {
                do {
                    try await serve(job, &flights)
                } catch is CancellationError {
                    // The others are claimed as well: each finds its own way back.
                    isCancelled = true
                }
            }
            jobs = await next?.value ?? []
        }
        if isCancelled { throw CancellationError() }
    }

    /// A job that was taken, and what is to be done with it.
    private struct Ready {
        let taken: Preparation.Taken
        let outcome: Result<Preparation.Outcome, SystemError>
    }

    private func beginNext() async -> Task<[Ready], Never>? {
        guard queue.crew({ $0.ahead(seat) }) > 0, press.watch.isUp, !clerk.disk.isMet else { return nil }
        let paths = await press.catalogue.paths()
        let taken = take()
        guard !taken.isEmpty else { return nil }
        return makeReadyBeside(taken, paths)
    }

    private nonisolated func makeReadyBeside(
        _ taken: [Preparation.Taken], _ paths: ServerPaths?
    ) -> Task<[Ready], Never> {
        Task(executorPreference: besides) { self.makeReady(taken, paths) }
    }

    private nonisolated func makeReady(_ taken: [Preparation.Taken], _ paths: ServerPaths?) -> [Ready] {
        guard !taken.isEmpty else { return [] }
        let start = ContinuousClock.now
        let outcomes = preparation(paths).prepare(taken)
        // So many more are made ready the next time, that the server need not wait for them: half of them are sent while the
        // others are made ready, which may well take twice as long. Where renders take seconds there are none.
        let ahead = press.renders(in: (ContinuousClock.now - start) * 4)
        queue.crew { $0.setAhead(seat, ahead) }
        return zip(taken, outcomes).map(Ready.init)
    }

    private nonisolated func preparation(_ paths: ServerPaths?) -> Preparation {
        Preparation(
            folders: clerk.folders, options: clerk.options, server: press.server, paths: paths, room: clerk.room,
            namesTasks: kind == .renders && clerk.options.showsProgress && paths?.hasTasks == true)
    }

    // MARK: Sending

    private func serve(_ job: Ready, _ flights: inout Flights) async throws {
        let taken = job.taken
        var isSent = false
        // What is not sent is in nobody's hands, however it ends here: others may wait for that.
        defer {
            if !isSent {
                clerk.room.left(taken.ticket)
                queue.crew { $0.returned(seat) }
            }
        }
        do {
            switch try job.outcome.get() {
            case .unclaimed(let error):
                clerk.tell(.troubled(error))
                let preparation = preparation(await press.catalogue.paths())
                let again = try await clerk.persistently { _ in
                    let outcome = preparation.prepare([taken], again: true)[0]
                    if case .success(.unclaimed(let error)) = outcome { throw error }
                    return outcome
                }
                isSent = true
                return try await serve(Ready(taken: taken, outcome: again), &flights)
            case .ready(let job, let assignment):
                await queue.waitToBoard(seat)
                isSent = try await send(job, assignment, taken.lane, &flights)
            case .alone(let job, let assignment):
                isSent = try await sendAlone(job, assignment, taken.lane, &flights)
            case .batch(let job, let batch): try await clerk.expand(job, batch, lane: taken.lane)
            case .hopeless(let job, let report): try await clerk.fail(job, report)
            case .elsewhere(let job, let lane): try await clerk.putBack(job, to: lane, inSilence: true)
            case .cancelled(let job): try await clerk.putBack(job, to: taken.lane)
            case .unrecorded(let job, let attempts, let error):
                try await clerk.putBackUnrecorded(job, attempts, to: taken.lane, because: error)
            case .locked(let error):
                // The next look at the folders finds it again.
                clerk.tell(.troubled(error))
                queue.forget(taken.ticket)
            case .gone:
                queue.forget(taken.ticket)
                clerk.tell(.cancelled(taken.ticket))
            case .tooLarge:
                // It comes back when there is room.
                break
            }
        } catch let error as SystemError {
            try await clerk.giveBack(taken.ticket, to: taken.lane, because: error)
        } catch is CancellationError {
            try await clerk.giveBack(taken.ticket, to: taken.lane)
            throw CancellationError()
        }
    }

    /// Sends the job behind those that are with the server, when the press says so: all that can be done before is done then.
    /// False where those have found the server away meanwhile; then it is back in its place.
    private func send(
        _ job: ActiveJob, _ assignment: Assignment, _ lane: Lane, _ flights: inout Flights
    ) async throws -> Bool {
        let settings = assignment.asked == nil ? ServerSettings() : await press.catalogue.settings()
        guard press.watch.isUp else {
            try await clerk.putBackUncounted(job, assignment.attempts, to: lane)
            return false
        }
        clerk.tell(.started(job.ticket, server: press.server.description))
        queue.crew { $0.boarded(seat) }
        let flight = Flight(
            job, assignment, from: lane, settings: settings, seat: seat, clerk: clerk, press: press)
        flights.addTask(executorPreference: flight.thread) { [press] in
            try await flight.land()
            // Also when nothing waits for it: the log and the status say when it is back.
            if !press.watch.isUp { try await press.watch.waitUntilThere() }
        }
        return true
    }

    /// Sends a job when no other is there, and none behind it. False where it is not sent, and is back in its place.
    private func sendAlone(
        _ job: ActiveJob, _ assignment: Assignment, _ lane: Lane, _ flights: inout Flights
    ) async throws -> Bool {
        await queue.waitForNone(at: seat)
        if assignment.attempts.mayStillRun, try await !waitedUntilIdle(for: job) {
            try await clerk.putBack(job, to: lane)
            return false
        }
        var assignment = assignment
        assignment.begin(at: press.server)
        do throws(SystemError) {
            try job.record(assignment.attempts)
        } catch {
            try await clerk.putBackUnrecorded(job, assignment.attempts, to: lane, because: error)
            return false
        }
        guard try await send(job, assignment, lane, &flights) else { return false }
        await queue.waitForNone(at: seat)
        return true
    }

    /// The server may still be rendering what an earlier attempt asked for. Another request would only wait behind it
    /// in the server, and cost a second render if the first one's answer had come.
    /// False where the job is cancelled meanwhile.
    private func waitedUntilIdle(for job: ActiveJob) async throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(600)
        while ContinuousClock.now < deadline, try await !clerk.isCancelled(job) {
            do {
                if try await press.client.progress().isIdle { break }
            } catch is Failure {
                // A server that does not tell is not waited for.
                break
            }
            try await Threads.rest(for: .seconds(1))
        }
        return try await !clerk.isCancelled(job)
    }
}
