// A filesystem of a test's own, whose power can be cut. For root.

import Foundation
import Linux

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
            _ = try Self.runs(["truncate", "-s", "320M", image])
            _ = try Self.runs(["mkfs.\(filesystem)", "-q", filesystem == "ext4" ? "-F" : "-f", image])
        }
        if try !Self.runs(arguments) {
            try? FileManager.default.removeItem(at: folder)
            return nil
        }
    }

    /// The same, without holding one of Swift's threads meanwhile.
    static func made(_ filesystem: String, options: String? = nil) async throws -> LoopDisk? {
        try await TaskQueueExecutor.blocking { try LoopDisk(filesystem, options: options) }
    }

    deinit {
        // Also where a test has failed, and its daemon is not gone yet.
        _ = try? Self.runs(["umount", "-l", mount.path])
        try? FileManager.default.removeItem(at: folder)
    }

    /// As after a loss of power: what is mounted then has only what reached the disk.
    func remount() async throws {
        // A process that another test starts in the moment in which a file here is open has it open, too, for a while.
        let end = ContinuousClock.now + deadline
        while try await !TaskQueueExecutor.blocking({ [mount] in try Self.runs(["umount", mount.path]) }) {
            guard ContinuousClock.now < end else { throw BadState(description: "\(mount.path) stays busy") }
            try await Task.sleep(for: .milliseconds(20))
        }
        // A mount namespace of somebody else's may have a copy of the mount, and would bring the filesystem back as it is.
        while isAttached {
            guard ContinuousClock.now < end else { throw BadState(description: "\(mount.path) stays in use") }
            try await Task.sleep(for: .milliseconds(20))
        }
        guard try await TaskQueueExecutor.blocking({ [arguments] in try Self.runs(arguments) }) else {
            throw BadState(description: "\(mount.path) cannot be mounted again")
        }
    }

    /// Whether a loop device has its image (loop(4)), as long as it is mounted anywhere.
    private var isAttached: Bool {
        let devices = (try? FileManager.default.contentsOfDirectory(atPath: "/sys/block")) ?? []
        return devices.contains { device in
            (try? String(contentsOfFile: "/sys/block/\(device)/loop/backing_file", encoding: .utf8))?
                .hasPrefix("\(folder.path)/image\n") == true
        }
    }

    /// Lets it stand still, and go on again (fsfreeze(8)). False where it does not.
    func freeze(_ isFrozen: Bool) async throws -> Bool {
        try await TaskQueueExecutor.blocking { [mount] in
            try Self.runs(["/sbin/fsfreeze", isFrozen ? "-f" : "-u", mount.path])
        }
    }

    /// Whether a program does what it is to do. Not by Process, which waits in vain while another child of it closes the
    /// socket by which it tells of its end (as sshd does), and with it would those who run on the thread of this test.
    private static func runs(_ words: [String]) throws -> Bool {
        let child = try Child(
            path: "/usr/bin/env", arguments: ["env"] + words, environment: ProcessInfo.processInfo.environment)
        return child.wait(atMost: deadline) == .exited(0)
    }
}
