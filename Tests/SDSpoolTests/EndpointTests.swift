// All that the server can do can be asked for by dropping a file.

import Foundation
import StandIn
import Testing

@Suite(.witnessed) struct EndpointTests {
    @Test("a job for any endpoint of A1111 ends in done/ with the server's answer, or in failed/ with its words")
    func table() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        try spool.drop("first", smallJob())
        try await daemon.says("done first")
        let picture = try Data(contentsOf: spool.path("done/first/first-1.png"))
        let rows = EndpointRow.all
        #expect(Set(rows.map(\.name)).count == rows.count)
        try await spool.run(rows, picture: picture, by: daemon, within: deadline)
        #expect(try await daemon.stop() == 0)
        for row in rows { try row.check(in: spool) }
        await standIn.stop()
    }

    @Test("what a server without a web UI lacks is refused by name")
    func nowebui() async throws {
        let standIn = try StandIn.nowebui()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        try spool.drop("ping", #"{"sdspool": {"endpoint": "/internal/ping"}}"#)
        try await daemon.says("failed ping: the server has no /internal/ping")
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }
}
