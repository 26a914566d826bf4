import Spool
import Testing

@testable import Daemon

@Suite("Whose turn it is")
struct CrewTests {
    private let a = Seat(server: "http://a", kind: .renders)
    private let b = Seat(server: "http://b", kind: .renders)

    private func crew(limit: Int = 2) -> Crew {
        var crew = Crew()
        crew.add(a, limit: limit)
        crew.add(b, limit: limit)
        return crew
    }

    @Test("a server gets a second job when the other has one, and not before")
    func turns() {
        var crew = crew()
        #expect(crew.isTurn(a) && crew.isTurn(b))
        crew.took(a)
        #expect(!crew.isTurn(a) && crew.isTurn(b))
        #expect(crew.room(a) == 1)
        crew.took(b)
        #expect(crew.isTurn(a) && crew.isTurn(b))
        crew.took(a)
        crew.took(b)
        #expect(crew.room(a) == 0 && crew.room(b) == 0)
        for _ in 0..<2 {
            for seat in [a, b] {
                crew.boarded(seat)
                crew.left(seat)
            }
        }
        crew.answered(a)
        #expect(crew.isTurn(a))
        crew.answered(b)
        crew.answered(b)
        #expect(!crew.isTurn(a))
    }

    @Test("a server that is away has no turn, and one request shows whether it is back")
    func away() {
        var crew = crew()
        crew.took(a)
        crew.setThere("http://b", false)
        #expect(crew.isTurn(a))
        #expect(crew.room(b) == 1)
        crew.took(b)
        #expect(crew.room(b) == 0)
        crew.setThere("http://b", true)
        #expect(crew.room(b) == 1)
    }

    @Test("a server that takes one at a time is not waited for with a second")
    func single() {
        var crew = crew()
        crew.setLimit(b, 1)
        crew.took(a)
        crew.took(b)
        #expect(crew.room(b) == 0)
        #expect(crew.isTurn(a))
        crew.took(a)
        crew.setLimit(a, 4)
        #expect(crew.isTurn(a))
    }

    @Test("queries do not count against renders")
    func kinds() {
        var crew = crew()
        let query = Seat(server: "http://b", kind: .queries)
        crew.add(query, limit: 1)
        crew.took(a)
        crew.took(b)
        #expect(crew.isTurn(a) && crew.isTurn(query))
    }

    @Test("as many are made ready ahead as were answered meanwhile, and results that wait for the disk stop it all")
    func ahead() {
        var crew = crew()
        crew.setAhead(a, 3)
        #expect(crew.room(a) == 5)
        crew.setAhead(a, 1000)
        #expect(crew.room(a) == 16)
        for _ in 0..<32 {
            crew.took(a)
            crew.boarded(a)
            crew.left(a)
            crew.answered(a)
        }
        #expect(crew.room(a) == 0)
        crew.ended(a)
        #expect(crew.room(a) > 0)
    }

    @Test("one flight after the other gets ready to leave, as long as there is room at the server")
    func boarding() {
        var crew = crew(limit: 2)
        for _ in 0..<3 { crew.took(a) }
        #expect(crew.mayBoard(a))
        crew.boarded(a)
        #expect(!crew.mayBoard(a))
        crew.left(a)
        #expect(crew.mayBoard(a))
        crew.boarded(a)
        crew.left(a)
        #expect(!crew.mayBoard(a))
        crew.answered(a)
        #expect(crew.mayBoard(a) && crew.count(at: a) == 1)
    }

    @Test("a job that is not sent after all leaves its room")
    func returned() {
        var crew = crew(limit: 1)
        crew.took(a)
        #expect(crew.room(a) == 0)
        crew.returned(a)
        #expect(crew.room(a) == 1)
    }
}
