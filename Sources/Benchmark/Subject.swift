// A program that serves a folder, in a process of its own, with what it costs.

import Foundation
import Glibc

/// Who is measured.
enum Subject: String, CaseIterable {
    case sdspool
    case plain = "plain client"
}

/// A contestant at work in a folder of its own.
final class Run {
    let folder: URL
    private let process = Process()

    /// The folder, with what lies in its inbox before the start.
    init(jobs: Int = 0, beside: URL) throws {
        folder = beside.appendingPathComponent(UUID().uuidString)
        for name in ["inbox", "done"] {
            try FileManager.default.createDirectory(
                at: folder.appendingPathComponent(name), withIntermediateDirectories: true)
        }
        for number in 0..<jobs { try drop(number) }
    }

    /// Writes a job file as a shell does: open, write, close.
    func drop(_ number: Int) throws {
        let path = folder.appendingPathComponent("inbox/job-\(String(number + 1_000_000).dropFirst()).json").path
        let job = #"{"prompt": "a cat", "steps": 20, "width": 512, "height": 512, "seed": \#(number)}"#
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o666)
        guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
        _ = job.withCString { write(descriptor, $0, strlen($0)) }
        close(descriptor)
    }

    /// Starts it, and returns when it says that it is ready.
    func start(_ contestant: Subject, server: String, _ options: [String] = []) throws {
        let own = URL(fileURLWithPath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        switch contestant {
        case .sdspool:
            process.executableURL = own.deletingLastPathComponent().appendingPathComponent("sdspool")
            process.arguments =
                ["run", "--spool", folder.path, "--server", server, "--server-grace", "0"] + options
        case .plain:
            process.executableURL = own
            process.arguments = ["--plain-client", folder.path, server]
        }
        let talk = folder.appendingPathComponent("talk")
        try Data().write(to: talk)
        process.standardError = try FileHandle(forWritingTo: talk)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        while try !String(contentsOf: talk, encoding: .utf8).contains("ready:") { usleep(500) }
    }

    /// Results so far.
    var done: Int {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent("done").path)) ?? []).count
    }

    /// What lies in a folder that only sdspool has.
    func count(in name: String) -> Int {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent(name).path)) ?? []).count
    }

    /// CPU time so far, in milliseconds (proc_pid_stat(5), fields 14 and 15).
    var cpu: Double {
        let text = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8)) ?? ""
        let fields = text.split(separator: ")").last?.split(separator: " ").map(String.init) ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) * 1000 / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// The most memory that it had, in MB (proc_pid_status(5), VmHWM).
    var peak: Double {
        let text = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) }.map { $0 / 1024 }
            ?? 0
    }

    /// Ends it. Its folder stays until all is measured: a filesystem that has just deleted thousands of files is slower.
    func end() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
