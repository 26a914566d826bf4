// A temporary folder of a test's own.

import Foundation
import Glibc
import Testing

@testable import Linux

/// Makes a folder and removes it when the test ends, however it ends. Held by a suite, which outlives its test.
final class Scratch {
    let path = FileManager.default.temporaryDirectory.path + "/sdspool-linux-\(UUID())"
    let directory: Directory

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        directory = try Directory(path: path)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func write(_ text: String, to name: FileName) throws {
        let file = try directory.createFile(name)
        try file.write(Data(text.utf8))
        try file.close()
        // What other tests start has it open, too, until it is a program of its own.
        while try directory.file(name).hasWriter == true { usleep(500) }
    }
}
