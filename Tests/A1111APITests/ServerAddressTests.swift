import Foundation
import Testing

@testable import A1111API

@Suite("A server's address")
struct ServerAddressTests {
    static let good: [(String, shown: String, host: String, port: UInt16)] = [
        ("http://127.0.0.1:7860", "http://127.0.0.1:7860", "127.0.0.1", 7860),
        ("http://gpu2", "http://gpu2", "gpu2", 80),
        ("https://gpu2", "https://gpu2", "gpu2", 443),
        ("HTTP://gpu2:1", "http://gpu2:1", "gpu2", 1),
        ("http://gpu2:65535/", "http://gpu2:65535", "gpu2", 65535),
        ("http://gpu2/sd//", "http://gpu2/sd", "gpu2", 80),
        ("https://example.org:8443/a/b", "https://example.org:8443/a/b", "example.org", 8443),
        ("http://[::1]:7860", "http://[::1]:7860", "::1", 7860),
        ("http://[fe80::1]", "http://[fe80::1]", "fe80::1", 80),
        ("http://user:secret@gpu2:7860/sd", "http://gpu2:7860/sd", "gpu2", 7860),
    ]

    @Test("has a host, a port and perhaps a prefix", arguments: good)
    func parts(text: String, shown: String, host: String, port: UInt16) throws {
        let address = try #require(ServerAddress(text))
        #expect(address.description == shown)
        #expect(address.host == host)
        #expect(address.port == port)
    }

    @Test(
        "is not made of anything else",
        arguments: [
            "", "gpu2", "gpu2:7860", "127.0.0.1:7860", "//gpu2", "ftp://gpu2", "file:///tmp", "http://", "http:///sd",
            "http:gpu2", "http://:7860", "http://gpu2:0", "http://gpu2:65536", "http://gpu2:-1", "http://gpu2:x",
            "http://gpu2?x=1", "http://gpu2#x", "http://gpu2/?", "http://gpu 2", "http://gpu2\n", "http://[::1",
        ])
    func garbage(text: String) { #expect(ServerAddress(text) == nil, "\(text.debugDescription)") }

    static let credentials: [(String, String?, basic: String?)] = [
        ("http://h", nil, nil), ("http://u:p@h", nil, "u:p"), ("http://u:p@h", "x:y", "u:p"),
        ("http://h", "x:y", "x:y"),
        ("http://u@h", nil, "u:"), ("http://u:a%40b%3Ac@h", nil, "u:a@b:c"), ("http://%C3%BC:p@h", nil, "ü:p"),
    ]

    @Test("keeps credentials for the Authorization header", arguments: credentials)
    func authorization(text: String, elsewhere: String?, basic: String?) throws {
        let address = try #require(ServerAddress(text, credentials: elsewhere))
        #expect(address.authorization == basic.map { "Basic " + Data($0.utf8).base64EncodedString() })
    }

    @Test("never shows credentials")
    func hidden() throws {
        let address = try #require(ServerAddress("http://aladdin:opensesame@gpu2:7860/sd"))
        let url = try #require(address.url(of: "/sdapi/v1/options"))
        for text in [
            address.description, "\(address)", address.url.absoluteString, url.absoluteString,
            String(reflecting: address.url),
        ] {
            #expect(!text.contains("aladdin") && !text.contains("opensesame"))
        }
    }

    @Test("is one server's whatever the credentials")
    func equality() {
        let addresses = ["http://u:p@h:1", "http://h:1", "http://h:1/", "http://h:2"].map { ServerAddress($0) }
        #expect(addresses[0] == addresses[1] && addresses[1] == addresses[2] && addresses[2] != addresses[3])
        #expect(Set(addresses).count == 2)
    }

    static let paths: [(String, String)] = [
        ("/a?b=c%20d&e=/", "/a?b=c%20d&e=/"), ("/a%20b?c=[%5B]", "/a%20b?c=%5B%5B%5D"), ("/a|b%2fc", "/a%7Cb%2fc"),
        ("/%zz%2", "/%25zz%252"), ("/%", "/%25"), ("/{\"<^`>\"}", "/%7B%22%3C%5E%60%3E%22%7D"), ("/", "/"),
        ("/!$&'()*+,;=:@-._~", "/!$&'()*+,;=:@-._~"), ("/a?b?c=?", "/a?b?c=?"), ("/a//b", "/a//b"),
    ]

    @Test("puts a path behind its prefix, with escapes where they are missing and nowhere else", arguments: paths)
    func path(path: String, escaped: String) throws {
        let address = try #require(ServerAddress("http://h:1/sd"))
        #expect(address.url(of: path)?.absoluteString == "http://h:1/sd" + escaped)
    }
}
