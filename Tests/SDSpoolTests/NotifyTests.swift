// Under a service manager: it hears when the daemon is ready, what it does, that it lives, and that it ends.

import Foundation
import Glibc
import StandIn
import TestSupport
import Testing

@testable import Daemon
@testable import Linux

@Suite(.witnessed) struct NotifyTests {
    /// In the environment of a daemon that a service manager has started.
    private static func daemon(
        _ spool: TestSpool, _ standIn: StandIn, _ socket: String, watchdog: Int? = nil, of owner: Int32? = nil
    ) async throws -> Program {
        await spool.takeSlot()
        var environment = ["NOTIFY_SOCKET": socket]
        environment["WATCHDOG_USEC"] = watchdog.map { "\($0)" }
        environment["WATCHDOG_PID"] = owner.map { "\($0)" }
        let program = try Program(spool.arguments(server: standIn.url), environment: environment)
        try await program.says("ready:")
        return program
    }

    @Test("it is told once that the daemon is ready, then what it does, and that it ends", arguments: [false, true])
    func life(isAbstract: Bool) async throws {
        let standIn = try StandIn.start(options: .init(stepTime: .milliseconds(100)))
        let spool = try TestSpool()
        let manager = try ServiceManager(
            isAbstract ? "@sdspool-\(UUID())" : spool.surroundings.appendingPathComponent("notify").path)
        let daemon = try await Self.daemon(spool, standIn, manager.name)
        try await manager.hears("READY=1")
        try await manager.hears("STATUS=idle")
        try spool.drop("cat", smallJob().replacing(#""steps": 1"#, with: #""steps": 100000"#))
        try await manager.hears("STATUS=rendering cat")
        #expect(try await daemon.stop() == 0)
        try await manager.hears("STOPPING=1\nSTATUS=stopping")
        // That it is idle may be told before.
        let ready = try #require(manager.messages.firstIndex(of: "READY=1"))
        #expect(try ready < #require(manager.messages.firstIndex { $0.hasPrefix("STATUS=rendering cat") }))
        #expect(manager.messages.count { $0.contains("READY=1") } == 1)
        #expect(manager.messages.last?.hasPrefix("STOPPING=1") == true)
        #expect(!manager.messages.contains { $0.contains("WATCHDOG") })
        await standIn.stop()
    }

    @Test("why the queue does not go on is one line, whatever the reason holds")
    func reason() async throws {
        // Nobody else is given the port when the server is gone.
        let port = try ReservedPort()
        let standIn = try StandIn.start(port: port.number, options: .init(stepTime: .zero))
        let spool = try TestSpool()
        let manager = try ServiceManager("@sdspool-\(UUID())")
        try Data().write(to: spool.path("PAUSE"))
        let daemon = try await Self.daemon(spool, standIn, manager.name)
        try await manager.hears("STATUS=paused: PAUSE lies in the spool")
        try FileManager.default.removeItem(at: spool.path("PAUSE"))
        try await manager.hears("STATUS=idle")
        await standIn.stop()
        try spool.drop("cat", smallJob())
        try await manager.hears("STATUS=waiting for the server: ")
        #expect(try await daemon.stop() == 0)
        #expect(manager.messages.allSatisfy { !$0.hasPrefix("STATUS") || !$0.contains("\n") })
    }

    @Test("signs of life come for as long as it lives, where it is the one that is looked after")
    func watchdog() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let manager = try ServiceManager("@sdspool-\(UUID())")
        let daemon = try await Self.daemon(spool, standIn, manager.name, watchdog: 100_000)
        try await manager.hears("WATCHDOG=1", times: 5)
        #expect(try await daemon.stop() == 0)
        let other = try ServiceManager("@sdspool-\(UUID())")
        // Meant for the process that has started it.
        let second = try await Self.daemon(spool, standIn, other.name, watchdog: 1000, of: getpid())
        try await other.hears("STATUS=idle")
        #expect(try await second.stop() == 0)
        try await other.hears("STOPPING=1")
        #expect(!other.messages.contains("WATCHDOG=1"))
        await standIn.stop()
    }

    @Test("a front desk that does not answer is no life: nothing is said in its name")
    func hung() async throws {
        let manager = try ServiceManager("@sdspool-\(UUID())")
        let socket = try #require(
            NotifySocket(name: Array(manager.name.utf8), watchdog: Array("20000".utf8), owner: nil))
        let notifier = ServiceNotifier(socket) { _ in }
        let (asked, hear) = AsyncStream<Void>.makeStream()
        let (answer, release) = AsyncStream<Void>.makeStream()
        let life = Task {
            await notifier.live {
                hear.yield()
                for await _ in answer { break }
            }
        }
        release.yield()
        try await manager.hears("WATCHDOG=1")
        // It is asked for the second time, and does not answer.
        var times = 0
        for await _ in asked {
            times += 1
            if times == 2 { break }
        }
        notifier.ready()
        try await manager.hears("READY=1")
        #expect(manager.messages == ["WATCHDOG=1", "READY=1"])
        release.yield()
        try await manager.hears("WATCHDOG=1", times: 2)
        life.cancel()
        release.finish()
        await life.value
    }

    @Test("a service manager that is not there is told of once, and no job suffers")
    func missing() async throws {
        let standIn = try StandIn.quick()
        let spool = try TestSpool()
        let daemon = try await Self.daemon(spool, standIn, "/nowhere/notify", watchdog: 50_000)
        try await daemon.says("cannot be told", "sendto /nowhere/notify: No such file or directory (ENOENT)")
        for name in ["a", "b"] {
            try spool.drop(name, smallJob())
            try await daemon.says("done \(name)")
        }
        #expect(try await daemon.stop() == 0)
        #expect(daemon.lines.count { $0.contains("cannot be told") } == 1)
        #expect(!daemon.lines.contains { $0.contains("trying again") })
        await standIn.stop()
    }
}
