// What anybody may have put into done/: the door shows pictures, and nothing else of this machine.

import Foundation
import Glibc
import StandIn
import Testing

@Suite(.witnessed) struct GatewayFilesTests {
    @Test("links, pipes, folders and lies in done/ neither hold up the door nor lead out of the spool")
    func hostile() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        try Data("secret".utf8).write(to: spool.surroundings.appendingPathComponent("secret"))
        let files = FileManager.default
        func folder(_ name: String, _ result: String?) throws {
            try files.createDirectory(at: spool.path("done/\(name)"), withIntermediateDirectories: true)
            if let result { try Data(result.utf8).write(to: spool.path("done/\(name)/result.json")) }
        }
        try folder("pipe", nil)
        #expect(mkfifo(spool.path("done/pipe/result.json").path, 0o666) == 0)
        #expect(mkfifo(spool.path("done/pipe/a.png").path, 0o666) == 0)
        try folder("pipes", #"{"images": [{"file": "a.png", "format": "png"}]}"#)
        #expect(mkfifo(spool.path("done/pipes/a.png").path, 0o666) == 0)
        try folder("link", #"{"images": [{"file": "a.png", "format": "png"}]}"#)
        try files.createSymbolicLink(
            at: spool.path("done/link/a.png"), withDestinationURL: spool.surroundings.appendingPathComponent("secret"))
        try folder("linked", nil)
        try files.createSymbolicLink(
            at: spool.path("done/linked/result.json"),
            withDestinationURL: spool.surroundings.appendingPathComponent("secret"))
        try folder("up", #"{"images": [{"file": "../../../secret", "format": "png"}, {"file": ""}, {"file": ".."}]}"#)
        try folder("inside", #"{"images": [{"file": "b", "format": "png"}]}"#)
        try files.createDirectory(at: spool.path("done/inside/b"), withIntermediateDirectories: true)
        try folder("lie", "[1, 2")
        try folder("folder", nil)
        try files.createDirectory(at: spool.path("done/folder/result.json"), withIntermediateDirectories: true)
        try files.createSymbolicLink(
            at: spool.path("done/away"), withDestinationURL: spool.surroundings)
        try Data("x".utf8).write(to: spool.path("done/file"))
        try folder("line\nbreak", #"{"images": []}"#)
        for name in [
            "pipe", "pipes", "link", "linked", "up", "inside", "lie", "folder", "away", "file", "line%0Abreak", ".",
            "%2e%2e", "..%2f..%2fsecret", "a%00b",
        ] {
            for rest in ["", "/images/1"] {
                let answer = try await visitor.get("/spool/v1/jobs/\(name)\(rest)")
                #expect([200, 404].contains(answer.status), "\(name)\(rest): \(answer.status) \(answer.text)")
                #expect(rest.isEmpty || answer.status == 404, "\(name)\(rest): \(answer.text)")
                #expect(!answer.text.contains("secret\n") && answer.text != "secret")
            }
        }
        for path in [
            "pipe/a.png", "pipe/result.json", "link/a.png", "linked/result.json", "away/secret", "file/x", "folder",
            "folder/result.json", "file", "inside/b", "..%2f..%2fsecret",
        ] {
            let answer = try await visitor.get("/done/\(path)")
            #expect(path == "file" ? answer.status == 200 : answer.status == 404, "\(path): \(answer.text)")
        }
        for path in ["away/", "file/", "nothing/", "%2e%2e/", ".hidden/"] {
            #expect(try await visitor.get("/done/\(path)").status == 404, "\(path)")
        }
        #expect(try await visitor.get("/spool/v1/queue").status == 200)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("a result with more pictures than the page shows is listed behind its link, and what it holds is text")
    func listing() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        try spool.drop("a cat", smallJob(#""batch_size": 6, "n_iter": 2"#))
        try await daemon.says("done a cat: 12 pictures")
        let folder = spool.path("done/a cat")
        let evil = #""><img src=x onerror=alert(1)>&amp;.png"#
        try Data("x".utf8).write(to: folder.appendingPathComponent(evil))
        try Data("secret".utf8).write(to: folder.appendingPathComponent(".secret"))
        #expect(mkfifo(folder.appendingPathComponent("pipe.png").path, 0o666) == 0)
        try FileManager.default.createSymbolicLink(
            atPath: folder.appendingPathComponent("link.png").path, withDestinationPath: "a cat-1.png")
        // The page links to the folder, as it is right on a disk.
        var page = ""
        while !page.contains(#"href="done/a%20cat/">12 pictures"#) {
            page = try await visitor.get("/").text
            try #require(daemon.isRunning)
        }
        let list = try await visitor.get("/done/a%20cat/")
        #expect(list.status == 200 && list.headers["content-type"] == "text/html; charset=utf-8")
        #expect(list.headers["x-content-type-options"] == "nosniff")
        #expect(
            list.text.contains("default-src 'none'") && !list.text.contains("<img") && !list.text.contains("<script"))
        let links = list.text.matches(of: /<a href="([^"]*)">([^<]*)<\/a>/).map { (String($0.1), String($0.2)) }
        let pictures = (1...12).map { "a cat-\($0).png" }
        #expect(links.map(\.1).filter { $0.hasPrefix("a cat-") } == pictures)
        #expect(links.count == 15, "and result.json, the job, and what somebody has laid there: \(links)")
        for (link, name) in links {
            let address = try #require(URL(string: link, relativeTo: URL(string: "\(visitor.url)/done/a%20cat/")))
            let file = try await visitor.get(address.absoluteURL.path(percentEncoded: true))
            #expect(file.status == 200, "\(name)")
        }
        #expect(try await visitor.call("HEAD", "/done/a%20cat/").status == 200)
        #expect(try await visitor.call("DELETE", "/done/a%20cat/").status == 405)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("the preview of what is rendered is shown at the door, as the page asks for it")
    func preview() async throws {
        let standIn = try StandIn.start(options: StandIn.Options(stepTime: .milliseconds(10)))
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        try spool.drop("a cat", #"{"prompt": "x", "steps": 100000, "width": 64, "height": 64}"#)
        var source: Substring?
        while source == nil {
            source = try await visitor.get("/pages/now.html").text.firstMatch(of: /src="\.\.(\/active\/[^"]*)"/)?.1
            try #require(daemon.isRunning)
        }
        let address = try #require(source)
        let preview = try await visitor.get(String(address))
        #expect(preview.status == 200 && preview.headers["content-type"] == "image/png", "\(address)")
        #expect(preview.data.starts(with: [0x89, 0x50, 0x4e, 0x47]))
        let job = address.replacing(/preview.*/, with: "a%20cat.json")
        #expect(try await visitor.get(String(job)).status == 404)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("what is asked for of active/ is there or is not, and the server hears nothing of it")
    func active() async throws {
        let bare = try BareServer { _ in nil }
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: bare.url)
        let ticket = "5-20260101T000000.000001Z.cat"
        try Data("secret".utf8).write(to: spool.surroundings.appendingPathComponent("preview.png"))
        let folder = spool.path("active/\(ticket)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in ["preview.jpg", "preview.gif", "cat.json", "progress.json"] {
            try Data("x".utf8).write(to: folder.appendingPathComponent(name))
        }
        try FileManager.default.createSymbolicLink(
            atPath: folder.appendingPathComponent("preview.png").path, withDestinationPath: "../../../preview.png")
        try FileManager.default.createSymbolicLink(at: spool.path("active/up"), withDestinationURL: spool.surroundings)
        #expect(mkfifo(folder.appendingPathComponent("preview.webp").path, 0o666) == 0)
        let shown = try await visitor.get("/active/\(ticket)/preview.jpg?1")
        #expect(shown.status == 200 && shown.headers["content-type"] == "image/jpeg")
        for path in [
            "\(ticket)/preview.png", "\(ticket)/preview.webp", "\(ticket)/preview.gif", "\(ticket)/cat.json",
            "\(ticket)/progress.json", "\(ticket)/", "\(ticket)", "up/preview.png", "none/preview.png", "",
            "%2e%2e/preview.png", "..%2f../preview.png",
        ] {
            let answer = try await visitor.get("/active/\(path)")
            #expect(answer.status == 404 && !answer.text.contains("secret"), "\(path): \(answer.text)")
        }
        #expect(!bare.paths.contains { $0.contains("active") || $0.contains("preview") }, "\(bare.paths)")
        #expect(try await daemon.stop() == 0)
        await bare.server.stop()
    }
}
