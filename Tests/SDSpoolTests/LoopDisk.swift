// A filesystem of a test's own, whose power can be cut. For root.

import Foundation

/// A mounted filesystem that is gone when the test is.
final class LoopDisk: Sendable {
    let mount: URL
    private let folder: URL
    private let arguments: [String]

    /// Makes it; `nil` where it cannot be mounted here, as in most containers.
    init?(_ filesystem: String, options: String? = nil) throws {
        folder = URL(fileURLWithPath: NSTemporaryDirectory()).appendingPathComponent(
            "sdspool-disk-\(UUID().uuidString)")
        mount = folder.appendingPathComponent("mount")
        try FileManager.default.createDirectory(at: mount, withIntermediateDirectories: true)
        let image = folder.appendingPathComponent("image").path
        if let options {
            arguments = ["mount", "-t", filesystem, "-o", options, "none", mount.path]
        } else {
            arguments = ["mount", "-o", "loop", image, mount.path]
            // As small as mkfs.xfs makes one; a file with holes.
            _ = try Self.run(["truncate", "-s", "320M", image])
            _ = try Self.run(["mkfs.\(filesystem)", "-q", filesystem == "ext4" ? "-F" : "-f", image])
        }
        if try Self.run(arguments) != 0 {
            try? FileManager.default.removeItem(at: folder)
            return nil
        }
    }

    deinit {
        _ = try? Self.run(["umount", mount.path])
        try? FileManager.default.removeItem(at: folder)
    }

    /// As after a loss of power: what is mounted then has only what reached the disk.
    func remount() throws {
        guard try Self.run(["umount", mount.path]) == 0, try Self.run(arguments) == 0 else {
            throw BadState(description: "\(mount.path) cannot be mounted again")
        }
    }

    private static func run(_ words: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}
