// sdspool run: serve a spool until somebody says that it is enough.

import A1111
import A1111API
import Daemon
import Foundation
import Gateway
import Linux
import Spool

enum Run {
    static let usualServer = "http://127.0.0.1:7860"

    static let help = """
        usage: sdspool run [OPTION]…

        Serves a spool: takes job files dropped into DIR/inbox in the order of their arrival, renders them at an
        AUTOMATIC1111 server, and publishes each with its pictures in DIR/done, or with the reason in DIR/failed.

          --spool DIR            the folder; made where missing (default: $SDSPOOL_DIR, or ./spool)
          --server URL           http[s]://[USER:PASSWORD@]HOST[:PORT] (default: $SDSPOOL_SERVER, or
                                 http://127.0.0.1:7860); again for each further server: jobs go to whichever is free
          --credentials FILE     a file with USER:PASSWORD in its first line, for servers with --api-auth
          --in-flight N          so many jobs are with a server at once, 1 to 4: while one is rendered the next waits there
                                 already (default: 2)
          --group-by-checkpoint N
                                 up to N jobs may go before another of their priority because the server has loaded
                                 their checkpoint (default: 0, strict order)
          --settle SECONDS       give up a file that is not whole when it has not changed for so long (default: 5)
          --poll SECONDS         look at the folders so often, whatever the kernel tells (default: 2 where they lie on a
                                 network share, else 60)
          --umask OCTAL          of all that is made: 002 lets a group collect, 022 lets all look (default: inherited)
          --group GROUP          whose all is that is made; what is dropped stays its owner's (default: inherited)
          --server-grace SECONDS after the server's port opens, wait so long before the first request: an early one
                                 can kill a web UI that is starting (default: 15)
          --render-timeout SECONDS
                                 give up a render after so long (default: never)
          --max-job-size MIB     of a job file (default: 64)
          --keep-done LIMIT      take the oldest results out of DIR/done: 30d, 1000 or 10G; again for each further
                                 limit. None younger than a day goes, unless an age under a day is given
          --strict               fail a job whose result is not what it asked for (else the result has warnings)
          --no-progress          do not ask the server how far a render is: no progress.json, and a render that is
                                 cancelled goes on at the server
          --allow-control        let jobs stop or restart the server itself (/sdapi/v1/server-…)
          --on-done CMD, --on-failed CMD, --on-idle CMD
                                 run CMD when a result lies in DIR/done, an error in DIR/failed, and when nothing is left
                                 to do. A program and its arguments, words in '…' or "…" are one; no shell. It is told
                                 by SDSPOOL_STATUS, SDSPOOL_NAME, SDSPOOL_TICKET and SDSPOOL_FOLDER, and has 60 s
          --allow-callback HOST  results may be sent there ("sdspool": {"callback": URL}) although it is neither this machine
                                 nor in a private network; again for each further host
          --listen ADDRESS:PORT  the spool over HTTP, for programs that speak A1111's API, such as 127.0.0.1:7861; its page
                                 is there, too
          --api-auth FILE        who may come in there: a file with USER:PASSWORD a line (or $SDSPOOL_API_AUTH); needed
                                 where others than this machine can reach it
          --cors ORIGIN          pages from there may ask, such as http://127.0.0.1:3000; again for each further one
          --transparent          what is passed on to the server comes back with the server's status, not with 418
          --log text|json        on stderr (default: text, with priorities under systemd)

        SIGTERM or SIGINT ends it: what can be finished at once is, the rest goes back to the queue. A second one
        ends it at once. Exit codes are those of sysexits(3); 75 says that another daemon has the spool.
        """

    static let options = Set([
        "--spool", "--server", "--credentials", "--settle", "--server-grace", "--render-timeout", "--max-job-size",
        "--log", "--poll", "--umask", "--group", "--in-flight", "--keep-done", "--group-by-checkpoint",
        "--allow-callback", "--on-done", "--on-failed", "--on-idle",
    ]).union(GatewayArguments.options)
    static let flags = Set(["--allow-control", "--no-progress", "--strict"]).union(GatewayArguments.flags)

