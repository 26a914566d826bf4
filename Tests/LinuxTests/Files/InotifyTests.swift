import Glibc
import Testing

@testable import Linux

/// A record of `struct inotify_event` as the kernel lays it out.
private func record(_ watch: Int32, _ mask: Int32, _ name: [UInt8] = [], padding: Int = 0) -> [UInt8] {
    func bytes(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number) { Array($0) } }
    let padded = name + [UInt8](repeating: 0, count: padding)
    return bytes(UInt32(bitPattern: watch)) + bytes(UInt32(bitPattern: mask)) + bytes(9) + bytes(UInt32(padded.count))
        + padded
}

@Suite struct InotifyTests {
    @Test("records are taken apart in order, with names of any length and any bytes")
    func decode() throws {
        let long = [UInt8](repeating: 0x78, count: 255)
        let bytes =
            record(1, IN_CREATE, Array("a".utf8), padding: 15) + record(2, IN_CLOSE_WRITE, [0xff, 0x0a], padding: 14)
            + record(1, IN_MOVED_TO, long, padding: 1) + record(1, IN_DELETE_SELF) + record(1, IN_IGNORED)
        // A slice that does not begin at 0, as a part of a buffer does not.
        let events = Inotify.events(in: ([7, 7, 7] + bytes)[3...])
        #expect(
            events.map(\.kind) == [
                .created, .written, .movedIn, Inotify.Kind(rawValue: 0x400), .init(rawValue: 0x8000),
            ])
        #expect(events.map(\.watch.number) == [1, 2, 1, 1, 1])
        #expect(events.map(\.name?.bytes) == [Array("a".utf8), [0xff, 0x0a], long, nil, nil])
        #expect(Inotify.Kind.ignored.contains(events[4].kind))
    }

    @Test("an overflow belongs to no watch and names nothing")
    func overflow() {
        let events = Inotify.events(in: record(-1, IN_Q_OVERFLOW)[...])
        #expect(events == [Inotify.Event(watch: .missing, kind: .overflow, name: nil)])
    }

    @Test("of a name that is only NULs nothing is left")
    func nameless() {
        let events = Inotify.events(in: record(1, IN_ATTRIB, [], padding: 16)[...])
        #expect(events == [Inotify.Event(watch: Inotify.Watch(number: 1), kind: .attributes, name: nil)])
    }

    @Test("a record that is cut off does no harm", arguments: 0..<48)
    func truncated(length: Int) {
        let bytes = record(1, IN_CREATE, Array("a".utf8), padding: 15) + record(1, IN_DELETE)
        #expect(Inotify.events(in: bytes.prefix(length)).count <= 2)
    }

    @Test("the kernel tells what is watched for and nothing else, with the folder as a folder")
    func watch() throws {
        let scratch = try Scratch()
        let inotify = try Inotify()
        #expect(try inotify.read().isEmpty)
        let watch = try inotify.watch(scratch.directory, for: [.created, .written])
        try scratch.write("x", to: "file")
        try scratch.directory.makeDirectory("folder")
        try scratch.directory.unlink("file")
        let events = try inotify.read()
        #expect(events.map(\.kind) == [.created, .written, [.created, .directory]])
        #expect(events.map(\.name) == ["file", "file", "folder"])
        #expect(events.allSatisfy { $0.watch == watch })
        #expect(try inotify.read().isEmpty)
        withExtendedLifetime(scratch) {}
    }
}
