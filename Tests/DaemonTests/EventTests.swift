// What programs read that follow the log.

import Foundation
import Linux
import Testing

@testable import Daemon
@testable import Spool

@Suite struct EventTests {
    @Test("the words by which the log tells events apart are those of the first version, and stay")
    func kinds() throws {
        let cat = try #require(Ticket(entry: "5-20261123T151042.000000Z.cat.json"))
        let disk = SystemError(call: "write", code: ENOSPC, path: "/x")
        let events: [(Event, String)] = [
            (.ready(spool: "/s", servers: [], waiting: 0), "ready"), (.recovered(.requeued(cat)), "recovered"),
            (.accepted(cat), "accepted"), (.expanded(cat, Expansion(parts: [], path: "/x")), "expanded"),
            (.refused(cat.name, JobFileError(message: "x"), path: "/x"), "refused"),
            (.leftAlone("x", "y"), "leftAlone"), (.diskError(disk), "troubled"),
            (.started(cat, server: "http://a"), "started"),
            (.done(cat, path: "/x", pictures: 1, seconds: 1, warnings: []), "done"),
            (.failed(cat, "x", path: "/x"), "failed"), (.retrying(cat, "x", after: .zero), "tryingAgain"),
            (.delayed(cat, "x", atMost: .zero), "delayed"), (.requeued(cat), "putBack"),
            (.cancelled(cat), "cancelled"), (.queued(cat), "queued"), (.moved(cat, to: cat), "moved"),
            (.serverAway("http://a", reason: "x"), "serverAway"), (.serverBack("http://a", grace: .zero), "serverBack"),
            (.oneAtATime(server: "http://a", because: "x"), "oneAtATime"),
            (.noSpace(cat, bytes: 1, reason: "x"), "noRoom"), (.spaceAgain, "roomAgain"), (.paused(true), "paused"),
            (.directoryReplaced("/x"), "renewed"), (.inbox("/x", isThere: true), "inbox"), (.pruned(1), "pruned"),
            (.notPruned(disk), "notPruned"), (.rescans(filesystem: "nfs", every: .zero), "rounds"),
            (.polling(disk, every: .zero), "unwatched"), (.watched, "watched"), (.notifyFailed(disk), "unheard"),
            (.hookFailed(.done, "x", "y"), "hookFailed"), (.hookOverloaded(.done, waiting: 1), "hookBehind"),
            (.hookDropped(.done, 1), "hookDropped"), (.callbackTold(cat, "x"), "callbackTold"),
            (.callbackFailed(cat, "x", "y", after: .zero), "callbackFailed"),
            (.callbackGivenUp(cat, "x", "y"), "callbackGivenUp"), (.stopping, "stopping"),
        ]
        for (event, word) in events { #expect(event.kind == word) }
    }
}
