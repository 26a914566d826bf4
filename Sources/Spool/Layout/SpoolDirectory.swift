// A folder of the spool and its name. People move folders away, delete them and make them anew while a daemon runs.

import Glibc
import Linux
import Synchronization

/// A folder that is held open, and opened anew where another one has taken its name.
final class SpoolDirectory: Sendable {
    let name: FileName
    private let root: Directory
    private let held: Mutex<Directory>

    /// What lies at the name now.
    enum Finding: Sendable {
        /// The folder that is held open.
        case same
        /// Another one, which is held open from now on.
        case another
        case nothing
    }

    /// Opens the folder and makes it where it is missing. Throws ``SystemError``, with EXDEV where it lies on another
    /// filesystem than the spool, or on another mount of it: nothing could move there.
    convenience init(making name: FileName, in root: Directory) throws(SystemError) {
        do throws(SystemError) {
            try root.makeDirectory(name)
        } catch  where error.isExisting {
            // The usual case.
        }
        try self.init(name, in: root, forMoves: true)
    }

    /// Opens a folder that is there.
    ///
    /// - Parameter forMoves: false for somebody who only looks and drops: he may well see each folder through a mount of its
    ///   own, as a container that gets the inbox and the results.
    init(_ name: FileName, in root: Directory, forMoves: Bool = false) throws(SystemError) {
        self.name = name
        self.root = root
        held = Mutex(try Self.open(name, in: root, forMoves: forMoves))
    }

    /// The folder as it was last found.
    var directory: Directory { held.withLock { $0 } }

    /// Looks whether the name still leads to the folder.
    func find() throws(SystemError) -> Finding {
        guard let found = try root.status(of: name), found.kind == .directory else { return .nothing }
        let own = try directory.status()
        guard (found.device, found.inode) != (own.device, own.inode) else { return .same }
        let other = try Self.open(name, in: root, forMoves: true)
        held.withLock { $0 = other }
        return .another
    }

    /// Makes the folder anew where nothing has its name.
    func make() throws(SystemError) {
        do throws(SystemError) {
            try root.makeDirectory(name)
            try root.sync()
        } catch  where error.isExisting {
            // Somebody was faster.
        }
    }

    private static func open(_ name: FileName, in root: Directory, forMoves: Bool) throws(SystemError) -> Directory {
        let folder = try root.directory(name)
        let isNear = try folder.status().device == root.status().device
        guard isNear, !forMoves || folder.sharesMount(with: root) else {
            throw SystemError(call: "rename", code: EXDEV, path: folder.path)
        }
        return folder
    }
}

/// What has become of the folders of a spool.
package struct DirectoryRefresh: Sendable {
    /// Paths of those that are others now.
    package var changed: [String] = []
    /// Why one of them is not known to be the one that is held open.
    package var trouble: SystemError?
    var inbox = SpoolDirectory.Finding.same
}
