// Servers and receivers behind TLS: a proxy in front of them as people put one there, with a certificate of its own.

import Foundation
import HTTP
import StandIn
import Testing

/// A certificate for this machine that nobody vouches for, and what speaks TLS with it.
private struct Authority {
    let folder: URL

    init(in folder: URL) async throws {
        self.folder = folder
        let openssl = try Self.program(
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                "-keyout", "key.pem", "-out", "certificate.pem",
            ], in: folder)
        #expect(try await openssl.exitCode() == 0)
    }

    /// A proxy in front of a port, and the port that it listens at.
    func front(of port: UInt16) async throws -> (Program, UInt16) {
        let proxy = try Self.program(["python3", "-c", Self.proxy, "\(port)"], in: folder)
        let line = try await proxy.says("listening at ")
        return (proxy, try #require(line.split(separator: " ").last.flatMap { UInt16($0) }))
    }

    /// A daemon on a machine that knows the certificate, as `update-ca-certificates` tells it: its file of all that are
    /// vouched for is another one, for this process alone.
    func trusting(_ arguments: [String]) throws -> Program {
        try Self.program(
            [
                "unshare", "--mount", "sh", "-c",
                #"mount --bind certificate.pem /etc/ssl/certs/ca-certificates.crt && exec "$0" "$@""#,
                Program.executable.path,
            ] + arguments, in: folder)
    }

    private static func program(_ words: [String], in folder: URL) throws -> Program {
        try Program(words, executable: URL(fileURLWithPath: "/usr/bin/env"), in: folder)
    }

    private static let proxy = """
        import select, socket, ssl, sys, threading
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain("certificate.pem", "key.pem")
        listener = socket.create_server(("127.0.0.1", 0))
        print("listening at", listener.getsockname()[1], file=sys.stderr, flush=True)
        def serve(plain):
            try:
                with context.wrap_socket(plain, server_side=True) as client, \\
                        socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as server:
                    while True:
                        ready = [client] if client.pending() else select.select([client, server], [], [])[0]
                        for source, sink in ((client, server), (server, client)):
                            if source in ready:
                                data = source.recv(65536)
                                if not data: return
                                sink.sendall(data)
            except OSError: pass
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
        """
}

/// A server and a receiver, a proxy with TLS in front of each, and a spool.
private struct PictureStaging {
    let (standIn, receiver, spool): (StandIn, Receiver, TestSpool)
    let authority: Authority
    private let proxies: [Program]
    let (serverPort, receiverPort): (UInt16, UInt16)

    init() async throws {
        (standIn, receiver, spool) = (try StandIn.quick(), try Receiver(), try TestSpool())
        authority = try await Authority(in: spool.surroundings)
        let (server, serverPort) = try await authority.front(of: standIn.port)
        let (front, receiverPort) = try await authority.front(of: receiver.port)
        proxies = [server, front]
        (self.serverPort, self.receiverPort) = (serverPort, receiverPort)
        await spool.takeSlot()
    }

    func end() async {
        for proxy in proxies { proxy.kill(SIGKILL) }
        await receiver.stop()
        await standIn.stop()
    }
}

private let canTrust = ConditionTrait.enabled(
    if: lack(["unshare", "mount"], root: true) == nil
        && FileManager.default.fileExists(atPath: "/etc/ssl/certs/ca-certificates.crt"),
    "only root, with the certificates of the machine in the place of Debian, can add to them")

@Suite(.enabled(if: lack(["python3", "openssl"]) == nil, "it needs python3 and openssl"), .witnessed)
struct SecureTests {
    @Test(
        "jobs are rendered in their order and their ends are told by https, where the certificate is vouched for",
        canTrust)
    func rendered() async throws {
        let stage = try await PictureStaging()
        let (receiver, spool) = (stage.receiver, stage.spool)
        try spool.makeFolders()
        for name in ["a", "b", "c", "d"] {
            let callback = "https://me:secret@localhost:\(stage.receiverPort)/\(name)"
            try spool.drop(name, smallJob(#""sdspool": {"callback": "\#(callback)"}"#))
        }
        let daemon = try stage.authority.trusting(
            spool.arguments(server: "https://localhost:\(stage.serverPort)") + ["--allow-callback", "localhost"])
        for name in ["a", "b", "c", "d"] { try await daemon.says("was told the end of \(name)") }
        #expect(try await daemon.stop() == 0)
        #expect(spool.list("done") == ["a", "b", "c", "d"])
        #expect(Set(receiver.requests.map(\.target)) == ["/a", "/b", "/c", "/d"])
        let started = daemon.lines.filter { $0.contains("rendering ") }.compactMap {
            $0.split(separator: " ").dropFirst(2).first
        }
        #expect(started == ["a", "b", "c", "d"])
        await stage.end()
    }

    @Test(
        "an answer that comes packed through https is passed on whole",
        canTrust)
    func packed() async throws {
        let gzip = try #require(
            Data(base64Encoded: "H4sIAAAAAAACA4uuVspLzE1VslJQci3NSS1Sqo2NHhWijxAAprSmkXwBAAA="))
        let server = try Server.own { _ in
            Response(
                status: 200, headers: ["Content-Type": "application/json", "Content-Encoding": "gzip"],
                body: .bytes(Array(gzip)))
        }
        let spool = try TestSpool()
        let authority = try await Authority(in: spool.surroundings)
        let (proxy, port) = try await authority.front(of: server.port)
        await spool.takeSlot()
        let daemon = try authority.trusting(
            spool.arguments(server: "https://localhost:\(port)") + ["--listen", "127.0.0.1:0"])
        let line = try await daemon.says("the door is open at ")
        let visitor = Visitor(try #require(line.split(separator: " ").last.map(String.init)))
        let answer = try await visitor.get("/sdapi/v1/samplers")
        #expect(answer.status == 418)
        #expect(answer.text == String(repeating: #"[{"name": "Euler"}]"#, count: 20))
        #expect(try await daemon.stop() == 0)
        proxy.kill(SIGKILL)
        await server.stop()
    }

    @Test("where nobody vouches for a certificate, jobs and results wait, and the log says why")
    func distrusted() async throws {
        let stage = try await PictureStaging()
        let (standIn, receiver, spool) = (stage.standIn, stage.receiver, stage.spool)
        let mistrustful = try Program(spool.arguments(server: "https://localhost:\(stage.serverPort)"))
        try await mistrustful.says("ready:")
        try spool.drop("a", smallJob(#""sdspool": {"callback": "https://localhost:\#(stage.receiverPort)/"}"#))
        try await mistrustful.says("no secure connection to https://localhost:\(stage.serverPort)")
        #expect(try await mistrustful.stop() == 0)
        #expect(spool.list("queue").count == 1 && standIn.requests.isEmpty)

        let daemon = try Program(spool.arguments(server: standIn.url) + ["--allow-callback", "localhost"])
        try await daemon.says("was not told the end of a", "no secure connection")
        #expect(try await daemon.stop() == 0)
        #expect(spool.list("done") == ["a"] && spool.list(".outbox").count == 1 && receiver.requests.isEmpty)
        await stage.end()
    }
}
