// Where the crash suite strikes: at its N-th file call a process is killed, is cut off from power, or is told an error.
// In debug builds only, and only where SDSPOOL_FAULT says so:
//
//     0:trace             each call is told
//     17:kill             killed right before call 17
//     17:ENOSPC           call 17 is not made and fails
//     17+:ENOSPC@FILE     so do all from 17 on, for as long as FILE exists
//     17:done-EIO         call 17 is made and fails all the same
//     17:cut@MOUNT        the filesystem at MOUNT loses its power right before call 17, and so does the process
//     17:late-cut@MOUNT   the same, behind the sync of a file that has nothing to do with it
//
// A line on stderr tells which call it was, so that the suite knows that there was such a call.

#if DEBUG
    import Foundation
    import Glibc
    import Synchronization

    struct FaultSeam: Sendable {
        private enum Strike {
            case trace
            case kill
            case fail(Int32)
            case failWhenDone(Int32)
            case cut(mount: String, isLate: Bool)
        }
        private let first: Int
        /// Also all behind the first, while this file exists.
        private let whileExists: String?
        private let strike: Strike

        static let armed = ProcessInfo.processInfo.environment["SDSPOOL_FAULT"].flatMap { FaultSeam($0) }
        private static let count = Atomic(0)

        private static let calls: Set<String> = [
            "open", "openat", "fdopendir", "readdir", "fstat", "fstatat", "read", "write", "fsync", "syncfs",
            "sync_file_range", "close", "renameat", "mkdirat", "unlinkat",
        ]
        private static let codes = [
            "ENOSPC": ENOSPC, "EDQUOT": EDQUOT, "EIO": EIO, "EROFS": EROFS, "EMFILE": EMFILE,
        ]

        init?(_ text: String) {
            let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
            guard parts.count == 2, let first = Int(parts[0].trimmingCharacters(in: ["+"])) else { return nil }
            let words = parts[1].split(separator: "@", maxSplits: 1).map(String.init)
            self.first = first
            whileExists = parts[0].hasSuffix("+") ? words.last : nil
            switch words[0] {
            case "trace": strike = .trace
            case "kill": strike = .kill
            case "cut", "late-cut": strike = .cut(mount: words[words.count - 1], isLate: words[0] == "late-cut")
            case let word where word.hasPrefix("done-"):
                guard let code = Self.codes[String(word.dropFirst(5))] else { return nil }
                strike = .failWhenDone(code)
            case let word:
                guard let code = Self.codes[word] else { return nil }
                strike = .fail(code)
            }
        }

        /// The errno with which this call fails; `nil` where it is to be made. `body` makes it.
        func code(for call: StaticString, _ path: @autoclosure () -> String, body: () -> Void) -> Int32? {
            guard Self.calls.contains("\(call)") else { return nil }
            let path = path()
            guard path != "inotify" else { return nil }
            let number = Self.count.add(1, ordering: .relaxed).newValue
            if case .trace = strike {
                tell("call \(number): \(call) \(path)")
                return nil
            }
            let isStruck = number == first || number > first && whileExists.map { access($0, F_OK) == 0 } == true
            guard isStruck else { return nil }
            if number == first { tell("fault at call \(number): \(call) \(path)") }
            switch strike {
            case .trace: return nil
            case .kill: die()
            case .cut(let mount, let isLate):
                if isLate { Self.syncUnrelated(mount) }
                Self.cutPower(mount)
                die()
            case .fail(let code): return code
            case .failWhenDone(let code):
                body()
                return code
            }
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
