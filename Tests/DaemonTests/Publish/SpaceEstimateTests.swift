import Testing

@testable import Daemon

@Suite("The room that a result needs")
struct SpaceEstimateTests {
    private static func needs(_ seen: [(pixels: Int?, bytes: Int)]) -> SpaceEstimate {
        var needs = SpaceEstimate()
        for one in seen { needs.record(one.bytes, for: one.pixels) }
        return needs
    }

    static let expectations: [(seen: [(pixels: Int?, bytes: Int)], pixels: Int?, bytes: Int)] = [
        // Nothing is known: three bytes a pixel, and what a picture is to become that is enlarged.
        ([], 1000, 3000), ([], nil, 2 << 20), ([], .max, .max),
        // The same was seen, and the last time counts.
        ([(1000, 500)], 1000, 500), ([(1000, 500), (1000, 9000)], 1000, 9000), ([(nil, 7)], nil, 7),
        // No less than a smaller one, no more than a larger one.
        ([(1000, 50_000)], 2000, 50_000), ([(1000, 500)], 500, 500), ([(1000, 50_000)], 500, 1500),
        ([(1000, 100), (3000, 200)], 2000, 200), ([(1000, 100), (3000, 20_000)], 2000, 6000),
        // What does not tell says nothing of the others.
        ([(nil, 7)], 1000, 3000), ([(1000, 7)], nil, 2 << 20),
    ]

    @Test("is what the last one like it took, or is bounded by smaller and larger ones", arguments: expectations)
    func bytes(row: (seen: [(pixels: Int?, bytes: Int)], pixels: Int?, bytes: Int)) {
        #expect(Self.needs(row.seen).bytes(for: row.pixels) == row.bytes)
    }

    @Test("is known of the largest")
    func largest() {
        #expect(Self.needs([]).largest == 2 << 20)
        #expect(Self.needs([(10, 30), (nil, 50), (20, 40)]).largest == 50)
    }
}
