// A job's way, looked at from outside until it has ended. Only the folder is asked, so it works over a share, too.

import Foundation
import Linux
import Spool

/// Looks after jobs until they end.
struct JobFollower {
    let spool: Spool
    /// Between two looks, in microseconds: nobody tells this process of anything.
    private let interval: useconds_t
    private var bar = ProgressBar()
    /// The queue is not listed at each look.
    private var place: (words: String, until: ContinuousClock.Instant)?

    /// How a job ended.
    struct End {
        let location: JobLocation
        let outcome: ResultSummary
    }

    init(_ spool: Spool) throws(SystemError) {
        self.spool = spool
        interval = try spool.root.filesystem().isShared ? 500_000 : 50_000
    }

    /// The ticket that a dropped file got; `nil` where it has got none `within` a time, or where it is gone.
    mutating func ticket(of dropped: AcceptedDrop, within limit: Duration?) throws(SystemError) -> Ticket? {
        let end = limit.map { ContinuousClock.now + $0 }
        while let location = try JobLocator(spool).location(of: dropped) {
            if let ticket = location.ticket { return ticket }
            if location.isEnd { return try Results(spool).outcome(at: location)?.ticket }
            if let end, ContinuousClock.now >= end { return nil }
            bar.draw(0, "\(dropped.name) lies in the inbox")
            usleep(interval)
        }
        return nil
    }

    /// Waits until the job has ended; `nil` where it is nowhere any more: cancelled.
    mutating func end(of ticket: Ticket) throws(SystemError) -> End? {
        defer { bar.clear() }
        while let location = try JobLocator(spool).location(of: ticket) {
            if let outcome = try Results(spool).outcome(at: location) {
                return End(location: location, outcome: outcome)
            }
            let (done, words) = try state(of: location)
            bar.draw(done, "\(ticket.name) \(words)")
            usleep(interval)
        }
        return nil
    }

    private mutating func state(of location: JobLocation) throws(SystemError) -> (done: Double, words: String) {
        switch location {
        case .active(let ticket):
            guard let progress = try StatusFiles(spool).progress(of: ticket) else { return (0, "is with the server") }
            return (progress.progress ?? 0, progress.words)
        case .queued(let ticket):
            if let place, place.until > .now { return (0, place.words) }
            let before = try Listing(spool).waiting().count { $0 < ticket }
            let words = before == 0 ? "is the next" : "waits behind \(before) other\(before == 1 ? "" : "s")"
            place = (words, .now + .seconds(1))
            return (0, words)
        case .held: return (0, "is held; sdspool release lets it go on")
        case .dropped, .done, .failed: return (0, "")
        }
    }

    /// Prints what came of a job: the paths of its pictures, or of its folder where it has none. Of a file with many jobs
    /// that of all its parts. False where one of them failed, which is told, or is gone.
    mutating func tell(_ ticket: Ticket, as command: String) throws(SystemError) -> Bool {
        guard let end = try end(of: ticket) else {
            talk("sdspool \(command): \(ticket.name) is gone: cancelled, or its result was taken away\n")
            return false
        }
        let path = JobLocator(spool).path(of: end.location)
        guard end.outcome.isDone else {
            let why = end.outcome.message.map { escapedForPeople(Array($0.utf8)) } ?? "see its error.json"
            talk("sdspool \(command): \(ticket.name) failed: \(why); see \(path)\n")
            return false
        }
        var isGood = true
        for part in end.outcome.parts { isGood = try tell(part, as: command) && isGood }
        guard end.outcome.parts.isEmpty else { return isGood }
        for picture in end.outcome.pictures { answer("\(path)/\(escapedForPeople(Array(picture.utf8)))") }
        if end.outcome.pictures.isEmpty { answer(path) }
        return true
    }
}
