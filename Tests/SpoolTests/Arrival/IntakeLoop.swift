// Stands in for the daemon's loop: collects when the kernel tells of something and when a look is due.

@preconcurrency import Dispatch
import Linux
import Testing

@testable import Spool

/// An intake and what wakes it.
final class IntakeLoop {
    private let inotify: Inotify
    private var intake: Intake
    private let woken = DispatchSemaphore(value: 0)
    private let source: any DispatchSourceRead

    /// Files that are not whole are waited for longer than any test runs, unless it says otherwise.
    init(
        _ spool: TestSpool, settle: Duration = .seconds(3600), cap: Int = 1 << 20, after last: Timestamp? = nil
    ) throws {
        inotify = try Inotify()
        intake = try Intake(spool.folders, inotify, settle: settle, cap: cap, after: last, servers: [])
        let woken = woken
        source = try #require(inotify.source(on: .global()) { woken.signal() })
        source.activate()
    }

    deinit {
        source.cancel()
    }

    /// Collects until nothing is left to be looked at soon. The kernel has queued the event of a system call when the
    /// call returns, so all that was done before is seen. (Of a close it is the last one: see ``TestSpool/letGo(_:in:)``.)
    func settled() throws -> [String] {
        var outcomes: [Intake.IntakeResult] = []
        while true {
            let more = try collect()
            outcomes += more
            if more.isEmpty, intake.nextLook > .now + .seconds(10) { return outcomes.map(words) }
            wait()
        }
    }

    /// Collects until there are `count` outcomes, or for too long.
    func outcomes(_ count: Int, within patience: Duration = .seconds(600)) throws -> [Intake.IntakeResult] {
        var outcomes: [Intake.IntakeResult] = []
        let limit = ContinuousClock.now + patience
        while outcomes.count < count {
            guard .now < limit else {
                Issue.record("after \(patience) there are \(outcomes.count) outcomes of \(count)")
                return outcomes
            }
            outcomes += try collect()
            if outcomes.count < count { wait() }
        }
        return outcomes
    }

    private func collect() throws -> [Intake.IntakeResult] {
        let events = try inotify.readAll()
        return intake.collect(events, isRound: events.contains { $0.kind.contains(.overflow) })
    }

    private func wait() {
        let pause = min(max((intake.nextLook - .now) / .seconds(1), 0), 1)
        _ = woken.wait(timeout: .now() + pause)
    }
}

/// An outcome in a line.
func words(_ outcome: Intake.IntakeResult) -> String {
    switch outcome {
    case .accepted(let ticket, _): "accepted \(ticket.name)"
    case .expanded(let ticket, let expansion): "expanded \(ticket.name) into \(expansion.parts.count)"
    case .refused(let name, let error, _): "refused \(name): \(error.message)"
    case .leftAlone(let name, let reason): "left alone \(name): \(reason)"
    case .diskError(let error): "troubled: \(error)"
    }
}
