// Somebody who neither reads nor answers: he stops neither the queue nor its end.

import Foundation
import Glibc
import Linux
import StandIn
import Testing

@Suite(.timeLimit(.minutes(60)), .witnessed) struct StopTests {
    /// A pipe of one page for a daemon's stderr, from which nobody reads unless a test does.
    private final class LogPipe {
        let path: String
        private var reading: Int32

        init(beside spool: TestSpool) throws {
            path = spool.surroundings.appendingPathComponent("log").path
            try #require(mkfifo(path, 0o600) == 0)
            reading = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
            try #require(reading >= 0)
            // F_SETPIPE_SZ, which the Glibc module lacks.
            try #require(fcntl(reading, 1031, 4096) >= 0)
        }

        deinit { leave() }

        /// Nobody will ever read it.
        func leave() {
            if reading >= 0 { close(reading) }
            reading = -1
        }

        /// Reads from now on, to the end.
        func lines() async throws -> [String] {
            _ = fcntl(reading, F_SETFL, 0)
            let handle = FileHandle(fileDescriptor: reading, closeOnDealloc: false)
            let data = try await TaskQueueExecutor.blocking { try handle.readToEnd() ?? Data() }
            return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }

    /// So long the end waits for whoever does not read the log.
    private static let brief = ["SDSPOOL_PATIENCE": "10"]

    /// A daemon with that log, ready.
    private static func daemon(
        _ spool: TestSpool, _ server: String, log: LogPipe, environment: [String: String] = [:]
    ) async throws -> Program {
        await spool.takeSlot()
        let daemon = try Program(
            ["-c", #"log=$1; shift; exec "$@" 2>"$log""#, "sh", log.path, Program.executable.path]
                + spool.arguments(server: server), executable: URL(fileURLWithPath: "/bin/sh"),
            environment: environment)
        try await spool.isSaid(state: "idle")
        return daemon
    }

    private static func drop(_ count: Int, into spool: TestSpool) throws {
        for number in 0..<count { try spool.drop("j\(number)", smallJob()) }
    }

    @Test("a log that nobody reads stops neither the queue nor the end", arguments: ["stopped", "gone"])
    func deafLog(reader: String) async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let log = try LogPipe(beside: spool)
        let daemon = try await Self.daemon(spool, standIn.url, log: log, environment: Self.brief)
        if reader == "gone" { log.leave() }
        try Self.drop(60, into: spool)
        try await spool.holds(60, in: "done")
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("a log that is read late has all that was said, in order, to the last word")
    func lateLog() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let log = try LogPipe(beside: spool)
        let daemon = try await Self.daemon(spool, standIn.url, log: log)
        try Self.drop(60, into: spool)
        try await spool.holds(60, in: "done")
        async let read = log.lines()
        #expect(try await daemon.stop() == 0)
        let lines = try await read
        #expect(lines.first?.contains(" ready: ") == true)
        // The last jobs may be told behind it.
        #expect(lines.count { $0.contains(" stopping: ") } == 1, "\(lines.suffix(3))")
        #expect(lines.count { $0.contains(" done j") } == 60)
        for number in 0..<60 {
            let accepted = lines.firstIndex { $0.contains(" accepted ") && $0.hasSuffix(".j\(number)") }
            let done = lines.firstIndex { $0.contains(" done j\(number):") }
            #expect(try #require(accepted) < #require(done), "j\(number)")
        }
        await standIn.stop()
    }

    @Test("a second signal ends it at once, also where nobody reads the log")
    func secondSignal() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let log = try LogPipe(beside: spool)
        let daemon = try await Self.daemon(spool, standIn.url, log: log)
        try Self.drop(30, into: spool)
        try await spool.holds(30, in: "done")
        // An answer that has begun is given some seconds to end: time for the second signal.
        try spool.drop("drip", smallJob(#""sketch": {"fault": "drip", "seconds": 0.05}"#))
        try await spool.holds(".picture-1", inFolderOf: "active")
        daemon.kill(SIGTERM)
        try await spool.isSaid(state: "stopped")
        daemon.kill(SIGTERM)
        #expect(try await daemon.exitCode() == 128 + SIGTERM)
        await standIn.stop()
    }

    @Test("a demo whose log nobody reads comes to its end")
    func demo() async throws {
        let spool = try TestSpool()
        let log = try LogPipe(beside: spool)
        var jobs: [String] = []
        for number in 0..<40 {
            jobs.append(spool.surroundings.appendingPathComponent("j\(number).json").path)
            try Data(smallJob().utf8).write(to: URL(fileURLWithPath: jobs[number]))
        }
        await spool.takeSlot()
        let demo = try Program(
            ["-c", #"log=$1; shift; exec "$@" 2>"$log""#, "sh", log.path, Program.executable.path]
                + ["demo", "--spool", spool.url.path] + jobs, executable: URL(fileURLWithPath: "/bin/sh"),
            environment: Self.brief)
        #expect(try await demo.exitCode() == 0)
        #expect(spool.list("done").count == 40)
    }

    @Test("whoever is served over HTTP at the end is cut off: a silent stream, waiting clients, one who reads nothing")
    func clients() async throws {
        let listening = try Descriptor.listening(on: .loopback(port: 0))
        let spool = try TestSpool()
        let (daemon, visitor) = try await spool.gateway(server: "http://127.0.0.1:\(try listening.boundPort())")
        let host = "Host: localhost\r\n"
        // The daemon asks the same server, and is not answered.
        let stream = try await Stranger(at: visitor.url)
        try await stream.send("GET /sdapi/v1/memory HTTP/1.1\r\n\(host)\r\n")
        let server = try await Self.server(at: listening, asked: "GET /sdapi/v1/memory ")
        try await server.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nhello")
        _ = try await stream.hears("hello")
        let unanswered = try await Stranger(at: visitor.url)
        try await unanswered.send("GET /sdapi/v1/upscalers HTTP/1.1\r\n\(host)\r\n")
        let silent = try await Self.server(at: listening, asked: "GET /sdapi/v1/upscalers ")
        let deaf = try await Stranger(at: visitor.url)
        try await deaf.send("GET /spool/v1/events HTTP/1.1\r\n\(host)\r\n")
        let half = try await Stranger(at: visitor.url)
        try await half.send(
            "POST /sdapi/v1/txt2img HTTP/1.1\r\n\(host)Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
        let waiting = try await Stranger(at: visitor.url)
        try await waiting.send(
            "POST /sdapi/v1/txt2img HTTP/1.1\r\n\(host)Content-Type: application/json\r\n"
                + "Content-Length: \(smallJob().utf8.count)\r\n\r\n\(smallJob())")
        try await daemon.says("accepted")
        #expect(try await daemon.stop() == 0)
        #expect(!daemon.lines.contains { $0.contains("cut off") }, "nobody had to be left behind")
        withExtendedLifetime((stream, server, unanswered, silent, deaf, half, waiting)) {}
    }

    /// The one who asks that, among all who come.
    private static func server(at listening: borrowing Descriptor, asked sign: String) async throws -> Stranger {
        while true {
            let caller = try await Stranger.caller(at: listening)
            // Those who only look whether somebody listens say nothing, and are gone.
            if try await caller.hears("\r\n\r\n").hasPrefix(sign) { return caller }
        }
    }

    @Test("a silent receiver of callbacks stops neither the queue nor the end, and is told by the next daemon")
    func silentReceiver() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let listening = try Descriptor.listening(on: .loopback(port: 0))
        let daemon = try await spool.daemon(server: standIn.url)
        let url = "http://127.0.0.1:\(try listening.boundPort())/"
        for name in ["a", "b"] { try spool.drop(name, smallJob(#""sdspool": {"callback": "\#(url)"}"#)) }
        let receiver = try await Stranger.caller(at: listening)
        _ = try await receiver.hears("\r\n\r\n")
        try Self.drop(10, into: spool)
        try await spool.holds(12, in: "done")
        #expect(try await daemon.stop() == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: spool.path(".outbox").path).count == 2)
        withExtendedLifetime(receiver) {}
        await standIn.stop()
    }

    @Test("a hook that does not heed SIGTERM is ended with the daemon")
    func deafHook() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let hook = spool.surroundings.appendingPathComponent("hook")
        try Data("#!/bin/sh\ntrap '' TERM\necho begun $$ >&2\nwhile :; do sleep 1000; done\n".utf8).write(to: hook)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: hook.path)
        await spool.takeSlot()
        // So long, and no longer, the end waits for it.
        let daemon = try Program(
            spool.arguments(server: standIn.url) + ["--on-done", hook.path], environment: ["SDSPOOL_PATIENCE": "5"])
        try await daemon.says("ready:")
        try Self.drop(3, into: spool)
        let line = try await daemon.says("begun")
        let pid = try #require(line.split(separator: " ").last.flatMap { Int32($0) })
        try await spool.holds(3, in: "done")
        #expect(try await daemon.stop() == 0)
        try await Self.isGone(pid)
        await standIn.stop()
    }

    /// Returns when a process has ended, buried or not. Nobody tells of it, so it is looked for.
    private static func isGone(_ pid: Int32) async throws {
        let end = ContinuousClock.now + deadline
        while let state = FileManager.default.contents(atPath: "/proc/\(pid)/stat"),
            !String(decoding: state, as: UTF8.self).contains(") Z ")
        {
            guard ContinuousClock.now < end else { throw Missed(description: "process \(pid) goes on") }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test("an end that a disk holds up has a limit, with words and exit code 74")
    func slowDisk() async throws {
        if let lack = lack(["strace"]) { return print("skipped, an end that a disk holds up: \(lack)") }
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        await spool.takeSlot()
        let daemon = try Program(
            spool.arguments(server: standIn.url), environment: ["SDSPOOL_END_LIMIT": "0.5"])
        try await daemon.says("ready:")
        // The status is renewed by a rename, which takes an hour from now on.
        let tracer = try Program(
            ["-f", "-o", "/dev/null", "-e", "inject=/^rename:delay_enter=3600000000", "-p", "\(daemon.pid)"],
            executable: URL(fileURLWithPath: "/usr/bin/strace"))
        try await tracer.says("attached")
        daemon.kill(SIGTERM)
        try await daemon.says("the end took longer than 0.5 seconds")
        // Its thread with the rename is the tracer's until that lets go of it.
        try await Self.isGone(daemon.pid)
        tracer.kill(SIGKILL)
        #expect(try await daemon.exitCode() == 74)
        await standIn.stop()
    }
}
