// Shares: the spool's folder as others reach it, with the real servers and clients.

import Foundation
import Glibc
import StandIn
import TestSupport
import Testing

/// A server on a port of this machine, which ends when the test does.
private func server(_ words: [String], port: Int) async throws -> Program {
    try await server(words) { isListening(port) }
}

/// The same, until `isReady`. It stays in the foreground: what goes on in the background would keep its starter's pipes.
private func server(_ words: [String], until isReady: () -> Bool) async throws -> Program {
    let program = try Program(Array(words.dropFirst()), executable: URL(fileURLWithPath: words[0]))
    let end = ContinuousClock.now + deadline
    while !isReady() {
        guard program.isRunning, ContinuousClock.now < end else {
            throw Missed(description: "\(words[0]) was never ready: \(program.lines)")
        }
        try await Task.sleep(for: .milliseconds(10))
    }
    return program
}

private func address(_ port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    return address
}

private func withAddress<Result>(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    withUnsafePointer(to: address(port)) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}

private func isListening(_ port: Int) -> Bool {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(number) }
    return withAddress(port) { connect(number, $0, $1) } == 0
}

private func tool(_ words: String..., in folder: URL) async throws {
    let program = try Program(words, executable: URL(fileURLWithPath: "/usr/bin/env"), in: folder)
    let code = try await program.exitCode()
    guard code == 0 else {
        throw Missed(description: "\(words) ended with \(code): \(program.lines) \(try program.printed())")
    }
}

@Suite(.witnessed) struct ShareTests {
    private let standIn: StandIn
    private let spool: TestSpool
    private var outside: URL { spool.surroundings }

    init() throws {
        standIn = try StandIn.quick()
        spool = try TestSpool()
        try Data(smallJob().utf8).write(to: spool.surroundings.appendingPathComponent("cat.json"))
    }

    private func end(_ daemon: Program, _ server: Program? = nil) async throws {
        let picture = try Data(contentsOf: outside.appendingPathComponent("cat-1.png"))
        #expect(try picture == Data(contentsOf: spool.path("done/cat/cat-1.png")))
        #expect(try await daemon.stop() == 0)
        server?.kill(SIGTERM)
        _ = try await server?.exitCode()
        await standIn.stop()
    }

    @Test("over SMB a job is dropped and its picture collected (smbd, smbclient)")
    func samba() async throws {
        if let lack = lack(["smbd", "smbclient"], root: true) { return print("skipped, a share of Samba: \(lack)") }
        // It is written in place, and empty at first.
        let daemon = try await spool.daemon(server: standIn.url, "--settle", "3600")
        let port = Int(try ReservedPort().number)
        let state = outside.appendingPathComponent("samba").path
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        let places = [
            "private dir", "lock directory", "state directory", "cache directory", "pid directory", "ncalrpc dir",
        ]
        let global = places.map { "\($0) = \(state)\n" }.joined()
        let settings = outside.appendingPathComponent("smb.conf")
        // The share itself is the one that the examples show.
        let example = try String(contentsOf: Self.example("smb.conf"), encoding: .utf8)
            .replacing("/srv/spool", with: spool.url.path)
        try Data(
            """
            [global]
            \(global)smb ports = \(port)
            interfaces = 127.0.0.1
            bind interfaces only = yes
            map to guest = Bad User
            guest account = root
            log file = \(state)/log
            \(example)
            guest ok = yes
            valid users =
            force user = root
            force group =
            """.utf8
        ).write(to: settings)
        let words = ["/usr/sbin/smbd", "--foreground", "--no-process-group", "--configfile=\(settings.path)"]
        let smbd = try await server(words, port: port)
        let share = ["smbclient", "//127.0.0.1/spool", "-p", "\(port)", "-N", "-c"]
        try await tool(
            share[0], share[1], share[2], share[3], share[4], share[5], "put cat.json inbox/cat.json", in: outside)
        try await daemon.says("done cat")
        try await tool(
            share[0], share[1], share[2], share[3], share[4], share[5], "get done/cat/cat-1.png cat-1.png", in: outside)
        try await end(daemon, smbd)
    }

    @Test("over an rsync daemon a job is dropped and its picture collected")
    func rsync() async throws {
        if let lack = lack(["rsync"]) { return print("skipped, a module of rsync: \(lack)") }
        let daemon = try await spool.daemon(server: standIn.url)
        let port = Int(try ReservedPort().number)
        let settings = outside.appendingPathComponent("rsyncd.conf")
        let example = try String(contentsOf: Self.example("rsyncd.conf"), encoding: .utf8)
            .replacing("/srv/spool", with: spool.url.path)
            .replacing("uid = spool", with: "uid = \(geteuid())").replacing("gid = spool", with: "gid = \(getegid())")
        try Data("use chroot = no\n\(example)".utf8).write(to: settings)
        let words = ["/usr/bin/rsync", "--daemon", "--no-detach", "--address=127.0.0.1", "--port=\(port)"]
        let rsyncd = try await server(words + ["--config=\(settings.path)"], port: port)
        let module = "rsync://127.0.0.1:\(port)/spool"
        try await tool("rsync", "cat.json", "\(module)/inbox/", in: outside)
        try await daemon.says("done cat")
        try await tool("rsync", "\(module)/done/cat/cat-1.png", ".", in: outside)
        try await end(daemon, rsyncd)
    }

