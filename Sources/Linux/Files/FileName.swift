// The name of a directory entry: bytes, as the kernel sees it.
//
// A name need not be UTF-8. Read as a String it would lose bytes and could not be opened again, and two names that
// are two files (NFC beside NFD) would be equal.

/// One component of a path: neither empty nor `.` or `..`, without `/` and NUL.
package struct FileName: Hashable, Comparable, Sendable {
    /// The bytes, without a terminating NUL; at most 255 on Linux's filesystems (NAME_MAX).
    package let bytes: [UInt8]

    /// `nil` where the bytes could not name an entry of a directory.
    package init?(bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        guard !bytes.isEmpty, bytes != Array(".".utf8), bytes != Array("..".utf8) else { return nil }
        guard !bytes.contains(0), !bytes.contains(UInt8(ascii: "/")) else { return nil }
        self.bytes = bytes
    }

    /// The order of strcmp(3), which is the order of `LC_ALL=C ls`.
    package static func < (left: FileName, right: FileName) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }

    /// The name as UTF-8, or `nil` where it is not.
    package var text: String? { String(validating: bytes, as: UTF8.self) }

    /// Whether an NFS client names a file so that was removed while somebody on it had it open: `.nfs` and hexadecimal
    /// digits. It cannot be removed (EBUSY), and goes when it is closed.
    package var isSillyRename: Bool {
        let digits = bytes.dropFirst(4)
        return bytes.starts(with: ".nfs".utf8) && digits.count >= 8
            && digits.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    func withCString<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
        var terminated = bytes.map { CChar(bitPattern: $0) }
        terminated.append(0)
        // The pointer lives as long as the array that it points into: for the call.
        return terminated.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { preconditionFailure("a terminated name is not empty") }
            return body(start)
        }
    }
}

extension FileName: ExpressibleByStringLiteral {
    /// A name that is spelled in the code.
    package init(stringLiteral text: StaticString) {
        guard let name = FileName(bytes: Array("\(text)".utf8)) else {
            preconditionFailure("\(text) cannot be a file's name")
        }
        self = name
    }
}

extension FileName: CustomStringConvertible {
    /// The name as a log or a terminal may show it: control characters, DEL, C1 and bytes that are not UTF-8 as
    /// `\xHH`, a backslash doubled. Nobody's file name moves the cursor or fakes a line of the log.
    package var description: String { escapedForPeople(bytes) }
}

/// Bytes from outside as a log or a terminal may show them (see ``FileName/description``).
///
/// - Parameter doublingBackslashes: false for a sentence in which names have been escaped already.
package func escapedForPeople(_ bytes: some Collection<UInt8>, doublingBackslashes: Bool = true) -> String {
    // Nearly all names are such, and each path that is opened is told.
    if bytes.allSatisfy({ 0x20...0x7e ~= $0 && $0 != UInt8(ascii: "\\") }) {
        return String(decoding: bytes, as: UTF8.self)
    }
    func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: false)
        return "\\x" + (digits.count < 2 ? "0" : "") + digits
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
        return bytes.map { (0x20...0x7e).contains($0) ? String(UnicodeScalar($0)) : hex($0) }.joined()
    }
    var shown = ""
    for scalar in text.unicodeScalars {
        switch scalar.value {
        case 0x5c: shown += doublingBackslashes ? "\\\\" : "\\"
        // C0, DEL, C1; line and paragraph separators; marks that turn the direction of the text around.
        case 0...0x1f, 0x7f...0x9f, 0x2028...0x202e, 0x2066...0x2069:
            shown += Array(String(scalar).utf8).map(hex).joined()
        default: shown.unicodeScalars.append(scalar)
        }
    }
    return shown
}
