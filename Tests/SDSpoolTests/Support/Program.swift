// The real executable, as a person would start it, and what it says.

import Foundation
import Glibc
import Synchronization
import Testing

/// What never came in time.
struct Missed: Error, CustomStringConvertible {
    let description: String
}

/// No test waits for it unless something is broken: on a machine that has much else to do the largest of them take minutes.
let deadline = Duration.seconds(900)

/// What a process has said and how it ended. The witness of a test keeps it longer than the process.
private final class Talk: Sendable {
    struct Heard {
        var lines: [String] = []
        var partial = Data()
        var waiting: [(sign: @Sendable (String) -> Bool, heard: CheckedContinuation<String?, Never>)] = []
        var hasEnded = false
    }

    let heard = Mutex(Heard())
    let outcome = Mutex<Int32?>(nil)

    /// Its last lines, for the witness.
    func statement(of command: [String]) -> String {
        let end = outcome.withLock { $0 }.map { "ended with \($0)" } ?? "was not seen to end"
        let lines = heard.withLock { $0.lines + [String(decoding: $0.partial, as: UTF8.self)] }.filter { !$0.isEmpty }
        return (["\(command.joined(separator: " ")): \(end), said \(lines.count) lines"] + lines.suffix(60))
            .joined(separator: "\n    ")
    }
}

/// A process of `sdspool` whose stderr is read line by line.
final class Program: Sendable {
    private let talk = Talk()
    private let process = Process()
    private let output = Pipe()
    private let errors = Pipe()
    /// Whether there may be more to hear. Held while what was read is passed on.
    private let isListening = Mutex(true)
    private let end: AsyncStream<Void>
    private let hasEnded = Atomic(false)
    let pid: Int32

    /// The executable that this test run has built: it lies beside the tests.
    static var executable: URL {
        get throws {
            let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("sdspool")
        }
    }

