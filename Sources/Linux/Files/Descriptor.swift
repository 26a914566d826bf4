// A file descriptor that somebody owns.

import Glibc

/// Owns an open file descriptor and closes it when its owner goes.
///
/// Whoever wants to know whether the data reached the file calls `close()`: the last error of a write may only be
/// told there (close(2), "Dealing with error returns from close()").
package struct Descriptor: ~Copyable, Sendable {
    /// The number, for calls that borrow it while its owner lives.
    package let number: Int32

    /// Takes over `number`, which nobody else may close from now on.
    package init(owning number: Int32) {
        self.number = number
    }

    /// Takes the numbers of stdin, stdout and stderr where the process was started without one of them (`sdspool run 2>&-`).
    /// Otherwise the next file that is opened has that number, and what is said to people is written into it. Reading and
    /// writing there fail as they would without (EBADF).
    package static func occupyStandardNumbers() {
        for number in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(number, F_GETFD) < 0 {
            // The lowest that is free. Where there is no /dev/null nothing is worse than before.
            _ = open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }

    /// Closes and tells what close(2) says. It is never made again: on Linux the number is free even after EINTR,
    /// and a second close could hit somebody else's file.
    package consuming func close(path: @autoclosure () -> String) throws(SystemError) {
        let number = self.number
        discard self
        try system("close", path()) { Glibc.close(number) == 0 || errno == EINTR ? 0 : -1 }
    }

    /// One more descriptor of the same file, to be closed on its own.
    package func duplicate() throws(SystemError) -> Descriptor {
        Descriptor(owning: try system("fcntl", "descriptor") { fcntl(number, F_DUPFD_CLOEXEC, 0) })
    }

    deinit {
        _ = Glibc.close(number)
    }
}
