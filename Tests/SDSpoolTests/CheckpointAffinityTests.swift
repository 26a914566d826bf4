// Jobs whose checkpoint is loaded go first, where that is wanted.

import Foundation
import StandIn
import Testing

@Suite(.witnessed) struct CheckpointAffinityTests {
    private static let names = ["a", "b", "c", "d", "e", "f"]

    /// The order in which jobs are rendered that want two checkpoints by turns.
    private func order(_ more: String...) async throws -> [String] {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        try Data().write(to: spool.path("PAUSE"))
        await spool.takeSlot()
        let daemon = try Program(spool.arguments(server: standIn.url) + more)
        try await daemon.says("ready:")
        for (index, name) in Self.names.enumerated() {
            let checkpoint = index % 2 == 0 ? "sketch-test-card" : "sketch-test-card-2"
            try spool.drop(
                name,
                smallJob(#""mark": "\#(name)", "override_settings": {"sd_model_checkpoint": "\#(checkpoint)"}"#))
            try await daemon.says("accepted", ".\(name)")
        }
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        for name in Self.names { try await daemon.says("done \(name)") }
        #expect(try await daemon.stop() == 0)
        let bodies = standIn.requests.map { String(decoding: $0.body, as: UTF8.self) }
        await standIn.stop()
        return bodies.compactMap { body in Self.names.first { body.contains(#""mark": "\#($0)""#) } }
    }

    @Test("strict order is what there is unless it is asked for otherwise")
    func strict() async throws {
        #expect(try await order() == Self.names)
    }

    @Test("jobs with the checkpoint that is loaded go before at most so many others")
    func grouped() async throws {
        #expect(try await order("--group-by-checkpoint", "10") == ["a", "c", "e", "b", "d", "f"])
        #expect(try await order("--group-by-checkpoint", "1") == ["a", "c", "b", "d", "f", "e"])
    }
}
