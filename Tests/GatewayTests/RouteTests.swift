// Which request is whose, in tables.

import HTTP
import Linux
import Testing

@testable import Gateway

@Suite struct RouteTests {
    @Test(
        "a request is the door's, the spool's or the server's",
        arguments: [
            ("POST", "/sdapi/v1/txt2img", .render(.txt2img)), ("POST", "/sdapi/v1/img2img", .render(.img2img)),
            ("POST", "/sdapi/v1/extra-single-image", .render(.extraSingle)),
            ("POST", "/sdapi/v1/extra-batch-images", .render(.extraBatch)),
            ("GET", "/sdapi/v1/txt2img", .wrongMethod(allowed: "POST")),
            ("post", "/sdapi/v1/txt2img", .wrongMethod(allowed: "POST")),
            // What the server would take for a render is one: beside the queue nothing is rendered.
            ("POST", "/sdapi/v1/%74xt2img", .render(.txt2img)), ("POST", "/sdapi/v1/txt2img/", .render(.txt2img)),
            ("POST", "/sdapi%2Fv1/txt2img", .render(.txt2img)),
            ("POST", "/SDAPI/v1/txt2img", .proxy), ("GET", "/sdapi/v1/options", .proxy),
            ("POST", "/sdapi/v1/options", .proxy), ("OPTIONS", "*", .wrongMethod(allowed: "GET, HEAD")),
            ("GET", "/docs", .proxy),
            ("GET", "/spool/v1/queue", .queue), ("HEAD", "/spool/v1/queue", .queue),
            ("POST", "/spool/v1/queue", .wrongMethod(allowed: "GET, HEAD")), ("GET", "/spool/v1/queue/", .nowhere),
            ("GET", "/spool/v1/events", .events), ("HEAD", "/spool/v1/events", .wrongMethod(allowed: "GET")),
            ("GET", "/spool/v1/jobs/a-cat", .job("a-cat")), ("DELETE", "/spool/v1/jobs/a%20cat", .job("a cat")),
            ("GET", "/spool/v1/jobs/a%2Fb", .job("a/b")), ("GET", "/spool/v1/jobs/%2e%2e", .job("..")),
            ("PUT", "/spool/v1/jobs/a", .wrongMethod(allowed: "GET, HEAD, DELETE")),
            ("GET", "/spool/v1/jobs/%ff", .nowhere), ("GET", "/spool/v1/jobs/a/images/1", .picture("a", 1)),
            ("GET", "/spool/v1/jobs/a/images/0", .nowhere), ("GET", "/spool/v1/jobs/a/images/-1", .nowhere),
            ("GET", "/spool/v1/jobs/a/images/99999999999999999999", .nowhere),
            ("GET", "/spool/v1/jobs/a/pictures/1", .nowhere), ("GET", "/spool/v1/", .nowhere),
            ("GET", "/", .file(["index.html"])), ("HEAD", "/index.html", .file(["index.html"])),
            ("POST", "/", .wrongMethod(allowed: "GET, HEAD")), ("GET", "/status.json", .file(["status.json"])),
            ("GET", "/done/cat/cat-1.png", .file(["done", "cat", "cat-1.png"])),
            ("GET", "/done/a%20cat/x", .file(["done", "a cat", "x"])),
            ("GET", "/done/%2e%2e/secret", .nowhere), ("GET", "/done/../secret", .nowhere),
            ("GET", "/done/..%2fsecret", .nowhere), ("GET", "/failed//x", .nowhere),
            ("GET", "/done/a%00b", .nowhere), ("GET", "/pages/", .nowhere),
            ("GET", "/done/a%20cat/", .result("a cat")), ("HEAD", "/done/cat/", .result("cat")),
            ("POST", "/done/cat/", .wrongMethod(allowed: "GET, HEAD")), ("GET", "/done/%2e%2e/", .nowhere),
            ("GET", "/done/a%2Fb/", .nowhere), ("GET", "/done/cat//", .nowhere), ("GET", "/failed/cat/", .nowhere),
            // Of what is rendered the preview is, and the server knows nothing of all that.
            ("GET", "/active/a%20cat/preview.png", .file(["active", "a cat", "preview.png"])),
            ("HEAD", "/active/cat/preview.jpg", .file(["active", "cat", "preview.jpg"])),
            ("GET", "/active/cat/preview.webp", .file(["active", "cat", "preview.webp"])),
            ("DELETE", "/active/cat/preview.png", .wrongMethod(allowed: "GET, HEAD")),
            ("GET", "/active/cat/cat.json", .nowhere), ("GET", "/active/cat/attempts.json", .nowhere),
            ("GET", "/active/cat/preview.gif", .nowhere), ("GET", "/active/cat/parts/preview.png", .nowhere),
            ("GET", "/active/preview.png", .nowhere), ("GET", "/active/cat/", .nowhere), ("GET", "/active/", .nowhere),
            ("GET", "/active/%2e%2e/preview.png", .nowhere), ("GET", "/active/..%2f/preview.png", .nowhere),
            // Neither the queue nor the inbox is anybody's to read.
            ("GET", "/queue/x.json", .proxy), ("GET", "/inbox/x.json", .proxy), ("GET", "/.lock", .proxy),
        ] as [(String, String, Route)])
    func route(method: String, path: String, route: Route) {
        #expect(Route(method, path) == route)
    }

    @Test(
        "a query is whatever somebody has written",
        arguments: [
            (nil, nil), ("", nil), ("a=1", "1"), ("b=2&a=1", "1"), ("a", ""), ("a=", ""), ("a=1&a=2", "1"),
            ("%61=%31", "1"), ("a=%", "%"), ("%", nil), ("a=%zz", "%zz"), ("a=[1]\"<>^|{}\\", "[1]\"<>^|{}\\"),
            ("=&&=a&a=1=2", "1=2"), ("a=%ff", "%ff"), ("?a=1", nil),
        ] as [(String?, String?)])
    func query(query: String?, value: String?) {
        #expect(Query(query)["a"] == value)
    }

    @Test(
        "a number is a whole one that is not negative",
        arguments: [("1", 1), ("0", 0), ("-1", nil), ("1.5", nil), ("99999999999999999999", nil), ("", nil)]
            as [(String, Int?)])
    func number(text: String, number: Int?) {
        #expect(Query("a=\(text)").number("a") == number)
    }

    @Test("who does not wait says so in the query or by a preference")
    func wishes() {
        #expect(ResponsePreferences([:], "async=1").isAsync)
        #expect(ResponsePreferences([:], "async=true").isAsync)
        #expect(!ResponsePreferences([:], "async=0").isAsync)
        #expect(
            ResponsePreferences(["Prefer": "wait=5, Respond-Async"], nil)
                == ResponsePreferences(["Prefer": "respond-async,wait=5"], nil))
        #expect(ResponsePreferences(["Prefer": "wait=5"], nil).wait == 5)
        for (text, seconds) in [("wait=-1", 0), ("wait=1e9", 3600), ("wait=nan", 0), ("wait=inf", 0)] {
            #expect(ResponsePreferences(["Prefer": text], nil).wait == Double(seconds), "\(text)")
        }
        #expect(ResponsePreferences(["Prefer": "wait=soon"], nil).wait == nil)
    }
}
