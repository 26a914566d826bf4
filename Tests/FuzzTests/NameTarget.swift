// Names of dropped files, and of entries in queue/: what is written can be read again, and nothing else is taken.

import Foundation
import Linux

@testable import Spool

func fuzzNames(_ input: Data) {
    guard let file = FileName(bytes: input) else { return }
    _ = file.description
    if let name = JobName(dropped: file) {
        check(name.bytes.count <= 200 && !name.bytes.isEmpty, "a name has 1 to 200 bytes: \(name)")
        check(String(validating: name.bytes, as: UTF8.self) != nil, "a name is UTF-8: \(file)")
        check(name.bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7f && !#""*:<>?\|"#.utf8.contains($0) }, "\(name)")
        check(name.bytes.first != UInt8(ascii: "."), "a name is not hidden: \(name)")
        check(JobName(written: name.bytes) == name, "a name is read again: \(file)")
        let ticket = Ticket(priority: input[input.startIndex] % 10, arrival: Timestamp(microseconds: 1), name: name)
        check(Ticket(entry: ticket.file) == ticket, "a ticket is read again: \(ticket)")
        check(Ticket(entry: ticket.folder) == ticket, "a ticket's folder is read again: \(ticket)")
        check(ticket.file.bytes.count <= 255, "a ticket is a name of at most 255 bytes: \(ticket)")
    }
    if let ticket = Ticket(entry: file) {
        check(file == ticket.file || file == ticket.folder, "a ticket is written as it was read: \(file)")
        var clock = ArrivalClock(after: ticket.arrival)
        let next = Ticket(priority: 5, arrival: clock.next(now: Timestamp(microseconds: 0)), name: ticket.name)
        check(Ticket(entry: next.file) == next, "the ticket behind one can be read: \(next)")
        let isLast = file.description.contains("-9999")
        check(isLast || ticket.arrival < next.arrival, "the next arrival comes later: \(next)")
    }
}
