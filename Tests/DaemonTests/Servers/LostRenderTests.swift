import Testing

@testable import Daemon

@Suite("A render whose answer is lost") struct LostRenderTests {
    private static let now = ContinuousClock.now

    @Test(
        "is waited for as long as renders take there, or for as long as it may take if it is the longest of all",
        arguments: [
            // A gateway gave up after 3 s, and nothing has ever been rendered there.
            (3, 0, 30, 30), (3, 2, 30, 30), (60, 60, 180, 180), (2, 5, 5, 30), (20, 50, 50, 150), (300, 0, 600, 600),
        ])
    func alone(elapsed: Int, longest: Int, end: Int, patience: Int) {
        let orphan = LostRender(after: .seconds(elapsed), longest: .seconds(longest), behind: nil, now: Self.now)
        #expect(orphan.end - Self.now == .seconds(end))
        #expect(orphan.patience - Self.now == .seconds(patience))
        #expect(!orphan.isOver(at: Self.now + .seconds(end) - .nanoseconds(1), isUntold: true))
        #expect(orphan.isOver(at: Self.now + .seconds(end), isUntold: true))
        #expect(orphan.isOver(at: Self.now + .seconds(patience), isUntold: false))
    }

    @Test("is rendered behind those that were lost before it")
    func several() {
        let first = LostRender(after: .seconds(2), longest: .seconds(5), behind: nil, now: Self.now)
        let second = LostRender(
            after: .seconds(2), longest: .seconds(5), behind: first, now: Self.now + .milliseconds(200))
        #expect(second.end == Self.now + .seconds(10))
        let late = LostRender(after: .seconds(2), longest: .seconds(5), behind: first, now: Self.now + .seconds(60))
        #expect(late.end == Self.now + .seconds(65))
    }
}
