// Where the crash suite strikes: at its N-th file call a process is killed, is cut off from power, or is told an error.
// In debug builds only, and only where SDSPOOL_FAULT says so:
//
//     0:trace             each call is told
//     17:kill             killed right before call 17
//     17:ENOSPC           call 17 is not made and fails. A sync loses what it was to bring to the disk (see FaultDisk)
//     17:EIO-kept         the same, where others have synced what they wrote: only what this process wrote is lost
//     17+:ENOSPC@FILE     so do all from 17 on, for as long as FILE exists
//     17:done-EIO         call 17 is made and fails all the same
//     17:cut@MOUNT        the filesystem at MOUNT loses its power right before call 17, and so does the process
//     17:late-cut@MOUNT   the same, behind the sync of a file that has nothing to do with it
//     17:EIO,23:EIO       one after the other. The place of a later one may be told from the one before it:
//     17:EIO,+3:EIO       the third call after that
//     17:EIO,sync+1:EIO   the next sync after that (fsync, syncfs, sync_file_range)
//
// A line on stderr tells which call it was, so that the suite knows that there was such a call; others tell what was lost,
// and which file was still open when it, or its folder, was about to go.

#if DEBUG
    import Foundation
    import Glibc
    import Synchronization

    final class FaultSeam: Sendable {
        private enum Strike {
            case trace
            case kill
            case fail(Int32, isKept: Bool)
            case failWhenDone(Int32)
            case cut(mount: String, isLate: Bool)
        }
        private enum Place {
            case call(Int)
            /// Calls, or syncs, after the fault before this one.
            case later(Int)
            case laterSync(Int)
        }
        private struct Fault {
            let place: Place
            /// Also all behind the first, while this file exists.
            let whileExists: String?
            let strike: Strike
        }
        private struct Count {
            var calls = 0
            /// Those behind it that are due, and the calls and syncs since the last one.
            var next = 0
            var callsSince = 0
            var syncsSince = 0
        }
        private let faults: [Fault]
        private let count = Mutex(Count())
        private let disk = FaultDisk()

        static let armed = ProcessInfo.processInfo.environment["SDSPOOL_FAULT"].flatMap { FaultSeam($0) }

        private static let calls: Set<String> = [
            "open", "openat", "fdopendir", "readdir", "fstat", "fstatat", "read", "write", "fsync", "syncfs",
            "sync_file_range", "close", "renameat", "renameat2", "linkat", "posix_fallocate", "mkdirat", "unlinkat",
        ]
        private static let syncs: Set<String> = ["fsync", "syncfs", "sync_file_range"]
        private static let codes = [
            "ENOSPC": ENOSPC, "EDQUOT": EDQUOT, "EIO": EIO, "EROFS": EROFS, "EMFILE": EMFILE,
        ]

        init?(_ text: String) {
            let faults = text.split(separator: ",").map { Self.fault(String($0)) }
            guard !faults.isEmpty, faults.allSatisfy({ $0 != nil }) else { return nil }
            self.faults = faults.compactMap { $0 }
        }

        private static func fault(_ text: String) -> Fault? {
            let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
            guard parts.count == 2, let place = place(parts[0]) else { return nil }
            let words = parts[1].split(separator: "@", maxSplits: 1).map(String.init)
            let strike: Strike
            switch words[0] {
            case "trace": strike = .trace
            case "kill": strike = .kill
            case "cut", "late-cut": strike = .cut(mount: words[words.count - 1], isLate: words[0] == "late-cut")
            case let word where word.hasPrefix("done-"):
                guard let code = codes[String(word.dropFirst(5))] else { return nil }
                strike = .failWhenDone(code)
            case let word:
                let isKept = word.hasSuffix("-kept")
                guard let code = codes[isKept ? String(word.dropLast(5)) : word] else { return nil }
                strike = .fail(code, isKept: isKept)
            }
            return Fault(place: place, whileExists: parts[0].hasSuffix("+") ? words.last : nil, strike: strike)
        }

        private static func place(_ text: String) -> Place? {
            if text.hasPrefix("sync+") { return Int(text.dropFirst(5)).map(Place.laterSync) }
            if text.hasPrefix("+") { return Int(text.dropFirst()).map(Place.later) }
            return Int(text.hasSuffix("+") ? text.dropLast() : text[...]).map(Place.call)
        }

        /// The errno with which this call fails; `nil` where it is to be made. `body` makes it.
        func code(
            for call: StaticString, _ path: @autoclosure () -> String, _ descriptor: Int32?, body: () -> Int64
        ) -> Int32? {
            let call = "\(call)"
            guard Self.calls.contains(call) else { return nil }
            let path = path()
            guard path != "inotify" else { return nil }
            let (number, strike, isFirst) = count.withLock { due(call, &$0) }
            if ["unlinkat", "renameat"].contains(call), disk.isHeld(call, path) {
                tell("held at call \(number): \(call) \(path)")
            }
            if case .trace = faults[0].strike { tell("call \(number) by \(pthread_self()): \(call) \(path)") }
            guard let strike else { return disk.owed(call, descriptor) }
            if isFirst { tell("fault at call \(number): \(call) \(path)") }
            switch strike {
            case .trace: return nil
            case .kill: die()
            case .cut(let mount, let isLate):
                if isLate { Self.syncUnrelated(mount) }
                Self.cutPower(mount)
                die()
            case .fail(let code, let isKept):
                if Self.syncs.contains(call) {
                    for lost in disk.lose(call, descriptor, code, onlyOwn: isKept) { tell("lost: \(lost)") }
                }
                // close(2) frees the number whatever it says.
                if call == "close" { _ = body() }
                return code
            case .failWhenDone(let code):
                let result = body()
                // What a server has opened and not told of has no number here.
                if call.hasPrefix("open"), result >= 0 { Glibc.close(Int32(clamping: result)) }
                return code
            }
        }

        /// What strikes at this call, which is counted.
        private func due(_ call: String, _ count: inout Count) -> (number: Int, strike: Strike?, isFirst: Bool) {
            count.calls += 1
            count.callsSince += 1
            if Self.syncs.contains(call) { count.syncsSince += 1 }
            guard count.next < faults.count else { return (count.calls, nil, false) }
            let fault = faults[count.next]
            let isFirst =
                switch fault.place {
                case .call(let number): count.calls == number
                case .later(let number): count.callsSince == number
                case .laterSync(let number): Self.syncs.contains(call) && count.syncsSince == number
                }
            if isFirst, fault.whileExists == nil {
                count.next += 1
                (count.callsSince, count.syncsSince) = (0, 0)
            }
            var isStruck = isFirst
            if case .call(let number) = fault.place, let file = fault.whileExists, count.calls > number {
                isStruck = access(file, F_OK) == 0
            }
            return (count.calls, isStruck ? fault.strike : nil, isFirst)
        }

        /// A call was made and has not failed.
        func succeeded(
            _ call: StaticString, _ path: @autoclosure () -> String, _ descriptor: Int32?, _ result: Int64
        ) {
            disk.note("\(call)", path(), descriptor, result)
        }

        private func tell(_ words: String) {
            let line = Array("\(words)\n".utf8)
            _ = Glibc.write(STDERR_FILENO, line, line.count)
        }

        private func die() -> Never {
            _ = kill(getpid(), SIGKILL)
            while true { pause() }
        }

        /// Its journal commit carries along the names that were changed by then, and not the content of files that
        /// somebody had forgotten to sync. Without it the names are lost that somebody had forgotten to sync.
        private static func syncUnrelated(_ mount: String) {
            let file = Glibc.open("\(mount)/unrelated", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            _ = Glibc.write(file, "x", 1)
            _ = fsync(file)
        }

        /// What is on the disk stays there, and nothing else.
        private static func cutPower(_ mount: String) {
            // FS_IOC_SHUTDOWN with FSOP_GOING_FLAGS_NOLOGFLUSH (linux/fs.h): what is in no log yet is lost.
            var flags: UInt32 = 2
            let root = Glibc.open(mount, O_RDONLY | O_CLOEXEC)
            _ = ioctl(root, 0x8004_587d, &flags)
        }
    }
#endif