    static func main(_ words: [String]) async throws {
        let arguments = try Arguments(
            words, of: "run", options: options, flags: flags, help: help)
        guard arguments.operands.isEmpty else {
            throw Exit(.usage, "sdspool run: what is \"\(arguments.operands[0])\"? See sdspool run --help")
        }
        let log = try Log(wanted: arguments.value("--log"))
        talkWithoutWaiting { log.missing($0) }
        var options = try wishes(arguments)
        options.notify = .taken()
        let listen = try GatewayArguments(arguments, options)
        hideCredentials()
        let bridge = GatewayBridge()
        let tell: @Sendable (Event) -> Void = { event in
            // First: whoever has read of it in the log finds it noted at the gateway.
            bridge.record(event)
            log.tell(event)
        }
        let daemon = try await start { [options] in try await Daemon.open(options, emit: tell) }
        if let gateway = try listen?.open(daemon) {
            bridge.begin(gateway)
            log.write("the door is open at \(gateway.url)", .notice)
        }
        try await serve(daemon, log)
        if await !bridge.end(within: doorLimit) {
            log.write("requests over HTTP did not end within \(doorLimit): they are cut off", .warning)
        }
    }

    /// What the end waits for those who are served over HTTP: one of them may be held up by a disk.
    private static let doorLimit = Duration.seconds(10)

    /// Opens the spool, and says in plain words why that cannot be.
    static func start(_ open: () async throws -> Daemon) async throws -> Daemon {
        do {
            return try await open()
        } catch let error as SpoolTaken {
            throw Exit(.tryLater, "sdspool: \(error)")
        } catch let error as SystemError where error.crossesFilesystems {
            throw Exit(
                .configuration,
                "sdspool: \(error.path) lies on another filesystem than the spool it belongs to, or is a mount of its own; a "
                    + "job moves by rename(2), which cannot cross that. Put all folders of a spool on one filesystem, and "
                    + "mount the spool as a whole, not its folders one by one (-v DIR:/spool, not -v DIR:/spool/inbox)."
            )
        }
    }

    /// Runs until the first signal has been obeyed. A second one does not wait for that; it is heard until the process ends.
    private static func serve(_ daemon: Daemon, _ log: Log) async throws {
        let signals = await Signals.stream(of: [SIGTERM, SIGINT])
        Task(executorPreference: signalThread) {
            var isSecond = false
            for await number in signals {
                if isSecond { _exit(128 + number) }
                isSecond = true
                daemon.stop()
                signalThread.after(endLimit) { endLate(log) }
            }
        }
        do {
            try await daemon.run()
        } catch let error as SystemError {
            throw Exit(.inputOutput, "sdspool: \(error); nothing accepted is lost, start again when this is mended")
        }
    }

    /// Nothing else runs there: whatever is held up, signals are heard.
    private static let signalThread = TaskQueueExecutor(label: "signals")

    /// Of the whole end. Jobs that were answered go to done/ meanwhile; service managers wait for a minute and a half.
    private static let endLimit: Duration = {
        #if DEBUG
            // Nobody waits for a minute in a test.
            if let text = ProcessInfo.processInfo.environment["SDSPOOL_END_LIMIT"], let seconds = Double(text) {
                return .seconds(seconds)
            }
        #endif
        return .seconds(60)
    }()

    /// A disk that does not answer, most likely. What is under way is recovered, as behind a crash.
    private static func endLate(_ log: Log) {
        log.write("the end took longer than \(endLimit): what is under way is left to the next start", .error)
        finishTalking()
        _exit(Exit.Code.inputOutput.rawValue)
    }

    // MARK: What was asked for

