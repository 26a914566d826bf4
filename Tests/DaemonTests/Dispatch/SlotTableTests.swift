import Spool
import Testing

@testable import Daemon

@Suite("Whose turn it is")
struct SlotTableTests {
    private let a = SlotKey(server: "http://a", kind: .renders)
    private let b = SlotKey(server: "http://b", kind: .renders)

    private func slots(limit: Int = 2) -> SlotTable {
        var slots = SlotTable()
        slots.add(a, limit: limit)
        slots.add(b, limit: limit)
        return slots
    }

    @Test("a server gets a second job when the other has one, and not before")
    func turns() {
        var slots = slots()
        #expect(slots.isTurn(a) && slots.isTurn(b))
        slots.reserve(a)
        #expect(!slots.isTurn(a) && slots.isTurn(b))
        #expect(slots.room(a) == 1)
        slots.reserve(b)
        #expect(slots.isTurn(a) && slots.isTurn(b))
        slots.reserve(a)
        slots.reserve(b)
        #expect(slots.room(a) == 0 && slots.room(b) == 0)
        for _ in 0..<2 {
            for slot in [a, b] {
                slots.starting(slot)
                slots.sent(slot)
            }
        }
        slots.publishing(a)
        #expect(slots.isTurn(a))
        slots.publishing(b)
        slots.publishing(b)
        #expect(!slots.isTurn(a))
    }

    @Test("a server that is away has no turn, and one request shows whether it is back")
    func away() {
        var slots = slots()
        slots.reserve(a)
        slots.setUp("http://b", false)
        #expect(slots.isTurn(a))
        #expect(slots.room(b) == 1)
        slots.reserve(b)
        #expect(slots.room(b) == 0)
        slots.setUp("http://b", true)
        #expect(slots.room(b) == 1)
    }

    @Test("a server that takes one at a time is not waited for with a second")
    func single() {
        var slots = slots()
        slots.setLimit(b, 1)
        slots.reserve(a)
        slots.reserve(b)
        #expect(slots.room(b) == 0)
        #expect(slots.isTurn(a))
        slots.reserve(a)
        slots.setLimit(a, 4)
        #expect(slots.isTurn(a))
    }

    @Test("queries do not count against renders")
    func kinds() {
        var slots = slots()
        let query = SlotKey(server: "http://b", kind: .queries)
        slots.add(query, limit: 1)
        slots.reserve(a)
        slots.reserve(b)
        #expect(slots.isTurn(a) && slots.isTurn(query))
    }

    @Test("results that wait for the disk stop it all")
    func unpublished() {
        var slots = slots()
        for _ in 0..<32 {
            slots.reserve(a)
            slots.starting(a)
            slots.sent(a)
            slots.publishing(a)
        }
        #expect(slots.room(a) == 0)
        slots.released(a)
        #expect(slots.room(a) > 0)
    }

    @Test("one flight after the other gets ready to leave, as long as there is room at the server")
    func boarding() {
        var slots = slots(limit: 2)
        for _ in 0..<3 { slots.reserve(a) }
        #expect(slots.mayStart(a))
        slots.starting(a)
        #expect(!slots.mayStart(a))
        slots.sent(a)
        #expect(slots.mayStart(a))
        slots.starting(a)
        slots.sent(a)
        #expect(!slots.mayStart(a))
        slots.publishing(a)
        #expect(slots.mayStart(a) && slots.count(at: a) == 1)
    }

    @Test("a job that is not sent after all leaves its room")
    func returned() {
        var slots = slots(limit: 1)
        slots.reserve(a)
        #expect(slots.room(a) == 0)
        slots.cancelled(a)
        #expect(slots.room(a) == 1)
    }
}
