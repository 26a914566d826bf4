// A place in the queue. The name of a job's file in queue/ is its ticket, so `ls queue/` is the queue.

import Linux

/// Priority, arrival and name of an accepted job: `5-20261123T151042.123456Z.cat`.
///
/// The order of tickets is the order in which jobs start, and it is the order of their texts.
package struct Ticket: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// 0, which comes first, to 9.
    package let priority: UInt8
    /// When the file became whole; no two tickets of a spool share it.
    package let arrival: Timestamp
    /// What the job is called.
    package let name: JobName

    /// The priority of a job that does not name one.
    package static let usualPriority: UInt8 = 5

    init(priority: UInt8, arrival: Timestamp, name: JobName) {
        self.priority = priority
        self.arrival = arrival
        self.name = name
    }

    /// The same job a microsecond later.
    var next: Ticket {
        Ticket(priority: priority, arrival: Timestamp(microseconds: arrival.microseconds + 1), name: name)
    }

    /// The lesser starts first.
    package static func < (left: Ticket, right: Ticket) -> Bool {
        (left.priority, left.arrival, left.name) < (right.priority, right.arrival, right.name)
    }

    /// The ticket as text, which is also the name of the job's folder in active/.
    package var description: String { folder.description }

    /// The job's folder in active/, and in queue/ once it has been tried.
    package var folder: FileName { entry(suffix: "") }

    /// The job's file in queue/.
    var file: FileName { entry(suffix: ".json") }

    private func entry(suffix: String) -> FileName {
        guard
            let entry = FileName(bytes: Array("\(priority)-\(arrival.compact).".utf8) + name.with(suffix: suffix).bytes)
        else { preconditionFailure("a ticket's parts hold neither / nor NUL") }
        return entry
    }

    /// `P-YYYYMMDDTHHMMSS.ffffffZ.`, before the name.
    static let headLength = 26

    /// The ticket that an entry of queue/ or active/ is named by, with `.json` or without; `nil` for any other name.
    package init?(entry: FileName) {
        let bytes = entry.bytes
        guard bytes.count > Self.headLength, let head = String(validating: bytes[..<Self.headLength], as: UTF8.self),
            head.hasSuffix(".")
        else { return nil }
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[0]), bytes[1] == UInt8(ascii: "-") else {
            return nil
        }
        let rest = bytes[Self.headLength...]
        let isFile = rest.suffix(5).elementsEqual(".json".utf8)
        guard let arrival = Timestamp(compact: head.dropFirst(2).dropLast()),
            let name = JobName(written: isFile ? rest.dropLast(5) : rest)
        else { return nil }
        self.init(priority: bytes[0] - UInt8(ascii: "0"), arrival: arrival, name: name)
    }
}
