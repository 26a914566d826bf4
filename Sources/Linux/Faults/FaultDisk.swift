// What a disk does to a file when its sync fails, for FaultSeam: the content that was not on the disk is gone, and only
// descriptors that were open before are told so, once each (see errseq_t in the kernel's sources).
//
// Content is on the disk when this process has seen a good sync of it. What others have written, such as a drop in inbox/,
// counts as not synced, unless the suite says that it is. Lost bytes become zeros, as when the kernel forgets pages that it has marked as written.

#if DEBUG
    import Foundation
    import Glibc
    import Synchronization

    final class FaultDisk: Sendable {
        private struct Inode: Hashable {
            let device, number: UInt64
        }
        /// An error of the content of a file.
        private struct Loss {
            var count = 0
            /// Of the last one: a descriptor that is opened later hears of it only if nobody has.
            var isSeen = false
            var code: Int32 = 0
            /// Keeps the file's number from being another file's (O_PATH).
            var pin: Int32 = -1
        }
        private struct State {
            /// Written by this process since the last good sync, with a descriptor that keeps the file without holding it
            /// open (O_PATH).
            var dirty: [Inode: Int32] = [:]
            /// Not written since the last good sync.
            var clean: Set<Inode> = []
            var losses: [Inode: Loss] = [:]
            /// By descriptor: the file, and how many of its errors need not be told.
            var opened: [Int32: (inode: Inode, told: Int, isDrop: Bool)] = [:]
        }
        private let state = Mutex(State())

        /// A call has succeeded.
        func note(_ call: String, _ path: String, _ descriptor: Int32?, _ result: Int64) {
            switch call {
            case "openat":
                let number = Int32(clamping: result)
                guard let inode = Self.file(number) else { return }
                state.withLock { state in
                    let loss = state.losses[inode]
                    state.opened[number] = (
                        inode, loss?.isSeen == true ? loss?.count ?? 0 : 0, path.contains("/inbox/")
                    )
                }
            case "write", "posix_fallocate":
                guard let descriptor, let inode = Self.file(descriptor) else { return }
                state.withLock { state in
                    state.clean.remove(inode)
                    guard state.dirty[inode] == nil else { return }
                    if state.dirty.count >= 64 { Self.forgetRemoved(&state) }
                    let number = Self.pin(descriptor)
                    if number >= 0 { state.dirty[inode] = number }
                }
            case "fsync":
                guard let descriptor, let inode = Self.file(descriptor) else { return }
                state.withLock { Self.synced(inode, &$0) }
            case "syncfs":
                state.withLock { state in
                    for inode in Set(state.dirty.keys).union(Self.drops(in: state).map(\.inode)) {
                        Self.synced(inode, &state)
                    }
                }
            default: break
            }
        }

        /// A sync fails: takes away what it was to bring to the disk, and says which files that were.
        ///
        /// - Parameter onlyOwn: what others wrote is on the disk.
        func lose(_ call: String, _ descriptor: Int32?, _ code: Int32, onlyOwn: Bool) -> [String] {
            state.withLock { state in
                guard call == "syncfs" else {
                    guard let descriptor, let inode = Self.file(descriptor),
                        !onlyOwn || state.dirty[inode] != nil
                    else { return [] }
                    let lost = Self.zero(inode, descriptor, code, isSeen: true, &state)
                    state.opened[descriptor]?.told = state.losses[inode]?.count ?? 0
                    return lost
                }
                let files =
                    state.dirty.map { (inode: $0.key, number: $0.value) } + (onlyOwn ? [] : Self.drops(in: state))
                var done: Set<Inode> = []
                return files.flatMap { file in
                    done.insert(file.inode).inserted
                        ? Self.zero(file.inode, file.number, code, isSeen: false, &state) : []
                }
            }
        }

        /// The error that a descriptor has yet to be told.
        func owed(_ call: String, _ descriptor: Int32?) -> Int32? {
            guard ["fsync", "sync_file_range"].contains(call), let descriptor, let inode = Self.file(descriptor) else {
                return nil
            }
            return state.withLock { state in
                guard let opened = state.opened[descriptor], opened.inode == inode, let loss = state.losses[inode],
                    loss.count > opened.told
                else { return nil }
                state.opened[descriptor]?.told = loss.count
                state.losses[inode]?.isSeen = true
                return loss.code
            }
        }

        /// Whether a file that is about to be removed, or one in a job's folder that is about to be moved, is open here.
        func isHeld(_ call: String, _ path: String) -> Bool {
            let source = path.components(separatedBy: " to ")[0]
            guard call == "unlinkat" || source.contains("/active/") else { return false }
            return state.withLock { state in
                let own = Set(state.dirty.values).union(state.losses.values.map(\.pin))
                return Self.descriptors().contains { number in
                    guard !own.contains(number), let open = Self.path(of: number) else { return false }
                    let isMeant = call == "unlinkat" ? open == source : open.hasPrefix(source + "/")
                    return isMeant && Self.file(number) != nil
                }
            }
        }

        // MARK: Files

        /// Files that others have put into the inbox and that are open here.
        private static func drops(in state: State) -> [(inode: Inode, number: Int32)] {
            state.opened.compactMap { number, opened in
                guard opened.isDrop, !state.clean.contains(opened.inode), file(number) == opened.inode else {
                    return nil
                }
                return (opened.inode, number)
            }
        }

        private static func synced(_ inode: Inode, _ state: inout State) {
            state.clean.insert(inode)
            if let number = state.dirty.removeValue(forKey: inode) { Glibc.close(number) }
        }

        private static func forgetRemoved(_ state: inout State) {
            for (inode, number) in state.dirty where links(of: number) == 0 {
                state.dirty[inode] = nil
                Glibc.close(number)
            }
        }

        private static func zero(
            _ inode: Inode, _ number: Int32, _ code: Int32, isSeen: Bool, _ state: inout State
        ) -> [String] {
            guard !state.clean.contains(inode) else { return [] }
            let name = path(of: number) ?? "?"
            state.losses[inode, default: Loss()].count += 1
            state.losses[inode]?.isSeen = isSeen
            state.losses[inode]?.code = code
            if state.losses[inode]?.pin == -1 { state.losses[inode]?.pin = pin(number) }
            // The lost pages count as written.
            let file = Glibc.open("/proc/self/fd/\(number)", O_WRONLY | O_CLOEXEC)
            synced(inode, &state)
            guard file >= 0 else { return [] }
            defer { Glibc.close(file) }
            var before = stat()
            fstat(file, &before)
            let zeros = [UInt8](repeating: 0, count: Int(before.st_size))
            _ = pwrite(file, zeros, zeros.count, 0)
            // The kernel forgets bytes without a change of their time.
            futimens(file, [before.st_atim, before.st_mtim])
            return [name]
        }

        /// The kernel's O_PATH, which Swift's Glibc module does not show: it holds nothing open.
        private static func pin(_ number: Int32) -> Int32 {
            Glibc.open("/proc/self/fd/\(number)", 0o10000000 | O_CLOEXEC)
        }

        /// `nil` for what is no file.
        private static func file(_ number: Int32) -> Inode? {
            var status = stat()
            guard fstat(number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
            return Inode(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
        }

        private static func links(of number: Int32) -> Int {
            var status = stat()
            return fstat(number, &status) == 0 ? Int(status.st_nlink) : 0
        }

        private static func path(of number: Int32) -> String? {
            var buffer = [CChar](repeating: 0, count: 4096)
            let count = readlink("/proc/self/fd/\(number)", &buffer, buffer.count)
            return count > 0 ? String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
        }

        private static func descriptors() -> [Int32] {
            guard let stream = opendir("/proc/self/fd") else { return [] }
            defer { closedir(stream) }
            var numbers: [Int32] = []
            while let entry = readdir(stream) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if let number = Int32(name) { numbers.append(number) }
            }
            return numbers
        }
    }
#endif
