// Programs that are run when something has happened.

import Foundation
import StandIn
import Testing

@Suite(.witnessed) struct HookTests {
    /// A script beside the spool.
    private static func script(_ name: String, _ text: String, for spool: TestSpool) throws -> String {
        let file = spool.surroundings.appendingPathComponent(name)
        try Data("#!/bin/sh\n\(text)\n".utf8).write(to: file)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
        return file.path
    }

    private static func lines(_ name: String, beside spool: TestSpool) -> [String] {
        let content = FileManager.default.contents(atPath: spool.surroundings.appendingPathComponent(name).path)
        return String(decoding: content ?? Data(), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Returns when `isSo`. Nobody tells of it, so it is looked at again and again.
    private static func eventually(_ what: String, _ isSo: () -> Bool) async throws {
        let end = ContinuousClock.now + deadline
        while !isSo() {
            guard ContinuousClock.now < end else { throw Missed(description: what) }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test("done, failed and idle are told, with name, ticket, folder and state, in the order in which they happen")
    func told() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let tell = try Self.script(
            "tell", #"echo "$SDSPOOL_STATUS $SDSPOOL_NAME $SDSPOOL_FOLDER ${SDSPOOL_TICKET#*.} $# $1" >> "$0.log""#,
            for: spool)
        let daemon = try await spool.daemon(
            server: standIn.url, "--on-done", "\(tell) 'two words'", "--on-failed", tell, "--on-idle", tell)
        try spool.drop("a", smallJob())
        try await daemon.says("done a")
        try await Self.eventually("idle is told") { Self.lines("tell.log", beside: spool).count == 2 }
        // Both are there before the first one ends: it is idle once behind both.
        try spool.put("", at: "PAUSE")
        try await daemon.says("paused")
        try spool.drop("b", smallJob(#""cfg_scale": "big""#))
        try await daemon.says("accepted", ".b")
        try spool.drop("c", "hello")
        try await daemon.says("refused c")
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        try await Self.eventually("all is told") { Self.lines("tell.log", beside: spool).count == 5 }
        #expect(try await daemon.stop() == 0)
        let lines = Self.lines("tell.log", beside: spool)
        let place = spool.url.resolvingSymlinksInPath().path
        // Programs for different occasions run side by side.
        let first = lines[..<2].sorted()
        #expect(first[0].hasPrefix("done a \(place)/done/a "))
        #expect(first[0].hasSuffix("Z.a 1 two words"))
        #expect(first[1].hasPrefix("idle "))
        #expect(Set(lines[2...].map { String($0.prefix(8)) }) == ["failed b", "failed c", "idle    "])
        #expect(lines.count == 5, "idle is told once each time")
        await standIn.stop()
    }

    /// A daemon that says when it is idle, and what lies in its folders then. It waits for half a file as long as anybody likes.
    private static func idler(_ spool: TestSpool, _ server: String, _ more: String...) async throws -> Program {
        let tell = try script(
            "tell", #"cd "$SDSPOOL_SPOOL"; echo idle: $(ls inbox queue active | grep -v :) >> "$0.log""#, for: spool)
        let later = try script("later", #"sleep 0.5; echo "$SDSPOOL_NAME" >> "$0.log""#, for: spool)
        await spool.takeSlot()
        let daemon = try Program(
            ["run", "--spool", spool.url.path, "--server", server, "--server-grace", "0", "--settle", "100000"]
                + ["--on-idle", tell, "--on-done", later] + more)
        try await daemon.says("ready:")
        return daemon
    }

    /// Returns a while behind the end of a job, in which it would have been told that nothing is left to do. A machine that is
    /// slower than that only finds less.
    private static func isLongDone(_ name: String, _ spool: TestSpool) async throws {
        try await eventually("\(name) is told") { lines("later.log", beside: spool).contains(name) }
    }

    /// Puts the whole of a file in the place of its half.
    private static func complete(_ name: String, with text: String, in spool: TestSpool) throws {
        try Data(text.utf8).write(to: spool.path("inbox/\(name).json"), options: .atomic)
    }

    @Test("idle is not told while a job is arriving: half of a file, or one whose picture is not there yet")
    func arriving() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await Self.idler(spool, standIn.url)
        let picture = try Data(
            contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("../../examples/pictures/demo.png").standardizedFileURL)
        try Data(smallJob().utf8.prefix(20)).write(to: spool.path("inbox/half.json"))
        try spool.drop("first", smallJob())
        try await Self.isLongDone("first", spool)
        try spool.drop("second", smallJob(#""init_images": ["late.png"]"#))
        try Self.complete("half", with: smallJob(), in: spool)
        try await Self.isLongDone("half", spool)
        try picture.write(to: spool.path("assets/late.png"), options: .atomic)
        try await daemon.says("done second")
        try await Self.eventually("idle is told") { !Self.lines("tell.log", beside: spool).isEmpty }
        #expect(try await daemon.stop() == 0)
        #expect(Self.lines("tell.log", beside: spool) == ["idle:"])
        await standIn.stop()
    }

    @Test("idle is told also where what was arriving is taken away, and whatever lies in the inbox for good")
    func takenAway() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await Self.idler(spool, standIn.url)
        try FileManager.default.createDirectory(at: spool.path("inbox/x.json"), withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(
            at: spool.path("inbox/y.json"), withDestinationURL: URL(fileURLWithPath: "/dev/null"))
        try Data(smallJob().utf8.prefix(20)).write(to: spool.path("inbox/half.json"))
        try spool.drop("first", smallJob())
        try await Self.isLongDone("first", spool)
        try FileManager.default.removeItem(at: spool.path("inbox/half.json"))
        try await Self.eventually("idle is told") { !Self.lines("tell.log", beside: spool).isEmpty }
        #expect(try await daemon.stop() == 0)
        #expect(Self.lines("tell.log", beside: spool) == ["idle: x.json y.json"])
        await standIn.stop()
    }

    @Test("idle is told when what was arriving turns out to be no job")
    func refusedAtLast() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await Self.idler(spool, standIn.url)
        try Data(smallJob().utf8.prefix(20)).write(to: spool.path("inbox/half.json"))
        try spool.drop("first", smallJob())
        try await Self.isLongDone("first", spool)
        try Self.complete("half", with: "hello", in: spool)
        try await daemon.says("refused half")
        try await Self.eventually("idle is told") { !Self.lines("tell.log", beside: spool).isEmpty }
        #expect(try await daemon.stop() == 0)
        #expect(Self.lines("tell.log", beside: spool) == ["idle:"])
        await standIn.stop()
    }

    @Test(
        "idle is not told while a job waits for its next attempt, and the daemon's end does not wait for what is arriving"
    )
    func retrying() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        // Both before the daemon starts: one of them is always there until both are done.
        try spool.drop("again", smallJob(#""sketch": {"fault": "500", "times": 1}"#))
        try spool.drop("other", smallJob())
        let daemon = try await Self.idler(spool, standIn.url)
        try await daemon.says("again is tried again in")
        for name in ["other", "again"] { try await daemon.says("done \(name)") }
        try await Self.eventually("idle is told") { !Self.lines("tell.log", beside: spool).isEmpty }
        try Data(smallJob().utf8.prefix(20)).write(to: spool.path("inbox/half.json"))
        try spool.drop("last", smallJob())
        try await daemon.says("done last")
        #expect(try await daemon.stop() == 0)
        #expect(Self.lines("tell.log", beside: spool) == ["idle:"])
        await standIn.stop()
    }

    @Test("what a daemon that was killed had still to move is told by the next one")
    func recovered() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let tell = try Self.script(
            "tell", #"echo "$SDSPOOL_STATUS $SDSPOOL_NAME $SDSPOOL_FOLDER" >> "$0.log""#, for: spool)
        for (name, document) in [("a", "result"), ("b", "error")] {
            let folder = spool.url.appendingPathComponent(
                "active/5-20261123T151042.12345\(name == "a" ? 6 : 7)Z.\(name)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for file in [name, document] {
                try Data("{}".utf8).write(to: folder.appendingPathComponent("\(file).json"))
            }
        }
        let daemon = try await spool.daemon(server: standIn.url, "--on-done", tell, "--on-failed", tell)
        try await Self.eventually("both are told") { Self.lines("tell.log", beside: spool).count == 2 }
        let place = spool.url.resolvingSymlinksInPath().path
        #expect(
            Set(Self.lines("tell.log", beside: spool)) == ["done a \(place)/done/a", "failed b \(place)/failed/b"])
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("no shell has a look at the command, and neither a password nor a descriptor of the daemon's gets to it")
    func bare() async throws {
        let standIn = try StandIn.start(options: .init(stepTime: .zero, credentials: "me:secret"))
        let spool = try TestSpool()
        let mark = spool.surroundings.appendingPathComponent("mark").path
        let look = try Self.script(
            "look",
            #"{ printf '%s\n' "$@"; env; ls -l /proc/$$/fd | sed 's/^/fd /'; } > "$0.log.tmp"; mv "$0.log.tmp" "$0.log""#,
            for: spool)
        await spool.takeSlot()
        let url = standIn.url.replacing("http://", with: "http://me:secret@")
        // What a test that runs beside this one leaves open is inherited by the daemon, too.
        let closing = #"for f in /proc/$$/fd/*; do n=${f##*/}; [ $n -gt 2 ] && eval "exec $n>&-"; done; exec "$0" "$@""#
        let daemon = try Program(
            [
                "-c", closing, Program.executable.path, "run", "--spool", spool.url.path, "--server-grace", "0",
                "--on-done",
                "\(look) $(touch \(mark)) `id` > x",
            ], executable: URL(fileURLWithPath: "/bin/bash"),
            environment: ["SDSPOOL_SERVER": url, "NOTIFY_SOCKET": "/nowhere"])
        try spool.drop("a", smallJob())
        try await Self.eventually("it is told") { !Self.lines("look.log", beside: spool).isEmpty }
        #expect(try await daemon.stop() == 0)
        let lines = Self.lines("look.log", beside: spool)
        #expect(lines.starts(with: ["$(touch", "\(mark))", "`id`", ">", "x"]))
        #expect(!FileManager.default.fileExists(atPath: mark))
        #expect(lines.contains("SDSPOOL_SERVER=\(standIn.url)"))
        #expect(!lines.contains { $0.contains("secret") || $0.hasPrefix("NOTIFY_SOCKET") })
        let descriptors = lines.filter { $0.hasPrefix("fd l") }
        // dash keeps the script itself as 10, and its own stdout aside while the braces are redirected.
        let foreign = descriptors.filter { !$0.contains("look") && !$0.contains("/dev/null") && !$0.contains("pipe:") }
        #expect(foreign.isEmpty, "\(descriptors)")
        await standIn.stop()
    }

    @Test("a program that fails is told by its exit code, and the queue goes on")
    func failing() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let fail = try Self.script("fail", "echo it is broken; exit 3", for: spool)
        let daemon = try await spool.daemon(server: standIn.url, "--on-done", fail)
        for name in ["a", "b"] { try spool.drop(name, smallJob()) }
        for name in ["a", "b"] { try await daemon.says("--on-done of \(name): exit code 3") }
        try await daemon.says("it is broken")
        #expect(try await daemon.stop() == 0)
        #expect(spool.list("done") == ["a", "b"])
        await standIn.stop()
    }

    @Test("a program that hangs is ended with all that it has begun, and the next call is made")
    func hanging() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        // Neither heeds SIGTERM; the second one is a child of the first.
        let hang = try Self.script(
            "hang",
            #"""
            trap '' TERM
            [ "$SDSPOOL_NAME" = a ] || exit 4
            (echo $$; sh -c 'trap "" TERM; echo $$; while :; do sleep 1000; done') > "$0.log"
            """#, for: spool)
        await spool.takeSlot()
        let limit = spool.surroundings.appendingPathComponent("limit")
        let daemon = try Program(
            spool.arguments(server: standIn.url) + ["--on-done", hang], environment: ["SDSPOOL_HOOK_LIMIT": limit.path])
        try await daemon.says("ready:")
        for name in ["a", "b"] { try spool.drop(name, smallJob()) }
        try await Self.eventually("both are at work") { Self.lines("hang.log", beside: spool).count == 2 }
        let pids = Self.lines("hang.log", beside: spool).compactMap { Int32($0) }
        #expect(pids.count == 2)
        // Its time is over.
        try Data().write(to: limit)
        try await daemon.says("--on-done of a: stopped")
        for pid in pids {
            // Its new parent takes a moment to bury it.
            try await Self.eventually("\(pid) is gone") {
                let state = FileManager.default.contents(atPath: "/proc/\(pid)/stat") ?? Data()
                return state.isEmpty || String(decoding: state, as: UTF8.self).contains(") Z ")
            }
        }
        try await daemon.says("--on-done of b: exit code 4")
        #expect(try await daemon.stop() == 0)
        await standIn.stop()
    }

    @Test("the daemon's end waits for a call under way, and for those of jobs that end with it")
    func end() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let slow = try Self.script(
            "slow",
            #"echo begun >&2; until [ -e "$0.go" ]; do sleep 0.02; done; echo "$SDSPOOL_NAME" >> "$0.log""#, for: spool)
        let daemon = try await spool.daemon(server: standIn.url, "--on-done", slow)
        for name in ["a", "b"] { try spool.drop(name, smallJob()) }
        for name in ["a", "b"] { try await daemon.says("done \(name)") }
        try await daemon.says("begun")
        daemon.kill(SIGTERM)
        try await daemon.says("stopping")
        try Data().write(to: spool.surroundings.appendingPathComponent("slow.go"))
        #expect(try await daemon.exitCode() == 0)
        #expect(Self.lines("slow.log", beside: spool).sorted() == ["a", "b"])
        await standIn.stop()
    }

    @Test(
        "a command that is none is a mistake at the start",
        arguments: [
            ("nobody-has-this", 66, "there is no program nobody-has-this in any folder of PATH"),
            ("/etc/passwd", 66, "there is no program /etc/passwd"), ("'", 64, "has a ' without a second one"),
            ("", 64, "takes a program"),
        ])
    func mistakes(command: String, code: Int32, words: String) async throws {
        let program = try Program(["run", "--on-idle", command])
        #expect(try await program.exitCode() == code)
        try await program.says("--on-idle: \(words)")
    }
}
