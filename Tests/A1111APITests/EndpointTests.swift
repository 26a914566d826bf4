import Testing

@testable import A1111API

@Suite("An endpoint")
struct EndpointTests {
    static let choices: [(keys: Set<String>, Endpoint.Service)] = [
        ([], .txt2img), (["prompt"], .txt2img), (["prompt", "steps", "unknown"], .txt2img),
        (["init_images"], .img2img), (["prompt", "init_images", "mask"], .img2img),
        (["init_images", "image", "upscaler_1"], .img2img),
        (["imageList"], .extraBatch), (["imageList", "upscaler_1"], .extraBatch),
        (["image", "upscaler_1"], .extraSingle), (["image", "upscaling_resize"], .extraSingle),
        (["image", "resize_mode"], .extraSingle), (["image", "gfpgan_visibility"], .extraSingle),
        (["image", "codeformer_visibility"], .extraSingle),
        (["image"], .txt2img), (["upscaler_1"], .txt2img), (["prompt", "resize_mode"], .txt2img),
    ]

    @Test("is chosen by what the body holds where the job names none", arguments: choices)
    func choice(keys: Set<String>, service: Endpoint.Service) throws {
        let endpoint = try Endpoint(named: nil, method: nil, bodyKeys: keys)
        #expect(endpoint.service == service)
        #expect(endpoint.method == "POST")
        #expect(endpoint.path == "/sdapi/v1/\(service.rawValue)")
        #expect(endpoint.description == "POST /sdapi/v1/\(service.rawValue)")
    }

    static let wishes: [(String, String?, keys: Set<String>, method: String, Endpoint.Service?)] = [
        ("/sdapi/v1/txt2img", nil, [], "POST", .txt2img),
        ("/sdapi/v1/txt2img", nil, ["init_images"], "POST", .txt2img),
        ("/sdapi/v1/img2img", "post", [], "POST", .img2img),
        ("/sdapi/v1/extra-single-image", nil, ["image"], "POST", .extraSingle),
        ("/sdapi/v1/extra-batch-images", nil, [], "POST", .extraBatch),
        ("/sdapi/v1/txt2img", "GET", [], "GET", nil), ("/sdapi/v1/txt2img/", nil, [], "GET", nil),
        ("/sdapi/v1/options", nil, [], "GET", nil), ("/sdapi/v1/options", nil, ["samples_format"], "POST", nil),
        ("/sdapi/v1/options", "Post", [], "POST", nil), ("/x", "delete", [], "DELETE", nil),
        ("/x", "PUT", [], "PUT", nil), ("/x", "patch", [], "PATCH", nil),
        ("/", nil, [], "GET", nil), ("/a?b=../c&d=http://e//f", nil, [], "GET", nil),
        // More levels than anybody unescapes are not followed: there may be thousands.
        ("/%25252525252e%25252525252e/a", nil, [], "GET", nil),
        ("/\(String(repeating: "%25", count: 10_000))", nil, [], "GET", nil),
        ("/a..b/.c/d.", nil, [], "GET", nil), ("/a%20b", nil, [], "GET", nil), ("/a//b", nil, [], "GET", nil),
    ]

    @Test("is what the job names", arguments: wishes)
    func named(
        path: String, method: String?, keys: Set<String>, expected: String, service: Endpoint.Service?
    ) throws {
        let endpoint = try Endpoint(named: path, method: method, bodyKeys: keys)
        #expect(endpoint.path == path)
        #expect(endpoint.method == expected)
        #expect(endpoint.service == service)
    }

    @Test(
        "is a path on the configured server and nothing else",
        arguments: [
            "", "sdapi/v1/options", "http://evil/x", "https://evil", "//evil/x", "///x", "@evil", "?x", "file:///x",
            "/a/../b", "/..", "/a/..", "/./a", "/a/.", "/a/../../etc", "/%2e%2e/a", "/%2E%2e/a", "/.%2e/a", "/%2e/a",
            "/a%2f..%2fb", "/a%2F%2e%2E%2Fb", "/%252e%252e/a", "/a#b", "/a?b#c", "/a b", "/a?b c", " /a", "/a ",
            "/a\\b", "\\\\evil",
            "/a\nb", "/a\r\nHost: evil", "/a\tb", "/a\u{0}b", "/a\u{7f}", "/\u{e4}", "/\u{202e}",
        ])
    func refused(path: String) {
        let error = #expect(throws: EndpointError.self) {
            try Endpoint(named: path, method: nil, bodyKeys: [])
        }
        #expect(error?.message.contains("must be a path on the server") == true, "\(path.debugDescription)")
    }

    @Test("has a method that a job may use", arguments: ["HEAD", "CONNECT", "TRACE", "OPTIONS", "", "GET ", "ＧＥＴ"])
    func methods(method: String) {
        let error = #expect(throws: EndpointError.self) { try Endpoint(named: "/a", method: method, bodyKeys: []) }
        #expect(error?.message.contains("must be GET, POST, PUT, PATCH or DELETE") == true)
    }

    @Test(
        "that stops the server is known however it is spelled",
        arguments: [
            ("/sdapi/v1/server-kill", true), ("/sdapi/v1/server-restart?x=y", true), ("/SDAPI/v1/Server-Stop", true),
            ("/sdapi/v1/server%2dkill", true), ("/sdapi/v1/%73erver-kill", true), ("/sdapi%2Fv1/server-kill", true),
            ("/sdapi/v1//server-kill", true), ("/sdapi/v1/%2573erver-kill", true), ("/sdapi/v1/shutdown", true),
            ("/sdapi/v1/restart", true), ("/sdapi/v2/server/restart", true), ("/sdapi/v1/servers", false),
            ("/sdapi/v1/interrupt", false), ("/sdapi/v1/options?x=/sdapi/v1/server-kill", false), ("/", false),
        ])
    func control(path: String, expected: Bool) throws {
        #expect(try Endpoint(named: path, method: "POST", bodyKeys: []).isControl == expected)
    }

    @Test("draws seeds where it renders from noise")
    func seeds() {
        #expect(Endpoint.Service.allCases.filter(\.drawsSeeds) == [.txt2img, .img2img])
    }
}
