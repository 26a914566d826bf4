import Foundation
import Glibc
import Testing

@testable import Linux

@Suite struct NotifySocketTests {
    private static func socket(_ name: String?, _ watchdog: String? = nil, owner: String? = nil) -> NotifySocket? {
        NotifySocket(
            name: name.map { Array($0.utf8) }, watchdog: watchdog.map { Array($0.utf8) },
            owner: owner.map { Array($0.utf8) }, process: 7)
    }

    @Test(
        "signs of life are due where a time is named, and this process meant",
        arguments: [
            ("3000000", nil, .seconds(3)), ("3000000", "7", .seconds(3)), ("3000000", "8", nil), ("0", nil, nil),
            ("-1", nil, nil), ("soon", "7", nil), ("3000000", "seven", nil), (nil, "7", nil),
        ] as [(String?, String?, Duration?)])
    func watchdog(time: String?, owner: String?, expected: Duration?) throws {
        #expect(try #require(Self.socket("/x", time, owner: owner)).watchdog == expected)
        #expect(Self.socket(nil, time) == nil)
        #expect(Self.socket("", time) == nil)
    }

    @Test(
        "what cannot be told says on which socket",
        arguments: [
            ("/nowhere/a\nb", ENOENT, "/nowhere/a\\x0ab"), ("@sdspool-nobody", ECONNREFUSED, "@sdspool-nobody"),
            ("vsock:2:1", EAFNOSUPPORT, "vsock:2:1"), ("notify", EAFNOSUPPORT, "notify"),
        ])
    func unheard(name: String, code: Int32, shown: String) throws {
        let socket = try #require(Self.socket(name))
        #expect(throws: SystemError(call: "sendto", code: code, path: shown)) { try socket.send(["READY=1"]) }
    }

    @Test("a name that is longer than an address can hold is told as such")
    func long() throws {
        let socket = try #require(Self.socket("/" + String(repeating: "x", count: 108)))
        #expect { try socket.send(["READY=1"]) } throws: { ($0 as? SystemError)?.code == ENAMETOOLONG }
    }

    @Test("what was taken is in nobody's environment any more")
    func taken() async {
        await #expect(processExitsWith: .success) {
            let variables = ["NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "\(getpid())"]
            for (name, value) in variables { setenv(name, value, 1) }
            let socket = NotifySocket.taken()
            let isGone = variables.keys.allSatisfy { getenv($0) == nil }
            exit(socket?.watchdog == .seconds(2) && isGone && NotifySocket.taken() == nil ? 0 : 1)
        }
    }
}
