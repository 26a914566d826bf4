// What the kernel tells of directories (inotify(7)): wake-ups that also carry the order of what happened.
//
// Events may be lost (the queue is bounded) and say nothing of what was there before: the listing of a directory is
// the truth, and whoever watches lists after the watch is armed and whenever `.overflow` comes.

@preconcurrency import Dispatch
import Glibc

/// An inotify instance and the watches on it.
public final class Inotify: Sendable {
    /// What happened; the bits of inotify(7).
    public struct Kind: OptionSet, Hashable, Sendable {
        /// The kernel's bits.
        public let rawValue: UInt32
        /// Takes the kernel's bits as they are.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// A name appeared: open, link, symlink, mkdir.
        public static let created = Kind(rawValue: UInt32(IN_CREATE))
        /// A file that was open for writing was closed.
        public static let written = Kind(rawValue: UInt32(IN_CLOSE_WRITE))
        /// A name was moved into the directory.
        public static let movedIn = Kind(rawValue: UInt32(IN_MOVED_TO))
        /// A name was moved out of the directory.
        public static let movedOut = Kind(rawValue: UInt32(IN_MOVED_FROM))
        /// A name was removed.
        public static let deleted = Kind(rawValue: UInt32(IN_DELETE))
        /// Mode, owner, times or the count of links changed.
        public static let attributes = Kind(rawValue: UInt32(IN_ATTRIB))
        /// The watch is gone: removed, or its filesystem unmounted.
        public static let ignored = Kind(rawValue: UInt32(IN_IGNORED) | UInt32(IN_UNMOUNT))
        /// Events were lost. This one belongs to no watch.
        public static let overflow = Kind(rawValue: UInt32(IN_Q_OVERFLOW))
        /// The name is that of a directory.
        public static let directory = Kind(rawValue: UInt32(IN_ISDIR))
    }

    /// A watch on one directory; `none` is the kernel's for events that belong to no watch.
    public struct Watch: Hashable, Sendable {
        let number: Int32
        static let none = Watch(number: -1)
    }

    /// One thing that happened.
    public struct Event: Hashable, Sendable {
        /// Where it happened.
        public let watch: Watch
        /// What happened, one or more.
        public let kind: Kind
        /// To which entry; `nil` where it happened to the directory itself.
        public let name: FileName?
    }

    private let descriptor: Descriptor

    /// Throws ``SystemError``; EMFILE means that this user has too many instances
    /// (`sysctl fs.inotify.max_user_instances`).
    public init() throws(SystemError) {
        let number = try system("inotify_init1", "inotify") { inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC)) }
        descriptor = Descriptor(owning: number)
    }

    /// Watches a directory that is held open: that very one, whatever its path names by now.
    public func watch(_ directory: Directory, for kinds: Kind) throws(SystemError) -> Watch {
        let flags = kinds.rawValue | UInt32(IN_ONLYDIR)
        let number = try system("inotify_add_watch", directory.path) {
            inotify_add_watch(descriptor.number, "/proc/self/fd/\(directory.descriptor.number)", flags)
        }
        return Watch(number: number)
    }

    /// Watches no more; nothing is said of a watch that is gone already, with its directory.
    public func forget(_ watch: Watch) { _ = inotify_rm_watch(descriptor.number, watch.number) }

    /// All that has happened since the last call, in order.
    public func readAll() throws(SystemError) -> [Event] {
        var events: [Event] = []
        while case let more = try read(), !more.isEmpty { events += more }
        return events
    }

    /// Some of what has happened since the last call, in order; empty where nothing has.
    public func read() throws(SystemError) -> [Event] {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        do throws(SystemError) {
            let count = try system("read", "inotify") { Glibc.read(descriptor.number, &buffer, buffer.count) }
            return Self.events(in: buffer[..<count])
        } catch  where error.code == EAGAIN {
            return []
        }
    }

    /// Runs `wake` on a queue of Dispatch whenever there is something to read, until the source is cancelled.
    public func source(on queue: DispatchQueue, wake: @escaping @Sendable () -> Void) -> any DispatchSourceRead {
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor.number, queue: queue)
        source.setEventHandler { @Sendable in wake() }
        // Holds the descriptor until the source has let go of it: closed earlier, its number could be another file's.
        source.setCancelHandler { @Sendable in withExtendedLifetime(self) {} }
        return source
    }

    /// Takes apart what read(2) gave: records of `struct inotify_event`, each with a name padded by NULs.
    static func events(in bytes: ArraySlice<UInt8>) -> [Event] {
        let head = MemoryLayout<inotify_event>.size
        var events: [Event] = []
        var rest = bytes
        while rest.count >= head {
            let record = rest.withUnsafeBytes { $0.loadUnaligned(as: inotify_event.self) }
            let name = rest.dropFirst(head).prefix(Int(record.len)).prefix { $0 != 0 }
            events.append(
                Event(
                    watch: Watch(number: record.wd), kind: Kind(rawValue: record.mask),
                    name: FileName(bytes: name)))
            rest = rest.dropFirst(head + Int(record.len))
        }
        return events
    }
}