    init(
        _ arguments: [String], executable: URL? = nil, environment: [String: String] = [:], in folder: URL? = nil
    ) throws {
        process.executableURL = try executable ?? Self.executable
        process.arguments = arguments
        var all = ProcessInfo.processInfo.environment
        for name in ["JOURNAL_STREAM", "NOTIFY_SOCKET", "SDSPOOL_DIR", "SDSPOOL_SERVER", "WATCHDOG_USEC"] {
            all[name] = nil
        }
        // Nobody gives somebody up because the machine is busy. Longer than the deadline: what would be over by that is none.
        for name in ["SDSPOOL_PATIENCE", "SDSPOOL_END_LIMIT"] { all[name] = "3600" }
        process.environment = all.merging(environment) { $1 }
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        let ended = AsyncStream<Void>.makeStream()
        end = ended.stream
        // A child inherits what its parent's thread blocks, and threads of Dispatch block all signals.
        var none = sigset_t()
        var own = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &own)
        defer { pthread_sigmask(SIG_SETMASK, &own, nil) }
        try process.run()
        pid = process.processIdentifier
        let command = [process.executableURL?.lastPathComponent ?? ""] + arguments
        Witness.here()?.hears { [talk] in talk.statement(of: command) }
        // Process learns of the end by a socket, which other children that are started at the same moment inherit and
        // hold open for as long as they live. So it is waited for here, and left for Process to reap.
        let pid = pid
        // Threads, and not Dispatch, which has no more than 255 for all who block.
        Thread.detachNewThread { [weak self] in
            var information = siginfo_t()
            let hasInformation = waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) == 0
            self?.talk.outcome.withLock { outcome in
                let status = information._sifields._sigchld.si_status
                outcome = !hasInformation ? nil : information.si_code == CLD_EXITED ? status : 128 + status
                self?.hasEnded.store(true, ordering: .releasing)
            }
            ended.continuation.finish()
        }
        // It blocks: a handler that is called when there is something to read does not survive the closing of its handle,
        // and without that a long suite runs out of descriptors.
        Thread.detachNewThread { [weak self, handle = errors.fileHandleForReading] in
            var wait = pollfd(fd: handle.fileDescriptor, events: Int16(POLLIN), revents: 0)
            while poll(&wait, 1, -1) < 0 || self?.listen(to: handle) == true {}
            try? handle.close()
        }
    }

    /// A test that fails on its way does not get to stop it.
    deinit {
        kill(SIGKILL)
        try? output.fileHandleForReading.close()
    }

    /// Reads what is there, and says whether there may be more.
    private func listen(to handle: FileHandle) -> Bool {
        isListening.withLock { isListening in
            let data = handle.availableData
            hear(data)
            isListening = !data.isEmpty
            return isListening
        }
    }

    /// Whether all was heard that was said so far.
    private var hasHeardAll: Bool {
        isListening.withLock { isListening in
            var left: Int32 = 0
            return !isListening || ioctl(errors.fileHandleForReading.fileDescriptor, UInt(FIONREAD), &left) != 0
                || left == 0
        }
    }

    private func hear(_ data: Data) {
        talk.heard.withLock { heard in
            heard.hasEnded = data.isEmpty
            heard.partial += data
            while let newline = heard.partial.firstIndex(of: UInt8(ascii: "\n")) {
                heard.lines.append(String(decoding: heard.partial[..<newline], as: UTF8.self))
                heard.partial = Data(heard.partial[(newline + 1)...])
            }
            heard.waiting.removeAll { waiter in
                guard let line = heard.lines.first(where: waiter.sign) else {
                    if heard.hasEnded { waiter.heard.resume(returning: nil) }
                    return heard.hasEnded
                }
                waiter.heard.resume(returning: line)
                return true
            }
        }
    }

    var isRunning: Bool { !hasEnded.load(ordering: .acquiring) }

    /// All that was said so far.
    var lines: [String] { talk.heard.withLock { $0.lines } }

    /// The first line that holds all of `words`, said already or still to come.
    @discardableResult
    func says(_ words: String..., within patience: Duration = deadline) async throws -> String {
        try await line("\(words)", within: patience) { line in words.allSatisfy(line.contains) }
    }

    /// The first line that `sign` is true of.
    @discardableResult
    func line(
        _ what: String, within patience: Duration = deadline, where sign: @escaping @Sendable (String) -> Bool
    ) async throws -> String {
        let impatience = Task {
            try await Task.sleep(for: patience)
            self.kill(SIGKILL)
        }
        defer { impatience.cancel() }
        let line: String? = await withCheckedContinuation { continuation in
            talk.heard.withLock { heard in
                if let line = heard.lines.first(where: sign) {
                    continuation.resume(returning: line)
                } else if heard.hasEnded {
                    continuation.resume(returning: nil)
                } else {
                    heard.waiting.append((sign, continuation))
                }
            }
        }
        guard let line else {
            throw Missed(description: "never said: \(what); said:\n\(lines.joined(separator: "\n"))")
        }
        return line
    }

    func kill(_ signal: Int32) {
        // A process that has ended has given its number back, and it may be somebody else's.
        if isRunning { _ = Glibc.kill(pid, signal) }
    }

    /// Waits for its end, and until all is heard that it has said, and gives the exit code, or 128 and more for the signal
    /// that ended it.
    func exitCode() async throws -> Int32 {
        let impatience = Task {
            try await Task.sleep(for: deadline)
            self.kill(SIGKILL)
        }
        defer { impatience.cancel() }
        for await _ in end {}
        while !hasHeardAll { try await Task.sleep(for: .milliseconds(1)) }
        if let outcome = talk.outcome.withLock({ $0 }) { return outcome }
        // Process was faster.
        process.waitUntilExit()
        let status = process.terminationStatus
        let outcome = process.terminationReason == .exit ? status : 128 + status
        talk.outcome.withLock { $0 = outcome }
        return outcome
    }

    /// What it printed on stdout, when it has ended.
    func printed() throws -> String {
        String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    }

    /// SIGTERM, and the exit code.
    func stop() async throws -> Int32 {
        kill(SIGTERM)
        return try await exitCode()
    }
}

/// Why something cannot be done here; `nil` where it can.
func lack(_ programs: [String], root: Bool = false) -> String? {
    if root, geteuid() != 0 { return "only root can do that" }
    let folders = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"]
    let missing = programs.filter { program in
        !folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
    }
    return missing.isEmpty ? nil : "not installed: \(missing.joined(separator: ", "))"
}