    private static func wishes(_ arguments: Arguments) throws -> DaemonOptions {
        var credentials: String?
        if let file = arguments.value("--credentials") {
            let text = String(decoding: try input(file, for: "run"), as: UTF8.self)
            credentials = text.split(whereSeparator: \.isNewline).first.map(String.init)
            guard credentials?.contains(":") == true else {
                throw Exit(.configuration, "sdspool run: the first line of \(file) must be USER:PASSWORD")
            }
        }
        var servers: [ServerAddress] = []
        var urls = arguments.all("--server")
        if urls.isEmpty { urls = [arguments.value("--server", or: "SDSPOOL_SERVER") ?? usualServer] }
        for url in urls {
            guard let server = ServerAddress(url, credentials: credentials) else {
                throw Exit(
                    .usage, "sdspool run: --server takes http[s]://HOST[:PORT], and what was given is no such URL")
            }
            guard !servers.contains(server) else {
                throw Exit(.usage, "sdspool run: --server \(server) is given twice")
            }
            servers.append(server)
        }
        var options = DaemonOptions(spool: arguments.value("--spool", or: "SDSPOOL_DIR") ?? "spool", servers: servers)
        if let settle = try arguments.seconds("--settle") { options.settle = settle }
        if let grace = try arguments.seconds("--server-grace") { options.grace = grace }
        options.poll = try arguments.seconds("--poll").map { max($0, .milliseconds(10)) }
        options.group = try arguments.value("--group").map(group)
        if let text = arguments.value("--umask") {
            guard let mask = mode_t(text, radix: 8), mask <= 0o777 else {
                throw Exit(.usage, "sdspool run: --umask takes an octal number such as 002, not \"\(text)\"")
            }
            umask(mask)
        }
        options.allowsControl = arguments.has("--allow-control")
        options.isStrict = arguments.has("--strict")
        options.showsProgress = !arguments.has("--no-progress")
        options.renderTimeout = try arguments.seconds("--render-timeout")
        if let text = arguments.value("--in-flight") {
            guard let count = Int(text), (1...4).contains(count) else {
                throw Exit(.usage, "sdspool run: --in-flight takes a number from 1 to 4, not \"\(text)\"")
            }
            options.inFlight = count
        }
        for limit in arguments.all("--keep-done") where !options.retention.add(limit) {
            throw Exit(
                .usage,
                "sdspool run: --keep-done takes an age (30d, 12h), a number (1000) or a size (10G), not \"\(limit)\"")
        }
        if let text = arguments.value("--group-by-checkpoint") {
            guard let count = Int(text), (0...1000).contains(count) else {
                throw Exit(.usage, "sdspool run: --group-by-checkpoint takes a number from 0 to 1000, not \"\(text)\"")
            }
            options.groupLimit = count
        }
        options.callbackHosts = Set(arguments.all("--allow-callback"))
        for hook in Hook.allCases {
            options.hooks[hook] = try arguments.value(hook.rawValue).map { try command($0, hook) }
        }
        if let text = arguments.value("--max-job-size") {
            guard let size = Int(text), (1...4096).contains(size) else {
                throw Exit(.usage, "sdspool run: --max-job-size takes a whole number of MiB from 1 to 4096")
            }
            options.cap = size << 20
        }
        return options
    }

    private static func command(_ text: String, _ hook: Hook) throws -> Command {
        let search = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        do throws(Command.Mistake) {
            return try Command(text, search: search)
        } catch {
            throw Exit(error.isMissing ? .noInput : .usage, "sdspool run: \(hook.rawValue): \(error.message)")
        }
    }

    /// The number of a group, by its name or number, if this process may give files to it.
    private static func group(_ name: String) throws -> UInt32 {
        let found = getgrnam(name)?.pointee.gr_gid ?? UInt32(name)
        guard let number = found else { throw Exit(.configuration, "sdspool run: there is no group \"\(name)\"") }
        var own = [gid_t](repeating: 0, count: max(1, Int(getgroups(0, nil))))
        let count = getgroups(Int32(own.count), &own)
        guard geteuid() == 0 || getegid() == number || own.prefix(Int(max(0, count))).contains(number) else {
            throw Exit(
                .noPermission,
                "sdspool run: this user is not in the group \(name), so it can give nothing to it; "
                    + "add it (usermod -aG \(name) USER) and log in again")
        }
        return number
    }

    /// Takes user and password out of the command line as others see it (ps, /proc/PID/cmdline).
    private static func hideCredentials() {
        // The process owns these bytes and nothing else reads them any more; no safe call reaches them.
        var isNext = false
        for index in 1..<Int(CommandLine.argc) {
            guard let word = CommandLine.unsafeArgv[index] else { continue }
            if isNext {
                hide(word, word + strlen(word))
            } else if strncmp(word, "--api-auth=", 11) == 0 {
                hide(word + 11, word + strlen(word))
            } else if let slashes = strstr(word, "://"), let at = strrchr(slashes, Int32(UInt8(ascii: "@"))) {
                hide(slashes + 3, at)
            }
            isNext = strcmp(word, "--api-auth") == 0
        }
        func hide(_ start: UnsafeMutablePointer<CChar>, _ end: UnsafeMutablePointer<CChar>) {
            for place in 0..<(end - start) { start[place] = CChar(UInt8(ascii: "x")) }
        }
    }
}
