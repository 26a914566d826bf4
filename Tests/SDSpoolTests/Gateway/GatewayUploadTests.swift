// What clients send, in whatever way, and what becomes of what never comes whole.

import Foundation
import StandIn
import Testing

@Suite(.witnessed) struct GatewayUploadTests {
    private static func head(_ more: String, _ method: String = "POST", _ path: String = "/sdapi/v1/txt2img") -> String
    {
        "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n\(more)\r\n"
    }

    @Test("a job is taken in whatever pieces it is sent: byte by byte, with leave, one behind the other")
    func pieces() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let chunked = try await Stranger(at: visitor.url)
        try await chunked.send(Self.head("Transfer-Encoding: chunked\r\nConnection: close\r\n"))
        for byte in smallJob() { try await chunked.send("1;x=y\r\n\(byte)\r\n") }
        try await chunked.send("0\r\nX-Trailer: z\r\n\r\n")
        #expect(Stranger.status(try await chunked.hears()) == 200)
        let polite = try await Stranger(at: visitor.url)
        let job = smallJob()
        try await polite.send(
            Self.head("Content-Length: \(job.utf8.count)\r\nExpect: 100-continue\r\nConnection: close\r\n"))
        #expect(try await polite.hears("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
        try await polite.send(job)
        #expect(try await polite.hears().contains("HTTP/1.1 200 OK"))
        let hasty = try await Stranger(at: visitor.url)
        try await hasty.send(
            Self.head("Content-Length: \(job.utf8.count)\r\n") + job + Self.head("", "GET", "/spool/v1/queue")
                + Self.head("Connection: close\r\n", "GET", "/spool/v1/jobs/nobody"))
        let answers = try await hasty.hears().components(separatedBy: "HTTP/1.1 ").dropFirst().map { $0.prefix(3) }
        #expect(answers == ["200", "200", "404"])
        #expect(standIn.requests.count == 3)
        // What is refused by its head costs nobody a body.
        let sorry = try await Stranger(at: visitor.url)
        try await sorry.send(Self.head("Content-Length: 99999999999\r\nExpect: 100-continue\r\n"))
        #expect(Stranger.status(try await sorry.hears()) == 413)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("HEAD is GET without a body, methods are written in capitals, and a target may be a whole URL")
    func methods() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        _ = try await visitor.post("/sdapi/v1/txt2img", smallJob())
        let name = try #require(spool.list("done").first)
        for path in ["/done/\(name)/\(name)-1.png", "/spool/v1/jobs/\(name)", "/spool/v1/queue"] {
            let answer = try await Stranger.asks(visitor.url, "HEAD \(path) HTTP/1.1\r\nHost: localhost")
            #expect(Stranger.status(answer) == 200, "\(answer)")
            #expect(answer.hasSuffix("\r\n\r\n") && !answer.contains("Content-Length: 0"), "\(answer)")
        }
        for (line, status) in [
            ("get /spool/v1/queue", 405), ("post /sdapi/v1/txt2img", 405), ("delete /spool/v1/jobs/\(name)", 405),
            ("BREW /sdapi/v1/options", 400), ("GET \(visitor.url)/spool/v1/queue", 200),
            ("GET \(visitor.url)/sdapi/v1/samplers", 418), ("GET /sdapi/v1/samplers?%", 418),
            ("GET /spool/v1/queue?%", 200), ("GET /spool/v1/queue?limit=%zz&\"<>^|{}\\", 200),
            ("GET /spool/v1/queue?offset=9223372036854775807&limit=9223372036854775807", 200),
            ("GET /spool/v1/jobs/%ff", 404), ("GET /spool/v1/jobs/%2e%2e%2fsecret", 404), ("GET //etc/passwd", 400),
        ] {
            let answer = try await Stranger.asks(visitor.url, "\(line) HTTP/1.1\r\nHost: localhost")
            #expect(Stranger.status(answer) == status, "\(line): \(answer)")
        }
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("two lengths, two ends, folded lines: a head of which two readers could think otherwise is none")
    func smuggling() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        for more in [
            "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 2\r\nContent-Length: 3\r\n",
            "Transfer-Encoding: chunked, chunked\r\n", "X: a\r\n b\r\nContent-Length: 2\r\n", "Content-Length : 2\r\n",
            "Content-Length: +2\r\n", "Host: other\r\nContent-Length: 2\r\n", "X: a\rb\r\nContent-Length: 2\r\n",
        ] {
            let stranger = try await Stranger(at: visitor.url)
            try await stranger.send(Self.head(more))
            #expect(Stranger.status(try await stranger.hears()) == 400, "\(more)")
        }
        #expect(try await visitor.get("/spool/v1/queue").status == 200)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("a client that leaves in the middle of its job leaves nothing in the inbox")
    func leaves() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        do {
            let length = try await Stranger(at: visitor.url)
            try await length.send(Self.head("Content-Length: 1000\r\n") + #"{"prompt": "a"#)
            let chunked = try await Stranger(at: visitor.url)
            try await chunked.send(Self.head("Transfer-Encoding: chunked\r\n") + "8\r\n{\"a\": \"b\r\n")
            try await spool.holdsAll(2, in: "inbox")
        }
        try await spool.holdsAll(0, in: "inbox")
        #expect(spool.list("queue").isEmpty && spool.list("failed").isEmpty)
        #expect(try await visitor.post("/sdapi/v1/txt2img", smallJob()).status == 200)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("a job that is too large, or that does not end, is refused, and leaves nothing in the inbox")
    func tooLarge() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url, ["--max-job-size", "1"])
        let told = try await Stranger(at: visitor.url)
        try await told.send(Self.head("Content-Length: 1048577\r\n"))
        #expect(Stranger.status(try await told.hears()) == 413)
        let endless = try await Stranger(at: visitor.url)
        try await endless.send(Self.head("Transfer-Encoding: chunked\r\n") + "a\r\n{\"prompt\":\r\n")
        // Blanks are no less a body than words are.
        let blanks = "1000\r\n\(String(repeating: " ", count: 4096))\r\n"
        do { for _ in 0..<2000 { try await endless.send(blanks) } } catch {}
        #expect(Stranger.status(try await endless.hears()) == 413)
        for path in ["/sdapi/v1/png-info", "/sdapi/v1/img2img"] {
            let other = try await Stranger(at: visitor.url)
            try await other.send(Self.head("Content-Length: 1048577\r\n", "POST", path))
            #expect(Stranger.status(try await other.hears()) == 413)
        }
        try await spool.holdsAll(0, in: "inbox")
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("clients that are slow hold up nobody else")
    func slow() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        var slow: [Stranger] = []
        for number in 0..<100 {
            let stranger = try await Stranger(at: visitor.url)
            try await stranger.send(
                number.isMultiple(of: 2)
                    ? "POST /sdapi/v1/txt2img HT" : Self.head("Content-Length: 1000\r\n") + #"{"prompt": "a"#)
            slow.append(stranger)
        }
        try await spool.holdsAll(50, in: "inbox")
        #expect(try await visitor.post("/sdapi/v1/txt2img", smallJob()).status == 200)
        slow = []
        try await spool.holdsAll(0, in: "inbox")
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("an inbox that cannot be written is told in plain words, and the next one finds it mended")
    func unwritable() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        try FileManager.default.removeItem(at: spool.path("inbox"))
        // Nothing can be put where a folder was deleted.
        let answer = try await visitor.post("/sdapi/v1/txt2img", smallJob())
        #expect(answer.status == 503, "\(answer.text)")
        #expect(answer.json["error"] as? String == "disk")
        #expect((answer.json["detail"] as? String)?.contains("No such file or directory") == true)
        try FileManager.default.createDirectory(at: spool.path("inbox"), withIntermediateDirectories: true)
        try await daemon.says("inbox is back")
        #expect(try await visitor.post("/sdapi/v1/txt2img", smallJob()).status == 200)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("a full disk is told in plain words, and leaves nothing half")
    func full() async throws {
        if let lack = lack(["mount", "umount"], root: true) {
            return print("skipped, a full disk at the door: \(lack)")
        }
        guard let disk = try await LoopDisk.made("tmpfs", options: "size=2m") else {
            return print("skipped, a full disk at the door: no tmpfs can be mounted here")
        }
        let standIn = try StandIn.quick()
        let spool = try TestSpool(in: disk.mount.appendingPathComponent("around"))
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        let large = #"{"prompt": "a", "x": "\#(String(repeating: "x", count: 4 << 20))"}"#
        let answer = try await visitor.post("/sdapi/v1/txt2img", large)
        #expect(answer.status == 503, "\(answer.text)")
        #expect((answer.json["detail"] as? String)?.contains("No space left") == true, "\(answer.text)")
        try await spool.holdsAll(0, in: "inbox")
        // The room is there again when nobody has the file open any more, a moment behind the end of its name.
        let end = ContinuousClock.now + deadline
        var next = try await visitor.post("/sdapi/v1/txt2img", smallJob())
        while next.status == 503, ContinuousClock.now < end {
            next = try await visitor.post("/sdapi/v1/txt2img", smallJob())
        }
        #expect(next.status == 200, "\(next.text)")
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
        withExtendedLifetime(disk) {}
    }

    @Test("a disk that stands still holds up those who send jobs, and nobody else")
    func standstill() async throws {
        if let lack = lack(["mount", "umount", "mkfs.ext4", "fsfreeze"], root: true) {
            return print("skipped, a disk that stands still: \(lack)")
        }
        guard let disk = try await LoopDisk.made("ext4") else {
            return print("skipped, a disk that stands still: no loop device can be mounted here")
        }
        let standIn = try StandIn.quick()
        let spool = try TestSpool(in: disk.mount.appendingPathComponent("around"))
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        guard try await disk.freeze(true) else { return print("skipped, a disk that stands still: it goes on") }
        let answers: [Int]
        let senders = (0..<3).map { _ in Task { try await visitor.post("/sdapi/v1/txt2img", smallJob()).status } }
        do {
            try await Self.isHeldUp(daemon)
            answers = try await [
                Stranger.asks(visitor.url, "GET /spool/v1/queue HTTP/1.1\r\nHost: localhost"),
                Stranger.asks(visitor.url, "GET /sdapi/v1/samplers HTTP/1.1\r\nHost: localhost"),
            ].map(Stranger.status)
        } catch {
            _ = try await disk.freeze(false)
            throw error
        }
        #expect(try await disk.freeze(false))
        #expect(answers == [200, 418])
        for sender in senders { #expect(try await sender.value == 200) }
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("a disk that stands still holds up those who move jobs, pause and delete, and nobody else")
    func standingOrders() async throws {
        if let lack = lack(["mount", "umount", "mkfs.ext4", "fsfreeze"], root: true) {
            return print("skipped, orders at a disk that stands still: \(lack)")
        }
        guard let disk = try await LoopDisk.made("ext4") else {
            return print("skipped, orders at a disk that stands still: no loop device can be mounted here")
        }
        let standIn = try StandIn.quick()
        let spool = try TestSpool(in: disk.mount.appendingPathComponent("around"))
        try Data().write(to: spool.path("PAUSE"))
        let (daemon, visitor) = try await spool.gateway(server: standIn.url)
        var jobs: [String] = []
        for _ in 0..<3 {
            let job = try await visitor.post("/sdapi/v1/txt2img?async=1", smallJob())
            jobs.append(try #require(job.json["name"] as? String))
        }
        try await spool.isSaid(state: "paused")
        guard try await disk.freeze(true) else {
            return print("skipped, orders at a disk that stands still: it goes on")
        }
        var (jobOptions, answer): ([Stranger], String) = ([], "")
        do {
            for order in [
                "POST /agent-scheduler/v1/task/\(jobs[2])/move/top", "DELETE /spool/v1/jobs/\(jobs[0])",
                "POST /agent-scheduler/v1/queue/resume",
            ] {
                jobOptions.append(try await Stranger(at: visitor.url))
                try await jobOptions.last?.send("\(order) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            }
            try await Self.isHeldUp(daemon)
            answer = try await Stranger.asks(visitor.url, "GET /spool/v1/queue HTTP/1.1\r\nHost: localhost")
        } catch {
            _ = try await disk.freeze(false)
            throw error
        }
        #expect(try await disk.freeze(false))
        #expect(Stranger.status(answer) == 200)
        for order in jobOptions { #expect(Stranger.status(try await order.hears()) == 200) }
        try await daemon.says("done \(jobs[1])")
        #expect(standIn.requests.count == 2)
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    /// Returns when a thread of a process waits for a disk. Nobody tells of it, so it is looked for.
    private static func isHeldUp(_ daemon: Program) async throws {
        let end = ContinuousClock.now + deadline
        let tasks = "/proc/\(daemon.pid)/task"
        while ContinuousClock.now < end {
            for task in try FileManager.default.contentsOfDirectory(atPath: tasks) {
                let status = (try? String(contentsOfFile: "\(tasks)/\(task)/stat", encoding: .utf8)) ?? ""
                if status.split(separator: ")").last?.hasPrefix(" D") == true { return }
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw Missed(description: "no thread waits for the disk")
    }
}
