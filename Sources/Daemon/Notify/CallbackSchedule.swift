// Which message is to be sent next, and when: a decision without a clock, a disk or a socket.

import Spool

/// The messages that are due, in a line for each receiver.
///
/// A receiver that does not take one is left alone for a while, with all that waits for it, and that message goes to the end
/// of its line: one that is never taken holds nobody up. Receivers do not wait for each other, but for the one delivery that
/// is under way.
struct CallbackSchedule {
    private struct Line {
        var waiting: [Ticket] = []
        var notBefore: ContinuousClock.Instant
        var wait: Duration = .zero
    }
    /// By what is shown of their URLs: scheme, host and port.
    private var lines: [String: Line] = [:]

    /// What is to be done now.
    enum Next: Equatable {
        case send(Ticket, to: String)
        /// Nothing before then.
        case wait(until: ContinuousClock.Instant)
        case nothing
    }

    /// The first wait; it doubles.
    let first: Duration
    private static let longest = Duration.seconds(600)
    /// A message that is older is given up when it fails once more.
    static let patience = Duration.seconds(24 * 3600)

    init(first: Duration = .seconds(5)) { self.first = first }

    mutating func add(_ ticket: Ticket, to receiver: String, now: ContinuousClock.Instant) {
        lines[receiver, default: Line(notBefore: now)].waiting.append(ticket)
    }

    /// What to do at that moment.
    func next(now: ContinuousClock.Instant) -> Next {
        guard let (receiver, line) = lines.min(by: { $0.value.notBefore < $1.value.notBefore }),
            let ticket = line.waiting.first
        else { return .nothing }
        return line.notBefore <= now ? .send(ticket, to: receiver) : .wait(until: line.notBefore)
    }

    /// The first message of the receiver was taken, or will never be.
    mutating func isOver(with receiver: String, now: ContinuousClock.Instant) {
        guard var line = lines[receiver] else { return }
        line.waiting.removeFirst()
        (line.wait, line.notBefore) = (.zero, now)
        lines[receiver] = line.waiting.isEmpty ? nil : line
    }

    /// The first message of the receiver was not taken. How long the receiver is left alone now.
    mutating func failed(_ receiver: String, now: ContinuousClock.Instant) -> Duration {
        guard var line = lines[receiver] else { return .zero }
        line.waiting.append(line.waiting.removeFirst())
        line.wait = line.wait == .zero ? first : min(line.wait * 2, Self.longest)
        line.notBefore = now + line.wait
        lines[receiver] = line
        return line.wait
    }
}

/// What an answer to a message comes to.
enum DeliveryResult: Equatable {
    case taken
    /// It may go better later.
    case later
    /// It will never go better.
    case never

    /// 2xx is taken. A redirect is not followed, and 4xx says that the request is wrong, so neither goes better; but for 408
    /// (Request Timeout), 425 (Too Early) and 429 (Too Many Requests), which are about the moment.
    init(status: Int) {
        switch status {
        case 200..<300: self = .taken
        case 408, 425, 429: self = .later
        case 300..<500: self = .never
        default: self = .later
        }
    }
}
