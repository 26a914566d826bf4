// What a person names on the command line to be read: files, and stdin.

import Foundation
import Glibc
import Linux

/// What is in a file, or comes out of a pipe such as `<(jq …)`; `-` is stdin.
func input(_ file: String) throws(SystemError) -> Data {
    let path = escapedForPeople(Array(file.utf8))
    // By FileHandle a file that cannot be opened is nil, without a reason.
    let number = file == "-" ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { throw SystemError(call: "open", code: errno, path: path) }
    do {
        return try FileHandle(fileDescriptor: number, closeOnDealloc: file != "-").readToEnd() ?? Data()
    } catch {
        // Foundation says it in words of its own, and keeps the errno below them.
        let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
        throw SystemError(call: "read", code: (cause?.code).flatMap(Int32.init(exactly:)) ?? EIO, path: path)
    }
}

/// The same for a command that cannot go on without it.
func input(_ file: String, for command: String) throws(Exit) -> Data {
    do throws(SystemError) {
        return try input(file)
    } catch {
        throw Exit(.noInput, "sdspool \(command): \(error.path) cannot be read: \(error.reason)")
    }
}
