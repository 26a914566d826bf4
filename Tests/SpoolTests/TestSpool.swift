// A spool in a temporary folder of its own, and the hands that put files into it.

import Foundation
import Glibc
import Linux
import Testing

@testable import Spool

/// Opens a fresh spool and removes it when the test ends, however it ends. Held by a suite, which outlives its test.
final class TestSpool: Sendable {
    let path = FileManager.default.temporaryDirectory.path + "/sdspool-test-\(UUID())"
    let folders: Spool

    init() throws {
        folders = try Spool(path: path)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Creates, writes and closes a file, as a shell's `>` does.
    func write(_ text: String, to name: FileName, in directory: Directory) throws {
        let file = try directory.createFile(name)
        try file.write(Data(text.utf8))
        try file.close()
        try letGo(name, in: directory)
    }

    /// Returns when nobody has a file open for writing that was closed here. What other tests start has open whatever this
    /// process had, until it is a program of its own; a file is whole, and told to be closed, when the last one lets go.
    func letGo(_ name: FileName, in directory: Directory) throws {
        while try directory.file(name).hasWriter == true { usleep(500) }
    }

    func drop(_ name: FileName, _ text: String = "{}") throws {
        try write(text, to: name, in: folders.inbox)
    }

    /// Puts a job into queue/ as if it had been accepted.
    func queue(_ job: String, priority: UInt8 = 5, at microseconds: Int64 = 1, _ text: String = "{}") throws -> Ticket {
        let ticket = try Ticket.test(job, priority: priority, at: microseconds)
        try write(text, to: ticket.file, in: folders.queue)
        return ticket
    }

    /// Puts a job into queue/ and claims it.
    func claim(_ job: String, at microseconds: Int64 = 1, _ text: String = "{}") throws -> ActiveJob {
        try #require(try Claims(folders).claim(queue(job, at: microseconds, text)))
    }

    /// Appends to a file of the spool, in a round of open, write and close.
    func append(_ text: String, to place: String) throws {
        let handle = try #require(FileHandle(forWritingAtPath: "\(path)/\(place)"))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
        let file = URL(fileURLWithPath: "\(path)/\(place)")
        let name = try #require(FileName(bytes: file.lastPathComponent.utf8))
        try letGo(name, in: Directory(path: file.deletingLastPathComponent().path))
    }

    func text(_ place: String) throws -> String {
        try String(contentsOfFile: "\(path)/\(place)", encoding: .utf8)
    }

    /// The JSON object that a file of the spool holds.
    func object(_ place: String) throws -> [String: Any] {
        let content = try #require(FileManager.default.contents(atPath: "\(path)/\(place)"))
        return try #require(try JSONSerialization.jsonObject(with: content) as? [String: Any])
    }

    /// Everything in a folder of the spool, in order, with the contents of files.
    func tree(_ place: String = ".") throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: "\(path)/\(place)").sorted().map { entry in
            let content = FileManager.default.contents(atPath: "\(path)/\(place)/\(entry)")
            return content.map { "\(entry): \(String(decoding: $0, as: UTF8.self))" } ?? entry
        }
    }
}

/// The names in a folder, in order.
func names(in directory: Directory) throws -> [String] {
    try directory.entries().sorted().map(\.description)
}

func name(_ text: String) throws -> FileName {
    try #require(FileName(bytes: Array(text.utf8)))
}

extension Ticket {
    static func test(_ job: String, priority: UInt8 = 5, at microseconds: Int64 = 1) throws -> Ticket {
        let name = try #require(JobName(written: Array(job.utf8)))
        return Ticket(priority: priority, arrival: Timestamp(microseconds: microseconds), name: name)
    }
}

extension Recovery {
    /// What recovery told.
    func recover(now: Timestamp = .now) throws -> [String] {
        var told: [String] = []
        try recover(now: now) { told.append("\($0)") }
        return told
    }
}