    @Test("over SFTP a job is dropped and its picture collected, times kept or not", arguments: ["put", "put -p"])
    func sftp(put: String) async throws {
        let program = "/usr/lib/openssh/sftp-server"
        if let lack = lack(["sftp"]) ?? (access(program, X_OK) == 0 ? nil : "not installed: \(program)") {
            return print("skipped, SFTP: \(lack)")
        }
        // It is written in place, and empty at first.
        let daemon = try await spool.daemon(server: standIn.url, "--settle", "3600")
        let batch = outside.appendingPathComponent("batch")
        try Data("\(put) cat.json \(spool.path("inbox/cat.json").path)\n".utf8).write(to: batch)
        // Its late change of times may find the file gone.
        try? await tool("sftp", "-q", "-b", batch.path, "-D", program, in: outside)
        try await daemon.says("done cat")
        try Data("get \(spool.path("done/cat/cat-1.png").path)\n".utf8).write(to: batch)
        try await tool("sftp", "-q", "-b", batch.path, "-D", program, in: outside)
        try await end(daemon)
    }

    @Test("on a client of a share, to which nobody tells of changes, files are found all the same (sshfs, sshd)")
    func sshfs() async throws {
        if let lack = lack(["sshfs", "sshd", "ssh-keygen"], root: true)
            ?? (access("/dev/fuse", R_OK) == 0 ? nil : "no FUSE")
        {
            return print("skipped, a mount of sshfs: \(lack)")
        }
        let port = Int(try ReservedPort().number)
        for key in ["host", "user"] {
            try await tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key, in: outside)
        }
        let settings = outside.appendingPathComponent("sshd_config")
        try Data(
            """
            Port \(port)
            ListenAddress 127.0.0.1
            HostKey \(outside.path)/host
            AuthorizedKeysFile \(outside.path)/user.pub
            StrictModes no
            PermitRootLogin yes
            UsePAM no
            PidFile none
            Subsystem sftp internal-sftp
            """.utf8
        ).write(to: settings)
        try FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
        let sshd = try await server(["/usr/sbin/sshd", "-D", "-e", "-f", settings.path], port: port)
        let mount = outside.appendingPathComponent("mount")
        try FileManager.default.createDirectory(at: mount, withIntermediateDirectories: true)
        let options = "IdentityFile=\(outside.path)/user,StrictHostKeyChecking=no,UserKnownHostsFile=/dev/null"
        let place = "127.0.0.1:\(spool.url.path)"
        let own = try FileManager.default.attributesOfItem(atPath: mount.path)[.systemNumber] as? Int
        let sshfs = try await server(
            ["/usr/bin/sshfs", "-f", place, mount.path, "-p", "\(port)", "-o", "\(options),dir_cache=no"]
        ) {
            (try? FileManager.default.attributesOfItem(atPath: mount.path)[.systemNumber] as? Int) != own
        }
        defer { _ = umount2(mount.path, Int32(MNT_DETACH)) }
        await spool.takeSlot()
        let daemon = try Program([
            "run", "--spool", mount.path, "--server", standIn.url, "--server-grace", "0", "--settle", "3600",
        ])
        try await daemon.says("ready:")
        #expect(daemon.lines.contains { $0.contains("nobody tells of what others do on fuse.sshfs") })
        // On the other machine, so to say: half of it, then the rest; and once more under the same name.
        let job = smallJob()
        try spool.put(String(job.dropLast()), at: "inbox/cat.json")
        try await Task.sleep(for: .milliseconds(100))
        try spool.put(job, at: "inbox/cat.json")
        try await daemon.says("done cat:")
        try spool.drop("cat", job)
        try await daemon.says("done/cat.2")
        try spool.put("", at: "PAUSE")
        try await daemon.says("paused")
        try Data(contentsOf: spool.path("done/cat/cat-1.png")).write(to: outside.appendingPathComponent("cat-1.png"))
        try await end(daemon, nil)
        #expect(umount2(mount.path, 0) == 0)
        _ = try await sshfs.exitCode()
        sshd.kill(SIGTERM)
        _ = try await sshd.exitCode()
    }

    private static func example(_ name: String) -> URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../examples/shares/\(name)")
    }

    @Test("what a umask and a group say is true of all that is made, and what was dropped stays its owner's")
    func permissions() async throws {
        // Any group will do that this user may give files to; root may to all.
        let groups = (try? String(contentsOfFile: "/etc/group", encoding: .utf8)) ?? ""
        guard geteuid() == 0, groups.contains("\nusers:x:100:") else {
            return print("skipped, files of another group: only root can try that, with a group \"users\"")
        }
        // The spool itself is made, too.
        try FileManager.default.removeItem(at: spool.url)
        let daemon = try await spool.daemon(server: standIn.url, "--umask", "007", "--group", "users")
        let file = outside.appendingPathComponent("own.json")
        try Data(smallJob().utf8).write(to: file)
        #expect(chown(file.path, 1, 1) == 0 && chmod(file.path, 0o640) == 0)
        try FileManager.default.moveItem(at: file, to: spool.path("inbox/own.json"))
        try spool.drop("bad", "{]")
        try await daemon.says("done own")
        try await daemon.says("refused bad")
        #expect(try await daemon.stop() == 0)
        for entry in try spool.tree() + ["status.json", "index.html", "pages", "pages/now.html", "."] {
            var status = stat()
            #expect(lstat(spool.path(entry).path, &status) == 0)
            let isFolder = status.st_mode & S_IFMT == S_IFDIR
            switch entry {
            case "done/own/own.json":
                #expect(status.st_gid == 1 && status.st_uid == 1 && status.st_mode & 0o777 == 0o640)
            case "failed/bad/bad.json": #expect(status.st_gid != 100)
            default:
                #expect(status.st_gid == 100, "\(entry)")
                #expect(status.st_mode & 0o777 == (isFolder ? 0o770 : 0o660), "\(entry)")
            }
        }
        await standIn.stop()
    }
}
