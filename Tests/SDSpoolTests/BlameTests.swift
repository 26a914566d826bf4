// Whose fault an answer is: one job must not stop the queue, and what stands before a server must not fail jobs.

import Foundation
import HTTP
import Synchronization
import Testing

@Suite(.witnessed) struct BlameTests {
    /// What is wrong on the way to a server, and what people are told.
    static let obstacles: [(name: String, answer: Response, words: String)] = [
        (
            "sso", .text(302, "", ("Location", "https://sso.example/login?rd=x")),
            "redirects to https://sso.example/login (302)"
        ),
        ("https", .text(308, "", ("Location", "https://127.0.0.1/")), "redirects to https://127.0.0.1/ (308)"),
        ("plain", .text(400, "<title>400 The plain HTTP request was sent to HTTPS port</title>"), "speaks https"),
        ("login", .text(200, "<title>Sign in</title>"), "web page"), ("proxy", .text(407, ""), "proxy"),
        ("noapi", .text(405, #"{"detail":"Method Not Allowed"}"#, type: "application/json"), "--api"),
        ("starting", .text(404, #"{"detail":"Not Found"}"#, type: "application/json"), "--api"),
        ("tunnel", .text(404, "<title>Tunnel offline</title>"), "Tunnel offline"),
        ("password", .text(401, #"{"detail":"Not authenticated"}"#, type: "application/json"), "user and a password"),
        ("firewall", .text(403, "<title>Blocked</title>"), "Blocked"), ("gateway", .text(502, "<html>"), "(502)"),
        ("cloudflare", .text(530, "error code: 1033"), "error code: 1033"), ("nginx", .text(500, "<html>"), "500"),
        ("waiting room", .text(200, "starting, please wait", type: "text/plain"), "no JSON"),
        ("packed", .text(502, "\u{1f}", ("Content-Encoding", "gzip")), "(502)"),
        ("packed login", .text(200, "\u{1f}", ("Content-Encoding", "br")), "compressed (br)"),
        ("credits", .text(402, #"{"error":"no credits"}"#, type: "application/json"), "no credits"),
    ]

    @Test("a server whose API does not answer is waited for, says why, and no job is blamed", arguments: obstacles)
    func obstacle(row: (name: String, answer: Response, words: String)) async throws {
        let isBroken = Mutex(true)
        let server = try ScriptedServer { _, _ in isBroken.withLock { $0 } ? row.answer : nil }
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: server.url)
        try spool.drop("a", ScriptedServer.job("a"))
        try await daemon.says("waiting for", row.words)
        try await spool.isSaid(state: "waiting for the server")
        // No answer is looked into when the server is mended: its job would be blamed for it.
        try await spool.holds(1, in: "queue")
        #expect(spool.list("failed").isEmpty)
        for name in ["b", "c"] { try spool.drop(name, ScriptedServer.job(name)) }
        isBroken.withLock { $0 = false }
        for name in ["a", "b", "c"] { try await daemon.says("done \(name)") }
        #expect(try await daemon.stop() == 0)
        for name in ["a", "b", "c"] {
            #expect(try (spool.document("done/\(name)/result.json")["attempts"] as? [Any])?.count == 1, "\(name)")
        }
        await server.stop()
    }

    @Test(
        "a server that has rendered and has lost its API is waited for",
        arguments: [
            Response.text(404, #"{"detail":"Not Found"}"#, type: "application/json"),
            .text(404, "<title>No tunnel</title>"),
            .text(405, #"{"detail":"Method Not Allowed"}"#, type: "application/json"),
            // Of renders; what else it is asked it does not have any more.
            .text(502, "<title>Bad Gateway</title>"),
        ])
    func lostAPI(answer: Response) async throws {
        let isBroken = Mutex(false)
        let server = try ScriptedServer { path, _ in
            guard isBroken.withLock({ $0 }) else { return nil }
            return answer.status == 502 && path != "/sdapi/v1/txt2img" ? .text(404, "<title>No API</title>") : answer
        }
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: server.url)
        try spool.drop("first", ScriptedServer.job("first"))
        try await daemon.says("done first")
        isBroken.withLock { $0 = true }
        for name in ["a", "b", "c"] { try spool.drop(name, ScriptedServer.job(name)) }
        try await daemon.says("waiting for http")
        try await spool.isSaid(state: "waiting for the server")
        try await spool.holds(3, in: "queue")
        isBroken.withLock { $0 = false }
        for name in ["a", "b", "c"] { try await daemon.says("done \(name)") }
        #expect(try await daemon.stop() == 0)
        #expect(spool.list("failed").isEmpty)
        await server.stop()
    }

    @Test("a connection that is cut without an answer is the server's fault where it answers no question either")
    func deadTunnel() async throws {
        let isBroken = Mutex(true)
        let server = try ScriptedServer { _, _ in isBroken.withLock { $0 } ? .hangUp(reset: false) : nil }
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: server.url)
        try spool.drop("a", ScriptedServer.job("a"))
        try await daemon.says("waiting for http")
        try await spool.isSaid(state: "waiting for the server")
        try await spool.holds(1, in: "queue")
        isBroken.withLock { $0 = false }
        try await daemon.says("done a")
        #expect(try await daemon.stop() == 0)
        #expect(try (spool.document("done/a/result.json")["attempts"] as? [Any])?.count == 1)
        await server.stop()
    }

    @Test("a server that asks to be left alone is sent nothing more, also not what stood next", arguments: [1, 2])
    func leftAlone(inFlight: Int) async throws {
        let server = try ScriptedServer { path, _ in
            path == "/sdapi/v1/txt2img" ? .text(429, "", ("Retry-After", "3600")) : nil
        }
        let spool = try TestSpool()
        for name in ["a", "b", "c", "d"] { try spool.drop(name, ScriptedServer.job(name)) }
        let daemon = try await spool.daemon(server: server.url, "--in-flight", "\(inFlight)")
        try await daemon.says("waiting for http", "(429)")
        try spool.drop("e", ScriptedServer.job("e"))
        try await daemon.says("accepted", ".e")
        try await spool.holds(5, in: "queue")
        #expect(try await daemon.stop() == 0)
        // What had left before the answer came is told the same.
        #expect(server.renders.count <= inFlight)
        await server.stop()
    }

    @Test("as long as it is not known whose fault an answer was nothing else is sent")
    func unknownFault() async throws {
        struct State {
            var isMended = false
            var rendered = 0
            var isAsked = false
        }
        let state = Mutex(State())
        let (asked, answer) = (AsyncStream<Void>.makeStream(), AsyncStream<Void>.makeStream())
        let server = try ScriptedServer { path, _ in
            if path == "/sdapi/v1/txt2img" {
                return state.withLock { state in
                    state.rendered += 1
                    return state.isMended ? nil : .text(502, "<html>")
                }
            }
            // The first question after the render.
            let isTheQuestion = state.withLock { state in
                guard path == "/sdapi/v1/options", state.rendered > 0, !state.isAsked else { return false }
                state.isAsked = true
                return true
            }
            guard isTheQuestion else { return nil }
            asked.continuation.finish()
            for await _ in answer.stream {}
            return .text(502, "<html>")
        }
        let spool = try TestSpool()
        try Data().write(to: spool.path("PAUSE"))
        let daemon = try await spool.daemon(server: server.url, "--in-flight", "1")
        for name in ["a", "b", "c"] {
            try spool.drop(name, ScriptedServer.job(name))
            try await daemon.says("accepted", ".\(name)")
        }
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        for await _ in asked.stream {}
        try spool.drop("query", #"{"sdspool": {"endpoint": "/sdapi/v1/progress"}}"#)
        try await daemon.says("accepted", ".query")
        try spool.drop("d", ScriptedServer.job("d"))
        try await daemon.says("accepted", ".d")
        #expect(server.renders == ["a"])
        state.withLock { $0.isMended = true }
        answer.continuation.finish()
        for name in ["a", "b", "c", "d"] { try await daemon.says("done \(name)") }
        #expect(try await daemon.stop() == 0)
        #expect(server.renders.sorted() == ["a", "a", "b", "c", "d"])
        await server.stop()
    }

    /// What a server says to one job, how the job ends, and how often it is sent.
    static let refusals: [(name: String, answer: Response, class: String, sent: Int)] = [
        ("firewall", .text(403, "<title>Blocked</title>"), "temporary", 3),
        ("page", .text(200, "<html>"), "wrong result", 1),
        ("moved", .text(301, "", ("Location", "/x")), "permanent", 1),
        ("large", .text(413, "<html>too large"), "permanent", 1), ("lost", .text(502, "<html>"), "no answer", 3),
        ("busy", .text(503, "<html>"), "temporary", 3), ("empty", .text(500, ""), "temporary", 3),
    ]

    @Test("what a server says to one job is that job's, and the others go first", arguments: refusals)
    func refusal(row: (name: String, answer: Response, class: String, sent: Int)) async throws {
        let server = try ScriptedServer { _, body in body.contains("bad") ? row.answer : nil }
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: server.url)
        try spool.drop("bad", ScriptedServer.job("bad"))
        try await daemon.line("an end or another try") {
            $0.contains("bad is tried again") || $0.contains("failed bad")
        }
        try spool.drop("good", ScriptedServer.job("good"))
        try await daemon.says("done good")
        try await daemon.says("failed bad")
        #expect(try await daemon.stop() == 0)
        #expect(!daemon.lines.contains { $0.contains("waiting for http") })
        #expect(server.renders.count { $0 == "bad" } == row.sent)
        #expect(try spool.document("failed/bad/error.json")["class"] as? String == row.class)
        await server.stop()
    }

    @Test(
        "what stands before a server is no result of a question either",
        arguments: ["/sdapi/v1/sd-models", "/internal/ping"])
    func page(path: String) async throws {
        let isBroken = Mutex(true)
        let server = try ScriptedServer { asked, _ in
            if isBroken.withLock({ $0 }) { return .text(200, "<title>Sign in</title>") }
            return asked == path ? .text(200, "[]", type: "application/json") : nil
        }
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: server.url)
        try spool.drop("q", #"{"sdspool": {"endpoint": "\#(path)", "method": "GET"}}"#)
        try await daemon.says("waiting for http", "web page")
        try await spool.isSaid(state: "waiting for the server")
        isBroken.withLock { $0 = false }
        try await daemon.says("done q")
        #expect(try await daemon.stop() == 0)
        await server.stop()
    }

    @Test("a page is an answer where the API is there and was not asked; a page of the API is none")
    func pages() async throws {
        let server = try ScriptedServer { path, _ in
            ["/sdapi/v1/sd-models", "/page"].contains(path) ? .text(200, "<title>Hello</title>") : nil
        }
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: server.url)
        try spool.drop("api", #"{"sdspool": {"endpoint": "/sdapi/v1/sd-models", "method": "GET"}}"#)
        try spool.drop("other", #"{"sdspool": {"endpoint": "/page", "method": "GET"}}"#)
        try await daemon.says("failed api")
        try await daemon.says("done other")
        #expect(try await daemon.stop() == 0)
        #expect(try spool.document("failed/api/error.json")["class"] as? String == "wrong result")
        await server.stop()
    }

    @Test("a job that waits for a render whose answer is lost is not said to be rendered")
    func lostRender() async throws {
        let state = Mutex((isBusy: false, isFirst: true))
        let server = try ScriptedServer { path, _ in
            if path == "/sdapi/v1/progress" {
                guard state.withLock(\.isBusy) else { return nil }
                let busy = BareServer.idle.replacing(#""job": """#, with: #""job": "x""#)
                return .text(200, busy, type: "application/json")
            }
            guard path == "/sdapi/v1/txt2img" else { return nil }
            let isFirst = state.withLock { state in
                defer { if state.isFirst { state = (true, false) } }
                return state.isFirst
            }
            return isFirst ? .text(504, "<title>504 Gateway Time-out</title>") : nil
        }
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: server.url, "--in-flight", "1")
        try spool.drop("a", ScriptedServer.job("a"))
        try await daemon.says("a is tried again")
        try spool.drop("b", ScriptedServer.job("b"))
        try await daemon.line("why one of them is not sent") { $0.contains("may still run at the server") }
        try await spool.isSaid(state: "waiting")
        let why = try Program(["why", "--spool", spool.url.path] + spool.list("active"))
        #expect(try await why.exitCode() == 0)
        let words = try why.printed()
        #expect(words.contains("is ready, and not sent yet: "), "\(words)")
        #expect(server.renders == ["a"])
        state.withLock { $0.isBusy = false }
        for name in ["a", "b"] { try await daemon.says("done \(name)") }
        #expect(try await daemon.stop() == 0)
        await server.stop()
    }

    @Test("a job that has a gateway lose its server each time goes after the others, and fails at the third")
    func poison() async throws {
        // So many questions find the server away until it is started again.
        let questions = Mutex(0)
        let server = try ScriptedServer { path, body in
            if path == "/sdapi/v1/txt2img", body.contains("poison") { questions.withLock { $0 = 1 } }
            let isAway = questions.withLock { left in
                guard left > 0 else { return false }
                if path == "/sdapi/v1/options" { left -= 1 }
                return true
            }
            return isAway ? .text(502, "<title>502 Bad Gateway</title>") : nil
        }
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: server.url, "--in-flight", "1")
        // From then on the server has shown that it answers.
        try spool.drop("first", ScriptedServer.job("first"))
        try await daemon.says("done first")
        try Data().write(to: spool.path("PAUSE"))
        try await daemon.says("paused")
        try spool.drop("poison", ScriptedServer.job("poison"))
        try await daemon.says("accepted", ".poison")
        for name in ["a", "b", "c"] {
            try spool.drop(name, ScriptedServer.job(name))
            try await daemon.says("accepted", ".\(name)")
        }
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        for name in ["a", "b", "c"] { try await daemon.says("done \(name)") }
        try await daemon.says("failed poison")
        #expect(try await daemon.stop() == 0)
        let renders = server.renders.dropFirst()
        #expect(renders.count { $0 == "poison" } == 3)
        // When the server is back another job goes first.
        #expect(Array(renders.prefix(2)) == ["poison", "a"])
        let error = try spool.document("failed/poison/error.json")
        #expect(error["class"] as? String == "no answer")
        #expect((error["attempts"] as? [Any])?.count == 3)
        await server.stop()
    }

    static let later: [(status: Int, words: String)] = [
        (408, "not now (408)"), (425, "not now (425)"), (429, "too often"),
    ]

    @Test("\"not now\" costs no attempt, and another job goes first", arguments: later)
    func notNow(row: (status: Int, words: String)) async throws {
        let uses = Mutex(0)
        let server = try ScriptedServer { _, body in
            guard body.contains("early") else { return nil }
            let count = uses.withLock { uses in
                uses += 1
                return uses
            }
            return count > 4 ? nil : .text(row.status, "", ("Retry-After", "0"))
        }
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: server.url, "--in-flight", "1")
        try spool.drop("early", ScriptedServer.job("early"))
        try await daemon.says(row.words)
        try spool.drop("other", ScriptedServer.job("other"))
        try await daemon.says("done other")
        #expect(!spool.list("done").contains("early"))
        try await daemon.says("done early")
        #expect(try await daemon.stop() == 0)
        #expect(try (spool.document("done/early/result.json")["attempts"] as? [Any])?.count == 1)
        await server.stop()
    }

    @Test("a gateway that does not wait for two renders gets one at a time, and none while another may be under way")
    func timeouts() async throws {
        struct State {
            var isRendering = false
            /// Questions about the progress that still find the lost render under way.
            var ghost = 0
            var met = 0
            var meetings = 0
        }
        let state = Mutex(State())
        let second = AsyncStream<Void>.makeStream()
        let server = try ScriptedServer { path, body in
            if path == "/sdapi/v1/progress" {
                let isBusy = state.withLock { state in
                    defer { state.ghost = max(0, state.ghost - 1) }
                    return state.isRendering || state.ghost > 0
                }
                return isBusy
                    ? .text(
                        200, BareServer.idle.replacing(#""job": """#, with: #""job": "x""#), type: "application/json")
                    : nil
            }
            guard path == "/sdapi/v1/txt2img" else { return nil }
            let (isFirst, isBehind) = state.withLock { state in
                if state.isRendering || state.ghost > 0 { state.meetings += 1 }
                defer { state.met += 1 }
                defer { state.isRendering = true }
                return (state.met == 0, state.isRendering)
            }
            if isBehind {
                // It waits in the server's line, and its gateway has had enough of that.
                return .text(504, "<title>504 Gateway Time-out</title>")
            }
            if isFirst { for await _ in second.stream {} }
            state.withLock { state in
                state.isRendering = false
                // What nobody waits for any more is rendered now.
                if isFirst { state.ghost = 3 }
            }
            return nil
        }
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: server.url)
        let names = ["a", "b", "c", "d"]
        for name in names { try spool.drop(name, ScriptedServer.job(name)) }
        // Before the daemon knows why the second one failed it would let another one meet the first.
        try await daemon.says("one at a time from now on")
        second.continuation.finish()
        for name in names { try await daemon.says("done \(name)") }
        #expect(try await daemon.stop() == 0)
        #expect(daemon.lines.count { $0.contains("one at a time from now on") } == 1)
        #expect(!daemon.lines.contains { $0.contains("waiting for http") }, "\(daemon.lines.joined(separator: "\n"))")
        // The second met the first; none met the render that was lost.
        #expect(state.withLock { $0.meetings } == 1)
        #expect(server.renders.count == names.count + 1)
        await server.stop()
    }
}
