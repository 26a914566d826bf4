// What the kernel tells of directories (inotify(7)): wake-ups that also carry the order of what happened.
//
// Events may be lost (the queue is bounded) and say nothing of what was there before: the listing of a directory is
// the truth, and whoever watches lists after the watch is armed and whenever `.overflow` comes.
//
// Instances and watches are counted for each user, and other programs may have used them up. That stops nobody: what could
// not be watched is known (`lack`), is listed more often, and is watched when the kernel has a watch again.

@preconcurrency import Dispatch
import Glibc
import Synchronization

/// An inotify instance and the watches on it.
package final class Inotify: Sendable {
    /// What happened; the bits of inotify(7).
    package struct Kind: OptionSet, Hashable, Sendable {
        /// The kernel's bits.
        package let rawValue: UInt32
        /// Takes the kernel's bits as they are.
        package init(rawValue: UInt32) { self.rawValue = rawValue }

        /// A name appeared: open, link, symlink, mkdir.
        package static let created = Kind(rawValue: UInt32(IN_CREATE))
        /// A file that was open for writing was closed.
        package static let written = Kind(rawValue: UInt32(IN_CLOSE_WRITE))
        /// A name was moved into the directory.
        package static let movedIn = Kind(rawValue: UInt32(IN_MOVED_TO))
        /// A name was moved out of the directory.
        package static let movedOut = Kind(rawValue: UInt32(IN_MOVED_FROM))
        /// A name was removed.
        package static let deleted = Kind(rawValue: UInt32(IN_DELETE))
        /// Mode, owner, times or the count of links changed.
        package static let attributes = Kind(rawValue: UInt32(IN_ATTRIB))
        /// The watch is gone: removed, or its filesystem unmounted.
        package static let ignored = Kind(rawValue: UInt32(IN_IGNORED) | UInt32(IN_UNMOUNT))
        /// Events were lost. This one belongs to no watch.
        package static let overflow = Kind(rawValue: UInt32(IN_Q_OVERFLOW))
        /// The name is that of a directory.
        package static let directory = Kind(rawValue: UInt32(IN_ISDIR))
    }

    /// A watch on one directory.
    package struct Watch: Hashable, Sendable {
        let number: Int32
        /// The kernel's for events that belong to no watch; also that of a directory that could not be watched.
        static let missing = Watch(number: -1)

        /// Whether anything is told of the directory.
        package var isArmed: Bool { self != .missing }
    }

    /// One thing that happened.
    package struct Event: Hashable, Sendable {
        /// Where it happened.
        package let watch: Watch
        /// What happened, one or more.
        package let kind: Kind
        /// To which entry; `nil` where it happened to the directory itself.
        package let name: FileName?
    }

    private final class Instance: Sendable {
        let descriptor: Descriptor

        init() throws(SystemError) {
            let flags = Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC)
            descriptor = Descriptor(owning: try system("inotify_init1", "inotify") { inotify_init1(flags) })
        }
    }

    private struct State {
        var instance: Instance?
        var lack: SystemError?
    }
    private let state = Mutex(State())

    /// Goes without where this user has no instance left (see ``lack``). Throws ``SystemError``.
    package init() throws(SystemError) { try arm() }

    /// Why the last attempt at something to watch with was in vain: no instance or no watch is left; `nil` where there was no
    /// such attempt since ``arm()``.
    package var lack: SystemError? { state.withLock(\.lack) }

    /// Sees to an instance and forgets what was lacking: whoever has a watch that is not armed asks for it once more.
    package func arm() throws(SystemError) {
        state.withLock { $0.lack = nil }
        guard state.withLock({ $0.instance == nil }) else { return }
        do throws(SystemError) {
            let instance = try Instance()
            state.withLock { $0.instance = instance }
        } catch  where Self.isLack(error) {
            state.withLock { $0.lack = error }
        }
    }

    /// ENFILE and ENOMEM are the machine's, ENOSYS is a kernel that knows no such thing.
    private static func isLack(_ error: SystemError) -> Bool {
        [EMFILE, ENFILE, ENOMEM, ENOSPC, ENOSYS].contains(error.code)
    }

    /// Watches a directory that is held open: that very one, whatever its path names by now. Where no watch is left it is one
    /// that is not armed (see ``lack``).
    package func watch(_ directory: Directory, for kinds: Kind) throws(SystemError) -> Watch {
        guard let instance = state.withLock(\.instance) else { return .missing }
        let flags = kinds.rawValue | UInt32(IN_ONLYDIR)
        do throws(SystemError) {
            let number = try system("inotify_add_watch", directory.path) {
                inotify_add_watch(
                    instance.descriptor.number, "/proc/self/fd/\(directory.descriptor.number)", flags)
            }
            return Watch(number: number)
        } catch  where Self.isLack(error) {
            state.withLock { $0.lack = error }
            return .missing
        }
    }

    /// Watches no more; nothing is said of a watch that is gone already, with its directory.
    package func forget(_ watch: Watch) {
        guard let instance = state.withLock(\.instance) else { return }
        _ = inotify_rm_watch(instance.descriptor.number, watch.number)
    }

    /// All that has happened since the last call, in order.
    package func readAll() throws(SystemError) -> [Event] {
        var events: [Event] = []
        while case let more = try read(), !more.isEmpty { events += more }
        return events
    }

    /// Some of what has happened since the last call, in order; empty where nothing has.
    package func read() throws(SystemError) -> [Event] {
        guard let instance = state.withLock(\.instance) else { return [] }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        do throws(SystemError) {
            let count = try system("read", "inotify") { Glibc.read(instance.descriptor.number, &buffer, buffer.count) }
            return Self.events(in: buffer[..<count])
        } catch  where error.code == EAGAIN {
            return []
        }
    }

    /// Runs `wake` on a queue of Dispatch whenever there is something to read, until the source is cancelled; `nil` where there
    /// is no instance.
    package func source(on queue: DispatchQueue, wake: @escaping @Sendable () -> Void) -> (any DispatchSourceRead)? {
        guard let instance = state.withLock(\.instance) else { return nil }
        let source = DispatchSource.makeReadSource(fileDescriptor: instance.descriptor.number, queue: queue)
        source.setEventHandler { @Sendable in wake() }
        // Holds the descriptor until the source has let go of it: closed earlier, its number could be another file's.
        source.setCancelHandler { @Sendable in withExtendedLifetime(instance) {} }
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
