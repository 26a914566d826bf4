// Where the server sends clients of the door, in a table.

import A1111
import A1111API
import Testing

@testable import Gateway

@Suite struct RedirectTests {
    @Test(
        "a whole URL of the server's own becomes its path, and every other one stays as it is",
        arguments: [
            ("http://gpu:7860", "http://gpu:7860/docs/", "/docs/"),
            ("http://gpu:7860", "http://GPU:7860/docs/?a=b#c", "/docs/?a=b#c"),
            ("http://gpu:7860", "HTTP://gpu:7860", "/"), ("http://gpu:7860", "http://gpu:7860?a=b", "/?a=b"),
            ("http://gpu", "http://gpu/x", "/x"), ("http://gpu", "http://gpu:80/x", "/x"),
            ("https://gpu", "https://gpu:443/x", "/x"), ("http://[::1]:7860", "http://[::1]:7860/x", "/x"),
            ("http://gpu:7860", "https://gpu:7860/x", nil), ("http://gpu:7860", "http://gpu:7861/x", nil),
            ("http://gpu:7860", "http://gpu/x", nil), ("http://gpu:7860", "http://gpu.evil:7860/x", nil),
            ("http://gpu:7860", "http://ann@gpu:7860/x", nil), ("http://gpu:7860", "/docs/", nil),
            ("http://gpu:7860", "docs", nil), ("http://gpu:7860", "//gpu:7860/x", nil), ("http://gpu:7860", "", nil),
            ("http://gpu:7860", "http://", nil), ("http://gpu:7860", "x/http://gpu:7860/x", nil),
            // As a path it would lead to another host.
            ("http://gpu:7860", "http://gpu:7860//evil.example/", nil),
            ("http://gpu:7860", #"http://gpu:7860/\evil.example/"#, nil),
            // What the door passes on goes below the server's own path.
            ("http://gpu/sd", "http://gpu/sd/docs/", "/docs/"), ("http://gpu/sd", "http://gpu/sd", "/"),
            ("http://gpu/sd", "http://gpu/docs/", nil), ("http://gpu/sd", "http://gpu/sdx/docs", nil),
            ("http://gpu/sd", "http://gpu/sd//evil.example/", nil),
        ] as [(String, String, String?)])
    func redirects(server: String, location: String, expected: String?) throws {
        let server = try #require(ServerAddress(server))
        #expect(redirect(location, from: server) == expected ?? location)
    }
}
