// Moments, as they stand in names and results.

import Foundation
import Glibc

/// A moment of UTC, to the microsecond.
package struct Timestamp: Hashable, Comparable, Sendable {
    /// Since 1970-01-01T00:00:00Z.
    package let microseconds: Int64

    /// A moment by its distance from 1970, in microseconds.
    package init(microseconds: Int64) { self.microseconds = microseconds }

    /// What the wall clock says, which may step back: order is made by ``ArrivalClock``.
    package static var now: Timestamp { Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) }

    /// The earlier is the lesser.
    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    /// ISO 8601 without separators, in names: `20261123T151042.123456Z`. These sort as text as they do in time.
    package var compact: String { text(dash: "", colon: "") }

    /// ISO 8601, for people and programs: `2026-11-23T15:10:42.123456Z`.
    package var iso8601: String { text(dash: "-", colon: ":") }

    /// The moment that `compact` wrote; `nil` for anything else.
    init?(compact text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].count == 15, parts[1].count == 7, parts[1].hasSuffix("Z") else { return nil }
        guard let fraction = Int64(parts[1].dropLast()), fraction >= 0 else { return nil }
        guard let date = try? Self.compactSeconds.parse("\(parts[0])Z"), date.timeIntervalSince1970 >= 0 else {
            return nil
        }
        microseconds = Int64(date.timeIntervalSince1970) * 1_000_000 + fraction
        // Foundation reads February 30 and 25 o'clock, too; a file that is named so would not be found by its ticket.
        guard compact == text else { return nil }
    }

    /// The moment that `iso8601` wrote; `nil` for anything else.
    init?(iso8601 text: String) {
        self.init(compact: text.filter { $0 != "-" && $0 != ":" })
        guard iso8601 == text else { return nil }
    }

    private static let compactSeconds = Date.ISO8601FormatStyle(dateSeparator: .omitted, timeSeparator: .omitted)

    /// By the C library: a job has some thirty moments in its names and results, and Foundation's style takes 8 µs for one.
    private func text(dash: String, colon: String) -> String {
        let (seconds, fraction) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        var (time, parts) = (time_t(seconds), tm())
        gmtime_r(&time, &parts)
        func digits(_ number: Int, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
        }
        let date = [
            digits(Int(parts.tm_year) + 1900, 4), digits(Int(parts.tm_mon) + 1, 2), digits(Int(parts.tm_mday), 2),
        ]
        let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { digits(Int($0), 2) }
        return date.joined(separator: dash) + "T" + clock.joined(separator: colon) + "." + digits(Int(fraction), 6)
            + "Z"
    }
}

/// Gives each arrival a moment of its own, later than all before it, also when the wall clock steps back.
package struct ArrivalClock: Sendable {
    private var last: Timestamp

    /// A clock that begins behind `last`, the latest arrival that is still in the spool. One in the year 9999 is nobody's
    /// arrival: behind it none could be written in four digits of a year, and would not be found in the queue again.
    package init(after last: Timestamp?) {
        self.last = last.flatMap { $0.microseconds < Self.end ? $0 : nil } ?? Timestamp(microseconds: 0)
    }

    /// 9999-01-01T00:00:00Z.
    private static let end: Int64 = 253_370_764_800_000_000

    /// The moment `now`, or the next free one behind the last given.
    ///
    /// - Parameter room: so many moments before the one that is returned are given to nobody else.
    package mutating func next(now: Timestamp, behind room: Int = 0) -> Timestamp {
        last = Timestamp(microseconds: max(now.microseconds, last.microseconds + 1) + Int64(room))
        return last
    }
}
