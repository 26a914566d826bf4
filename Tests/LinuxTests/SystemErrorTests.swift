import Glibc
import Testing

@testable import Linux

@Suite struct SystemErrorTests {
    @Test("an error names the call, the file and the reason with its symbol")
    func text() {
        let error = SystemError(call: "rename", code: ENOSPC, path: "/srv/spool/inbox/cat.json")
        #expect(error.description == "rename /srv/spool/inbox/cat.json: No space left on device (ENOSPC)")
    }

    @Test("an errno that has no symbol here is told by its number")
    func unknown() {
        #expect(SystemError(call: "x", code: EBADMSG, path: "y").reason.hasSuffix("(errno \(EBADMSG))"))
    }

    @Test(
        "what decisions are made by",
        arguments: [
            (ENOENT, "missing"), (EEXIST, "taken"), (ENOTEMPTY, "taken"), (ENOTDIR, "taken"), (EACCES, "forbidden"),
            (EPERM, "forbidden"), (EIO, ""), (ENOSPC, ""), (EXDEV, ""),
        ])
    func kinds(code: Int32, expected: String) {
        let error = SystemError(call: "x", code: code, path: "y")
        #expect(error.isMissing == (expected == "missing"))
        #expect(error.isTaken == (expected == "taken"))
        #expect(error.isForbidden == (expected == "forbidden"))
    }

    @Test("an interrupted call is made again, a failed one is thrown with the errno of the call")
    func interrupted() throws {
        var calls = 0
        let result = try system("read", "x") { () -> Int in
            calls += 1
            errno = EINTR
            return calls < 3 ? -1 : 7
        }
        #expect(result == 7)
        #expect(calls == 3)
        let error = #expect(throws: SystemError.self) {
            try system("read", "x") { () -> Int in
                errno = EIO
                return -1
            }
        }
        #expect(error == SystemError(call: "read", code: EIO, path: "x"))
    }
}
