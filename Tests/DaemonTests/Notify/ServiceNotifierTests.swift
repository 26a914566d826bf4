import Foundation
import Linux
import Spool
import Testing

@testable import Daemon

@Suite struct ServiceNotifierTests {
    @Test("a line for the service manager tells the state, and the reason or the jobs")
    func lines() throws {
        let cat = try #require(Ticket(entry: "5-20261123T151042.123456Z.cat.json"))
        let dog = try #require(Ticket(entry: "5-20261123T151042.123457Z.dog.json"))
        var status = Status()
        let steps: [(Event, String)] = [
            (.ready(spool: "/s", servers: ["http://a"], waiting: 0), "idle"),
            (.notifyFailed(SystemError(call: "sendto", code: ENOENT, path: "/x")), "idle"),
            (.serverAway("http://a", reason: "it says\nREADY=1"), #"waiting for the server: it says\x0aREADY=1"#),
            (.serverBack("http://a", grace: .zero), "idle"), (.started(cat, server: "http://a"), "rendering cat"),
            (.started(dog, server: "http://a"), "rendering cat, dog"), (.stopping, "stopped"),
        ]
        for (event, line) in steps {
            status.record(event)
            #expect(status.line == line)
        }
        var long = Status()
        long.record(.ready(spool: "/s", servers: ["http://a"], waiting: 0))
        long.record(.serverAway("http://a", reason: String(repeating: "x", count: 10_000)))
        #expect(long.line.utf8.count < 4096)
    }
}
