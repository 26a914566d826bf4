// sdspool demo: the whole way of a job, to be looked at, with nothing but this program.

import A1111
import A1111API
import Daemon
import Foundation
import Linux
import StandIn
import Spool
import Synchronization

enum Demo {
    static let help = """
        usage: sdspool demo [--spool DIR] [FILE]…

        Starts a stand-in for an AUTOMATIC1111 server on a free port of this machine and a daemon on DIR (default:
        $SDSPOOL_DIR, or ./spool), drops the job FILEs (default: those of ./examples/jobs) into the inbox, and ends
        when all are done. The stand-in draws test cards, not diffusion.
        """

    static func main(_ words: [String]) async throws {
        let arguments = try Arguments(words, of: "demo", options: ["--spool"], help: help)
        let files = try jobFiles(arguments.operands)
        talkWithoutWaiting { "\($0) lines are missing here: nobody read them in time\n" }
        let standIn = try StandIn.start()
        guard let server = ServerAddress(standIn.url) else { throw Exit(.software, "\(standIn.url) is no URL") }

        let show = Show(standIn: standIn)
        let options = DaemonOptions(spool: arguments.value("--spool", or: "SDSPOOL_DIR") ?? "spool", servers: [server])
        let daemon = try await Run.start { try Daemon(options, emit: show.tell) }
        show.say("\(standIn)")
        let running = Task(executorPreference: TaskQueueExecutor.shared) { try await daemon.run() }
        let spool = try Spool(existing: options.spool)
        let names = try files.map { try drop($0, into: spool) }
        await show.end(of: Set(names))
        daemon.stop()
        try await running.value
        await standIn.stop()
        try show.tellResults()
    }

    private static func jobFiles(_ operands: [String]) throws -> [URL] {
        if !operands.isEmpty { return operands.map { URL(fileURLWithPath: $0) } }
        let folder = URL(fileURLWithPath: "examples/jobs")
        let files = try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        guard let files, !files.isEmpty else {
            throw Exit(
                .noInput,
                "sdspool demo: no job files in ./examples/jobs; run it from the project's folder, or name some")
        }
        return files.filter { $0.pathExtension == "json" }.sorted { $0.lastPathComponent < $1.lastPathComponent }
    }

    private static func drop(_ file: URL, into spool: Spool) throws -> String {
        guard let entry = FileName(bytes: file.lastPathComponent.utf8), let name = JobName(dropped: entry) else {
            throw Exit(.noInput, "sdspool demo: the name of \(file.path) does not end in .json")
        }
        return try Inbox(spool).drop(try input(file.path, for: "demo"), as: name, kind: JobFileKind(of: entry) ?? .json)
            .name
            .text
    }
}

/// Shows how far the demo is: a bar on a terminal, the events as lines elsewhere.
private final class Show: Sendable {
    private struct State {
        var rendering: String?
        var results: [(name: String, path: String, isDone: Bool)] = []
        /// What the files that hold many jobs have become.
        var parts: Set<String> = []
        var cancelled: Set<String> = []
        var isOver = false
    }

    private let state = Mutex(State())
    private let changes: AsyncStream<Void>
    private let changed: AsyncStream<Void>.Continuation
    private let standIn: StandIn
    private let bar = Mutex(ProgressBar())
    private let hasTerminal = isatty(STDERR_FILENO) == 1
    private let log: Log

    init(standIn: StandIn) {
        self.standIn = standIn
        (changes, changed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        log = Log(form: .terminal(coloured: false))
    }

    func say(_ words: String) { talk(words + "\n") }

    func tell(_ event: Event) {
        if !hasTerminal { log.tell(event) }
        state.withLock { state in
            switch event {
            case .started(let ticket, _): state.rendering = ticket.name.description
            case .done(let ticket, let path, _, _, _): state.results.append((ticket.name.text, path, true))
            case .failed(let ticket, _, let path): state.results.append((ticket.name.text, path, false))
            case .expanded(let ticket, let expansion):
                state.parts.formUnion(expansion.parts.map(\.ticket.name.text))
                state.results.append((ticket.name.text, expansion.path, true))
            case .cancelled(let ticket): state.cancelled.insert(ticket.name.text)
            case .refused(let name, _, let path): state.results.append((name.text, path, false))
            default: break
            }
        }
        changed.yield()
    }

    /// Returns when each of `names` has ended, and each part of those that are batches.
    func end(of names: Set<String>) async {
        let ticks =
            hasTerminal
            ? Task(executorPreference: TaskQueueExecutor.shared) { [changed] in
                while !Task.isCancelled {
                    try? await TaskQueueExecutor.rest(for: .milliseconds(80))
                    changed.yield()
                }
            } : nil
        defer { ticks?.cancel() }
        for await _ in changes {
            let (rendering, ended, wanted) = state.withLock {
                ($0.rendering, $0.cancelled.union($0.results.map(\.name)), $0.parts.union(names))
            }
            draw(ended: ended.intersection(wanted).count, of: wanted.count, rendering: rendering)
            if wanted.isSubset(of: ended) { break }
        }
        if hasTerminal { say("") }
    }

    private func draw(ended: Int, of total: Int, rendering: String?) {
        let done = (Double(ended) + (ended < total ? standIn.progress : 0)) / Double(max(1, total))
        let doing = ended < total ? rendering.map { "rendering \($0)" } ?? "" : "done"
        bar.withLock { $0.draw(done, "\(ended)/\(total) \(doing)") }
    }

    /// Names the folders, on stdout. Throws ``Exit`` where a job failed.
    func tellResults() throws {
        let results = state.withLock { $0.results }
        for result in results { answer(result.path) }
        if let failed = results.first(where: { !$0.isDone }) {
            throw Exit(.failed, "sdspool demo: \(failed.name) failed; \(failed.path)/error.json says why")
        }
        if let first = results.first {
            say("The pictures are in \(URL(fileURLWithPath: first.path).deletingLastPathComponent().path)")
        }
    }
}

extension Log {
    fileprivate init(form: Form) { self.form = form }
}
