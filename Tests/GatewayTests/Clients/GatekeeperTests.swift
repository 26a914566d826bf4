// Who may come in, in tables.

import HTTP
import Testing

@testable import Gateway

@Suite struct GatekeeperTests {
    private static let keeper = Gatekeeper(
        credentials: [], names: ["studio", "studio.local"], origins: ["http://127.0.0.1:3000"])
    private static let guarded = Gatekeeper(
        credentials: ["ann:one", "bob:two:three"], names: [], origins: ["http://127.0.0.1:3000"])

    @Test(
        "a name that is none of ours was led here by somebody else",
        arguments: [
            ("127.0.0.1:7861", nil), ("127.0.0.1", nil), ("192.168.1.5:80", nil), ("[::1]:7861", nil),
            ("localhost:7861", nil), ("LOCALHOST", nil), ("door.localhost", nil), ("studio", nil),
            ("Studio.Local:7861", nil), ("", nil), ("evil.example", 421), ("evil.example:7861", 421),
            ("127.0.0.1.evil.example", 421), ("localhost.evil.example", 421), ("127.0.0.1.", 421), ("127.0.0.256", 421),
            ("127.0.0.+1", 421), ("127.1", 421), ("2130706433", 421), ("[evil]", 421), ("studio.evil", 421),
            ("notlocalhost", 421), ("[", 421), ("[::", 421), ("[]", 421), ("[::g]", 421), ("[fe80::1%1]", 421),
            ("[::1\0.evil]", 421),
            ("[::ffff:127.0.0.1]:80", nil),
        ] as [(String, Int?)])
    func host(host: String, status: Int?) {
        #expect(Self.keeper.refusal(of: "GET", ["Host": host])?.status == status)
    }

    @Test(
        "a page from elsewhere may look at what everybody may, and do nothing",
        arguments: [
            ("GET", "http://evil.example", nil), ("HEAD", "http://evil.example", nil),
            ("POST", "http://evil.example", 403), ("DELETE", "http://evil.example", 403), ("post", "null", 403),
            ("POST", "null", 403), ("POST", "http://127.0.0.1:7861", nil), ("POST", "https://127.0.0.1:7861", nil),
            ("POST", "http://127.0.0.1:7862", 403), ("POST", "http://127.0.0.1", 403),
            ("POST", "http://127.0.0.1:3000", nil), ("POST", "HTTP://127.0.0.1:3000", nil),
            ("POST", "http://127.0.0.1:30000", 403), ("OPTIONS", "http://evil.example", 403),
            ("OPTIONS", "http://127.0.0.1:3000", nil), ("POST", "", 403), ("POST", "file://", 403),
        ] as [(String, String, Int?)])
    func origin(method: String, origin: String, status: Int?) {
        let headers: Headers = ["Host": "127.0.0.1:7861", "Origin": origin]
        #expect(Self.keeper.refusal(of: method, headers)?.status == status)
    }

    @Test(
        "only user and password as they are open the door",
        arguments: [
            ("Basic YW5uOm9uZQ==", nil), ("basic YW5uOm9uZQ==", nil), ("Basic  YW5uOm9uZQ==", nil),
            ("Basic Ym9iOnR3bzp0aHJlZQ==", nil), (nil, 401), ("", 401), ("Basic", 401), ("Basic ", 401),
            ("Bearer YW5uOm9uZQ==", 401), ("Basic YW5uOm9uZTE=", 401), ("Basic YW5uOm9u", 401), ("Basic Og==", 401),
            ("Basic YW5uOg==", 401), ("Basic !!!", 401), ("YW5uOm9uZQ==", 401), ("Basic YW5uOm9uZWFubjpvbmU=", 401),
            ("Basic YW5uOnR3bzp0aHJlZQ==", 401),
        ] as [(String?, Int?)])
    func credentials(authorization: String?, status: Int?) {
        var headers: Headers = ["Host": "127.0.0.1"]
        if let authorization { headers.append("Authorization", authorization) }
        #expect(Self.guarded.refusal(of: "GET", headers)?.status == status)
    }

    @Test("leave is asked without credentials, and given to nobody but the pages that are named")
    func preflight() {
        func status(_ method: String, _ more: (String, String)...) -> Int? {
            var headers: Headers = ["Host": "127.0.0.1"]
            for (name, value) in more { headers.append(name, value) }
            return Self.guarded.refusal(of: method, headers)?.status
        }
        let asks = ("Access-Control-Request-Method", "POST")
        #expect(status("OPTIONS", asks, ("Origin", "http://127.0.0.1:3000")) == nil)
        #expect(status("OPTIONS", ("Origin", "http://127.0.0.1:3000")) == 401)
        #expect(status("OPTIONS", asks) == 401)
        #expect(status("OPTIONS", asks, ("Origin", "http://127.0.0.1")) == 401)
        #expect(status("OPTIONS", asks, ("Origin", "http://evil.example")) == 403)
        #expect(status("POST", asks, ("Origin", "http://127.0.0.1:3000")) == 401)
    }

    @Test("a password is compared to its end, whatever its length")
    func equality() {
        let known = Array("ann:one".utf8)
        #expect(Gatekeeper.isEqual(known, known))
        for given in ["", "a", "ann:on", "ann:onf", "ann:onee", "ann:oneann:one", "bnn:one"] {
            #expect(!Gatekeeper.isEqual(known, Array(given.utf8)), "\(given)")
        }
    }
}
