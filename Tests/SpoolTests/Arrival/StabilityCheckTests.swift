import Foundation
import Glibc
import Testing

@testable import Linux
@testable import Spool

private let start = ContinuousClock.now
private let settle = Duration.seconds(2)
private let unfinished = Inspection.unfinished(JobFileError(message: "too early", mayStillArrive: true))
private let wrong = Inspection.wrong(JobFileError(message: "garbage"))

/// A file of `size` bytes; any difference would do.
private func status(_ size: Int) -> FileStatus {
    var raw = stat()
    raw.st_mode = S_IFREG
    raw.st_size = off_t(size)
    return FileStatus(raw)
}

private typealias Seen = (at: Double, look: Inspection, status: FileStatus?)

private func words(_ verdict: IntakeDecision) -> String {
    switch verdict {
    case .accept: "accept"
    case .expand(let batch): "expand \(batch.count)"
    case .refuse(let error): "refuse: \(error.message)"
    case .wait(let moment): "wait until \((moment - start) / .seconds(1))"
    case .leaveAlone(let reason): "leave alone: \(reason)"
    case .forget: "forget"
    }
}

@Suite struct StabilityCheckTests {
    /// Judges looks at a file that was first seen at the start, each so many seconds after it.
    private func verdicts(closed: Bool, _ looks: [Seen]) -> [String] {
        var stability = StabilityCheck(now: start, closed: closed)
        return looks.map { at, look, status in
            words(stability.judge(look, seen: status.map { [$0] } ?? [], now: start + .seconds(at), settle: settle))
        }
    }

    @Test("a whole job is accepted at once, closed or not", arguments: [true, false])
    func whole(closed: Bool) throws {
        let job = try JobFile(Data("{}".utf8))
        #expect(verdicts(closed: closed, [(0, .whole(job, hasWriter: false), status(2))]) == ["accept"])
    }

    @Test("a whole job whose file is still open is looked at ever less often, until it has not changed for a while")
    func open() throws {
        let job = try JobFile(Data("{}".utf8))
        let looks: [Seen] = [0, 0.001, 0.003, 1.5, 2].map { ($0, .whole(job, hasWriter: true), status(2)) }
        #expect(
            verdicts(closed: false, looks) == [
                "wait until 0.001", "wait until 0.003", "wait until 0.007", "wait until 1.508", "accept",
            ])
    }

    @Test("a whole job that never rests is looked at once a second, for as long as it does not")
    func restless() throws {
        let job = try JobFile(Data("{}".utf8))
        let looks: [Seen] = (0...200).map { (Double($0), .whole(job, hasWriter: true), status($0)) }
        #expect(verdicts(closed: false, looks).last == "wait until 201.0")
    }

    @Test("what may still arrive is waited for until it has not changed for a while", arguments: [true, false])
    func arriving(closed: Bool) {
        let looks: [Seen] = [(0, unfinished, status(1)), (1.9, unfinished, status(1)), (2, unfinished, status(1))]
        #expect(
            verdicts(closed: closed, looks) == ["wait until 2.0", "wait until 2.0", "refuse: too early"])
    }

    @Test("each change begins the wait anew")
    func changing() {
        let looks: [Seen] = [
            (0, unfinished, status(1)), (1.5, unfinished, status(2)), (3, unfinished, status(3)),
            (4.9, unfinished, status(3)), (5, unfinished, status(3)),
        ]
        #expect(
            verdicts(closed: false, looks) == [
                "wait until 2.0", "wait until 3.5", "wait until 5.0", "wait until 5.0", "refuse: too early",
            ])
    }

    @Test("what is wrong is refused at once where its writer has closed it")
    func wrongAndClosed() {
        #expect(verdicts(closed: true, [(0, wrong, status(1))]) == ["refuse: garbage"])
    }

    @Test("what is wrong while somebody may be writing is waited for")
    func wrongAndOpen() throws {
        let job = try JobFile(Data("{}".utf8))
        let looks: [Seen] = [(0, wrong, status(1)), (1, wrong, status(1)), (2, wrong, status(1))]
        #expect(
            verdicts(closed: false, looks) == ["wait until 2.0", "wait until 2.0", "refuse: garbage"])
        #expect(
            verdicts(closed: false, [(0, wrong, status(1)), (1, .whole(job, hasWriter: false), status(2))]) == [
                "wait until 2.0", "accept",
            ])
    }

    @Test("a file that changes after its close is being written again")
    func reopened() {
        let looks: [Seen] = [(0, unfinished, status(0)), (1, wrong, status(5)), (3, wrong, status(5))]
        #expect(verdicts(closed: true, looks) == ["wait until 2.0", "wait until 3.0", "refuse: garbage"])
    }

    @Test("a batch whose text says that it is whole is expanded at once, closed or not", arguments: [true, false])
    func batch(closed: Bool) throws {
        let batch = try Batch(array: Data("[{}, {}]".utf8))
        #expect(verdicts(closed: closed, [(0, .batch(batch, hasWriter: false), status(8))]) == ["expand 2"])
    }

    @Test("lines are expanded when they were closed, or have not changed for a while, and nobody is writing")
    func lines() throws {
        let batch = try Batch(lines: Data("{}\n".utf8))
        let open = Inspection.lines(batch, hasWriter: true)
        let free = Inspection.lines(batch, hasWriter: false)
        #expect(verdicts(closed: true, [(0, free, status(3))]) == ["expand 1"])
        #expect(
            verdicts(closed: false, [(0, free, status(3)), (1, free, status(6)), (3, free, status(6))]) == [
                "wait until 2.0", "wait until 3.0", "expand 1",
            ])
        #expect(
            verdicts(closed: true, [(0, open, status(3)), (2, open, status(3)), (4, free, status(3))]) == [
                "wait until 2.0", "wait until 4.0", "expand 1",
            ])
    }

    @Test("what is gone is forgotten, and what is no file is left alone")
    func others() {
        #expect(verdicts(closed: true, [(0, .gone, nil)]) == ["forget"])
        #expect(verdicts(closed: false, [(5, .gone, nil)]) == ["forget"])
        #expect(verdicts(closed: false, [(0, .noFile("a link"), status(1))]) == ["leave alone: a link"])
    }
}
