import Foundation
import Glibc
import Testing

@testable import Linux

@Suite("A log's writer", .timeLimit(.minutes(5)))
struct LogWriterTests {
    /// A pipe of one page, whose ends the test closes.
    private final class SmallPipe {
        let reading: FileHandle
        let writing: FileHandle

        init() throws {
            let pipe = Pipe()
            (reading, writing) = (pipe.fileHandleForReading, pipe.fileHandleForWriting)
            // A program that another test starts at this moment must not keep it open.
            for end in [reading, writing] { _ = fcntl(end.fileDescriptor, F_SETFD, FD_CLOEXEC) }
            // F_SETPIPE_SZ, which the Glibc module lacks.
            _ = fcntl(writing.fileDescriptor, 1031, 4096)
        }

        /// What comes until `end` has come.
        func read(until end: String) -> [String] {
            var text = Data()
            while !text.suffix(end.utf8.count).elementsEqual(end.utf8) {
                let more = reading.availableData
                guard !more.isEmpty else { break }
                text += more
            }
            return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }

    private static func line(_ number: Int) -> String { "\(number)" + String(repeating: "x", count: 90) + "\n" }

    private static func writer(to descriptor: Int32, capacity: Int = 1 << 20) -> LogWriter {
        LogWriter(to: descriptor, capacity: capacity) { "\($0) lines are missing\n" }
    }

    @Test("holds up nobody while nobody reads, says how many lines it dropped, and where, and goes on behind that")
    func stuck() throws {
        let pipe = try SmallPipe()
        let writer = Self.writer(to: pipe.writing.fileDescriptor, capacity: 10_000)
        // Returns, although nobody reads.
        for number in 0..<1000 { writer.write(Self.line(number)) }
        #expect(!writer.finish(within: .milliseconds(50)))
        let before = pipe.read(until: " lines are missing\n")
        let kept = before.count - 1
        #expect((100..<300).contains(kept))
        #expect(before == (0..<kept).map { String(Self.line($0).dropLast()) } + ["\(1000 - kept) lines are missing"])
        writer.write("after\n")
        #expect(pipe.read(until: "after\n") == ["after"])
        #expect(writer.finish(within: .seconds(60)))
    }

    @Test("counts what a disk without room or a reader that is gone does not take, and goes on when it is taken again")
    func refused() throws {
        // Nothing is ever written there (full(4)).
        let full = open("/dev/full", O_WRONLY | O_CLOEXEC)
        defer { close(full) }
        let pipe = try SmallPipe()
        // A number that leads elsewhere later, as a log on a disk that gets room again.
        let number = dup(full)
        defer { close(number) }
        let writer = Self.writer(to: number)
        for number in 0..<7 { writer.write(Self.line(number)) }
        #expect(writer.finish(within: .seconds(60)))
        dup2(pipe.writing.fileDescriptor, number)
        writer.write("after\n")
        #expect(pipe.read(until: "after\n") == ["7 lines are missing", "after"])
    }

    @Test("is not harmed by a reader that is gone")
    func gone() throws {
        signal(SIGPIPE, SIG_IGN)
        let pipe = try SmallPipe()
        let writer = Self.writer(to: pipe.writing.fileDescriptor)
        try pipe.reading.close()
        for number in 0..<1000 { writer.write(Self.line(number)) }
        #expect(writer.finish(within: .seconds(60)))
    }

    @Test("waits for a descriptor that somebody has made non-blocking, and loses nothing")
    func nonBlocking() async throws {
        let pipe = try SmallPipe()
        let descriptor = pipe.writing.fileDescriptor
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        let writer = Self.writer(to: descriptor)
        for number in 0..<1000 { writer.write(Self.line(number)) }
        writer.write("end\n")
        #expect(pipe.read(until: "end\n").count == 1001)
        #expect(writer.finish(within: .seconds(60)))
    }

    @Test("keeps the lines of each of many writers in their order")
    func order() async throws {
        let pipe = try SmallPipe()
        let writer = Self.writer(to: pipe.writing.fileDescriptor)
        let lines = await withTaskGroup(of: Void.self) { group in
            for teller in 0..<8 {
                group.addTask { for number in 0..<50 { writer.write("\(teller) \(number)\n") } }
            }
            await group.waitForAll()
            writer.write("end\n")
            return pipe.read(until: "end\n").dropLast()
        }
        for teller in 0..<8 {
            let own = lines.filter { $0.hasPrefix("\(teller) ") }
            #expect(own == (0..<50).map { "\(teller) \($0)" })
        }
    }
}
