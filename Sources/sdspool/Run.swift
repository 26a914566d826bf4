// sdspool run: serve a spool until somebody says that it is enough.

import A1111
import Daemon
import Foundation
import Linux

enum Run {
    static let usualServer = "http://127.0.0.1:7860"

    static let help = """
        usage: sdspool run [OPTION]…

        Serves a spool: takes job files dropped into DIR/inbox in the order of their arrival, renders them at an
        AUTOMATIC1111 server, and publishes each with its pictures in DIR/done, or with the reason in DIR/failed.

          --spool DIR            the folder; made where missing (default: $SDSPOOL_DIR, or ./spool)
          --server URL           http[s]://[USER:PASSWORD@]HOST[:PORT] (default: $SDSPOOL_SERVER, or
                                 http://127.0.0.1:7860)
          --credentials FILE     a file with USER:PASSWORD in its first line, for a server with --api-auth
          --settle SECONDS       give up a file that is not whole when it has not changed for so long (default: 5)
          --server-grace SECONDS after the server's port opens, wait so long before the first request: an early one
                                 can kill a web UI that is starting (default: 15)
          --render-timeout SECONDS
                                 give up a render after so long (default: never)
          --max-job-size MIB     of a job file (default: 64)
          --strict               fail a job whose result is not what it asked for (else the result has warnings)
          --no-progress          do not ask the server how far a render is: no progress.json, and a render that is
                                 cancelled goes on at the server
          --allow-control        let jobs stop or restart the server itself (/sdapi/v1/server-…)
          --log text|json        on stderr (default: text, with priorities under systemd)

        SIGTERM or SIGINT ends it: what can be finished at once is, the rest goes back to the queue. A second one
        ends it at once. Exit codes are those of sysexits(3); 75 says that another daemon has the spool.
        """

    static func main(_ words: [String]) async throws {
        let arguments = try Arguments(
            words, of: "run",
            options: [
                "--spool", "--server", "--credentials", "--settle", "--server-grace", "--render-timeout",
                "--max-job-size", "--log",
            ], flags: ["--allow-control", "--no-progress", "--strict"], help: help)
        guard arguments.operands.isEmpty else {
            throw Exit(.usage, "sdspool run: what is \"\(arguments.operands[0])\"? See sdspool run --help")
        }
        let log = try Log(wanted: arguments.value("--log"))
        let options = try options(arguments)
        hideCredentials()
        let daemon = try start(options, tell: log.tell)
        try await serve(daemon)
    }

    /// Opens the spool, and says in plain words why that cannot be.
    static func start(_ options: Options, tell: @escaping @Sendable (Event) -> Void) throws -> Daemon {
        do {
            return try Daemon(options, tell: tell)
        } catch let error as SpoolTaken {
            throw Exit(.tryLater, "sdspool: \(error)")
        } catch let error as SystemError where error.isOnAnotherFilesystem {
            throw Exit(
                .configuration,
                "sdspool: \(error.path) lies on another filesystem than the spool it belongs to; a job moves by "
                    + "rename(2), which cannot cross that. Put all folders of a spool on one filesystem.")
        } catch let error as SystemError {
            throw Exit(.inputOutput, "sdspool: \(error)")
        }
    }

    /// Runs until the first signal has been obeyed; a second one does not wait for that.
    private static func serve(_ daemon: Daemon) async throws {
        let signals = await Signals.stream(of: [SIGTERM, SIGINT])
        let listener = Task {
            var isSecond = false
            for await number in signals {
                if isSecond { _exit(128 + number) }
                isSecond = true
                daemon.stop()
            }
        }
        defer { listener.cancel() }
        do {
            try await daemon.run()
        } catch let error as SystemError {
            throw Exit(.inputOutput, "sdspool: \(error); nothing accepted is lost, start again when this is mended")
        }
    }

    // MARK: What was asked for

    private static func options(_ arguments: Arguments) throws -> Options {
        var credentials: String?
        if let file = arguments.value("--credentials") {
            guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
                throw Exit(.noInput, "sdspool run: the credentials file \(file) cannot be read")
            }
            credentials = text.split(whereSeparator: \.isNewline).first.map(String.init)
            guard credentials?.contains(":") == true else {
                throw Exit(.configuration, "sdspool run: the first line of \(file) must be USER:PASSWORD")
            }
        }
        guard arguments.all("--server").count < 2 else {
            throw Exit(.usage, "sdspool run: one --server, please")
        }
        let url = arguments.value("--server", or: "SDSPOOL_SERVER") ?? usualServer
        guard let server = ServerAddress(url, credentials: credentials) else {
            throw Exit(.usage, "sdspool run: --server takes http[s]://HOST[:PORT], and what was given is no such URL")
        }
        var options = Options(spool: arguments.value("--spool", or: "SDSPOOL_DIR") ?? "spool", server: server)
        if let settle = try arguments.seconds("--settle") { options.settle = settle }
        if let grace = try arguments.seconds("--server-grace") { options.grace = grace }
        options.allowsControl = arguments.has("--allow-control")
        options.isStrict = arguments.has("--strict")
        options.showsProgress = !arguments.has("--no-progress")
        options.renderTimeout = try arguments.seconds("--render-timeout")
        if let text = arguments.value("--max-job-size") {
            guard let size = Int(text), (1...4096).contains(size) else {
                throw Exit(.usage, "sdspool run: --max-job-size takes a whole number of MiB from 1 to 4096")
            }
            options.cap = size << 20
        }
        return options
    }

    /// Takes user and password out of the command line as others see it (ps, /proc/PID/cmdline).
    private static func hideCredentials() {
        // The process owns these bytes and nothing else reads them any more; no safe call reaches them.
        for index in 1..<Int(CommandLine.argc) {
            guard let word = CommandLine.unsafeArgv[index], let slashes = strstr(word, "://") else { continue }
            guard let at = strrchr(slashes, Int32(UInt8(ascii: "@"))) else { continue }
            var byte = slashes + 3
            while byte < at {
                byte.pointee = CChar(UInt8(ascii: "x"))
                byte += 1
            }
        }
    }
}

extension SystemError {
    fileprivate var isOnAnotherFilesystem: Bool { code == EXDEV }
}
