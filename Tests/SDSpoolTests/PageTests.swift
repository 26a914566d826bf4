// The page as a browser shows it: headless Chromium (Debian: chromium), where there is one.

import Foundation
import HTTP
import StandIn
import Testing

@Suite(.witnessed) struct PageTests {
    /// A prompt that would like to be a page of its own.
    private static let hostile =
        #"</script></style><script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\">"#

    /// What the page is when its scripts have run; `nil` where nobody can say.
    private func look(_ page: String, in spool: TestSpool) async throws -> String? {
        try await look(at: spool.path(page).absoluteString, in: spool)
    }

    private func look(at url: String, in spool: TestSpool) async throws -> String? {
        if let lack = lack(["chromium"]) {
            print("skipped, the page in a browser: \(lack)")
            return nil
        }
        // Less than the two seconds behind which a page asks for the next one: the browser's clock would begin anew.
        let words = [
            "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=1500",
            "--user-data-dir=\(spool.surroundings.path)/browser", "--dump-dom", url,
        ]
        let dom = spool.surroundings.appendingPathComponent("dom.html")
        let browser = try Program(
            ["-c", "exec \"$@\" >\(dom.path)", "sh"] + words, executable: URL(fileURLWithPath: "/bin/sh"))
        #expect(try await browser.exitCode() == 0)
        return try String(contentsOf: dom, encoding: .utf8)
    }

    @Test("shows results and failures, and whatever a prompt says is text")
    func sheet() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        try spool.drop("taken", #"{"prompt": "\#(Self.hostile)", "steps": 1, "width": 64, "height": 64, "seed": 99}"#)
        try spool.drop("gone", smallJob())
        try spool.drop("bad", "{]")
        try await daemon.says("done taken")
        try await daemon.says("done gone")
        try await daemon.says("refused bad")
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
        try FileManager.default.removeItem(at: spool.path("done/gone/gone-1.png"))

        let page = try String(contentsOf: spool.path("index.html"), encoding: .utf8)
        #expect(page.contains("done/taken/taken-1.png") && page.contains("failed/bad/error.json"))
        guard let dom = try await look("index.html", in: spool) else { return }
        // The script has run: it has shown the filter, made times of times, and heard of the other page.
        #expect(dom.contains(#"<form role="search">"#))
        #expect(dom.contains("pages/now.html\" title=\"What is rendered now, and what waits\" style=\"height:"))
        // Nobody else's has.
        #expect(dom.contains("<title>sdspool</title>") && !dom.contains("<title>taken"))
        #expect(dom.components(separatedBy: "<script").count == 2)
        #expect(dom.contains("&lt;/script&gt;&lt;/style&gt;&lt;script&gt;"))
        #expect(dom.components(separatedBy: ">deleted<").count == 2)
        let now = try #require(try await look("pages/now.html", in: spool))
        #expect(now.contains("<strong>stopped</strong>"))
    }

    @Test("the policy keeps out a script that somebody has written into the page")
    func policy() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
        let page = try String(contentsOf: spool.path("index.html"), encoding: .utf8)
        let forged = page.replacingOccurrences(
            of: "<main",
            with: "<script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\"><main")
        try Data(forged.utf8).write(to: spool.path("forged.html"))
        guard let dom = try await look("forged.html", in: spool) else { return }
        #expect(dom.contains("document.title = 'taken'") && dom.contains("<title>sdspool</title>"))
    }

    @Test("at the door it is the same page, and one of somebody else that has it in a frame hears nothing of it")
    func frames() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        try spool.drop("cat", smallJob())
        try await daemon.says("done cat")
        try await spool.holds("index.html", inFolderOf: "..")
        // It is written behind that.
        try await spool.holds("now.html", inFolderOf: ".")
        let script =
            "<script>addEventListener('message', event => { document.title = 'heard ' + event.data.now })</script>"
        let page = "<!doctype html><title>deaf</title>\(script)<iframe src='\(visitor.url)/pages/now.html'></iframe>"
        let stranger = try Server.own { _ in
            Response(status: 200, headers: ["Content-Type": "text/html"], body: .bytes(Array(page.utf8)))
        }
        let headers = try await visitor.get("/pages/now.html").headers
        #expect(headers["content-security-policy"] == "frame-ancestors 'self'")
        guard let own = try await look(at: "\(visitor.url)/index.html", in: spool) else { return }
        #expect(own.contains("pages/now.html\" title=\"What is rendered now, and what waits\" style=\"height:"))
        let other = try #require(try await look(at: "http://127.0.0.1:\(stranger.port)/", in: spool))
        #expect(other.contains("<title>deaf</title>"))
        await stranger.stop()
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("what is rendered and what waits is shown while it is so")
    func now() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await spool.daemon(server: standIn.url, "--in-flight", "1")
        for name in ["first", "second"] {
            let still = #""sketch": {"fault": "hold", "step": 10}"#
            try spool.drop(name, #"{"prompt": "a slow cat", "steps": 20, "width": 64, "height": 64, \#(still)}"#)
        }
        try await until { now in
            now.contains(">first</h3>") && now.contains("<progress max=\"1000\" value=") && now.contains("a slow cat")
                && now.contains("<bdi>second</bdi>") && now.contains("preview.png?")
        }
        standIn.release()
        try await daemon.says("done second")
        try await until { $0.contains("<strong>idle</strong>") && !$0.contains("<progress") }
        #expect(try await daemon.stop() == 0)
        await standIn.stop()

        func until(_ isSo: (String) -> Bool) async throws {
            let end = ContinuousClock.now + deadline
            while true {
                let now = (try? String(contentsOf: spool.path("pages/now.html"), encoding: .utf8)) ?? ""
                if isSo(now) { return }
                guard ContinuousClock.now < end else { throw Missed(description: "the page shows \(now)") }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }
}
