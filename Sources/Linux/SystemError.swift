// How a failed system call is told.
//
// Every call of this module goes through `system`, so there is one place where -1 becomes an error, where an
// interrupted call is made again, and where a test can make the N-th call fail.

import Glibc

/// A system call that failed: which call, why, and on which file.
///
/// Reads as `rename /srv/spool/inbox/cat.json: No space left on device (ENOSPC)`.
package struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The name of the call, as its manual page spells it.
    package let call: String
    /// The value of errno(3).
    package let code: Int32
    /// The file, directory or address that the call was about, escaped for people.
    package let path: String

    /// A failure that is told in the same words as a failed call, whoever made it.
    package init(call: String, code: Int32, path: String) {
        self.call = call
        self.code = code
        self.path = path
    }

    /// Call, file and reason in one line, for a log.
    package var description: String { "\(call) \(path): \(reason)" }

    /// What errno means, in the C library's words and by its symbol: `Permission denied (EACCES)`.
    package var reason: String {
        let words = strerror(code).map { String(cString: $0) } ?? "unknown error"
        // strerrorname_np would tell the symbol, but is younger than some C libraries in use.
        return "\(words) (\(Self.symbols[code] ?? "errno \(code)"))"
    }

    /// A call that somebody gave up waiting for.
    package static func timedOut(_ call: String, _ path: String) -> SystemError {
        SystemError(call: call, code: ETIMEDOUT, path: path)
    }

    /// Nobody there: on a shared folder that means somebody else moved or deleted it, which is their right.
    package var isMissing: Bool { code == ENOENT }
    /// Something has the name.
    package var isExisting: Bool { code == EEXIST }
    /// The name is taken, by a file or by a directory with something in it.
    package var isTaken: Bool { code == EEXIST || code == ENOTEMPTY || code == ENOTDIR }
    /// Somebody uses it in a way that keeps it where it is.
    package var isBusy: Bool { code == EBUSY }
    /// Its owner has not given us the right, or not yet (chmod after the write).
    package var isForbidden: Bool { code == EACCES || code == EPERM }
    /// It would have to go from one filesystem, or from one mount, to another.
    package var crossesFilesystems: Bool { code == EXDEV }
    /// The filesystem knows no such call, or no such flag of it.
    package var isUnsupported: Bool { [EINVAL, EPERM, ENOTSUP, ENOSYS].contains(code) }

    /// The disk, a quota or the limit of a file's size (setrlimit(2), RLIMIT_FSIZE) has no room for it.
    package var isNoRoom: Bool { [ENOSPC, EDQUOT, EFBIG].contains(code) }

    /// Room, descriptors or the disk itself were not to be had, and may be again.
    package var mayPass: Bool { [ENOSPC, EDQUOT, EIO, EROFS, EMFILE, ENFILE, ENOMEM].contains(code) }

    private static let symbols: [Int32: String] = [
        EACCES: "EACCES", EAFNOSUPPORT: "EAFNOSUPPORT", EADDRINUSE: "EADDRINUSE", EAGAIN: "EAGAIN", EBADF: "EBADF",
        EBUSY: "EBUSY",
        ECONNREFUSED: "ECONNREFUSED", ECONNRESET: "ECONNRESET", EDQUOT: "EDQUOT", EEXIST: "EEXIST",
        EFBIG: "EFBIG",
        EHOSTUNREACH: "EHOSTUNREACH", EINVAL: "EINVAL", EIO: "EIO", EISDIR: "EISDIR", ELOOP: "ELOOP",
        EMFILE: "EMFILE", ENAMETOOLONG: "ENAMETOOLONG", ENETUNREACH: "ENETUNREACH", ENFILE: "ENFILE",
        ENOENT: "ENOENT", ENOMEM: "ENOMEM", ENOSPC: "ENOSPC", ENOTDIR: "ENOTDIR", ENOTEMPTY: "ENOTEMPTY",
        EPERM: "EPERM", EPIPE: "EPIPE", EROFS: "EROFS", ESTALE: "ESTALE", ETIMEDOUT: "ETIMEDOUT",
        EXDEV: "EXDEV",
    ]
}

/// Makes a system call that tells failure by a negative result; makes it again when a signal interrupted it.
///
/// - Parameter descriptor: the open file that the call is about, for ``FaultSeam``.
@discardableResult
func system<Result: SignedInteger>(
    _ call: StaticString, _ path: @autoclosure () -> String, on descriptor: Int32? = nil, _ body: () -> Result
) throws(SystemError) -> Result {
    #if DEBUG
        if let code = FaultSeam.armed?.code(for: call, path(), descriptor, body: { Int64(body()) }) {
            throw SystemError(call: "\(call)", code: code, path: path())
        }
    #endif
    while true {
        let result = body()
        if result >= 0 {
            #if DEBUG
                FaultSeam.armed?.succeeded(call, path(), descriptor, Int64(result))
            #endif
            return result
        }
        let code = errno
        if code == EINTR { continue }
        throw SystemError(call: "\(call)", code: code, path: path())
    }
}
