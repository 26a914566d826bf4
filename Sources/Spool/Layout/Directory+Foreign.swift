// What anybody may have put into the spool, and may have kept to himself: a file with a umask of 077 can be moved by the
// daemon and not be read. It is shown as what cannot be read, and stops nobody.

import Linux
import Foundation

extension Directory {
    /// A folder; `nil` where there is none, or where only others may look into it.
    func directoryIfOpen(_ name: FileName) throws(SystemError) -> Directory? {
        do throws(SystemError) { return try directoryIfThere(name) } catch  where error.isForbidden { return nil }
    }

    /// The content of a file, but never more than `cap` bytes; `nil` where there is none (a link, a FIFO, a folder), or where
    /// only others may read it.
    func readable(_ name: FileName, upTo cap: Int = 64 << 20) throws(SystemError) -> Data? {
        do throws(SystemError) {
            guard try status(of: name)?.kind == .file else { return nil }
            return try file(name).read(upTo: cap)
        } catch  where error.isMissing || error.isForbidden {
            return nil
        }
    }
}
