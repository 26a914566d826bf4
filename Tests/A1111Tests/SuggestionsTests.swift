import A1111API
import Foundation
import Testing

@testable import A1111

@Suite("A slip of the pen") struct SuggestionsTests {
    @Test(
        "is near to what was meant and to nothing else",
        arguments: [
            ("step", ["steps", "seed", "styles"], ["steps"]), ("setps", ["steps", "seed"], ["steps"]),
            ("promt", ["prompt", "hr_prompt"], ["prompt"]), ("Steps", ["steps"], ["steps"]),
            ("zzzz", ["steps"], []), ("a", ["b", "c"], ["b", "c"]), ("", ["steps"], []),
        ])
    func near(name: String, known: [String], expected: [String]) {
        #expect(nearest(to: name, among: known) == expected)
    }

    @Test("is not looked for in what is far longer than all that is known", .timeLimit(.minutes(60)))
    func far() {
        let known = (0..<500).map { "/sdapi/v1/route-\($0)" }
        #expect(nearest(to: String(repeating: "/sdapi", count: 5000), among: known) == [])
    }

    static let document = Data(
        #"{"openapi":"3.0.2","paths":{"/sdapi/v1/options":{"get":{},"post":{}},"/user/{id}":{"get":{}},"/f/{p:path}":{"get":{}},"/file={path_or_url}":{"get":{}}}}"#
            .utf8)

    @Test(
        "of a path is told by the server's own list",
        arguments: [
            ("/sdapi/v1/options", "GET", nil), ("/sdapi/v1/options?a=b", "POST", nil), ("/user/7", "GET", nil),
            ("/f/a/b", "GET", nil), ("/file=out/a.png", "GET", nil), ("/files", "GET", "has no /files"),
            ("/sdapi/v1/options", "DELETE", "takes GET, POST for"),
            ("/sdapi/v1/option", "GET", "did you mean /sdapi/v1/options?"), ("/user/7/8", "GET", "has no /user/7/8"),
        ] as [(String, String, String?)])
    func paths(path: String, method: String, expected: String?) throws {
        let paths = try #require(ServerPaths(Self.document))
        let problem = paths.problem(with: try Endpoint(named: path, method: method, bodyKeys: []))
        if let expected {
            #expect(problem?.contains(expected) == true, "\(problem ?? "")")
        } else {
            #expect(problem == nil)
        }
    }

    @Test("of a service is told, too, but by no list that lacks the whole API")
    func services() throws {
        let paths = try #require(ServerPaths(Self.document))
        let bare = try #require(ServerPaths(Data(#"{"paths":{"/queue/join":{"post":{}}}}"#.utf8)))
        for path in ["/sdapi/v1/extra-single-image", "/sdapi/v1/nope"] {
            let endpoint = try Endpoint(named: path, method: "POST", bodyKeys: [])
            #expect(paths.problem(with: endpoint)?.hasPrefix("the server has no \(path)") == true)
            #expect(bare.problem(with: endpoint) == nil)
        }
        #expect(bare.problem(with: try Endpoint(named: "/x", method: "GET", bodyKeys: [])) != nil)
    }

    @Test("is not told where the server keeps no list", arguments: ["", "[]", "{}", #"{"paths":{}}"#, "<html>"])
    func none(text: String) {
        #expect(ServerPaths(Data(text.utf8)) == nil)
    }
}
