// What systemd is to a service, as far as it listens.

import Foundation
import Glibc
import Synchronization
import Testing

/// A datagram socket like that behind `$NOTIFY_SOCKET`, and all that was said there.
final class ServiceManager: Sendable {
    private struct Heard {
        var messages: [String] = []
        var waiting: [(sign: @Sendable ([String]) -> Bool, heard: CheckedContinuation<Bool, Never>)] = []
    }

    /// For `$NOTIFY_SOCKET`.
    let name: String
    private let socket: Int32
    private let heard = Mutex(Heard())
    private let listener = DispatchQueue(label: "service manager")

    /// - Parameter name: a path, or `@` and a name that is in no folder.
    init(_ name: String) throws {
        self.name = name
        socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(name.utf8)
        if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let isBound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, length) }
        }
        try #require(isBound == 0, "bind: errno \(errno)")
        listener.async { [weak self, socket] in
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = recv(socket, &buffer, buffer.count, 0)
                // Nothing is the end: see `deinit`.
                guard count > 0, let self else { break }
                hear(String(decoding: buffer[..<count], as: UTF8.self))
            }
            close(socket)
        }
    }

    deinit { shutdown(socket, Int32(SHUT_RDWR)) }

    private func hear(_ message: String) {
        heard.withLock { heard in
            heard.messages.append(message)
            heard.waiting.removeAll { waiter in
                guard waiter.sign(heard.messages) else { return false }
                waiter.heard.resume(returning: true)
                return true
            }
        }
    }

    /// All that was said so far.
    var messages: [String] { heard.withLock { $0.messages } }

    /// Returns when `count` messages came that begin so.
    func hears(_ beginning: String, times count: Int = 1) async throws {
        let sign: @Sendable ([String]) -> Bool = { $0.count { $0.hasPrefix(beginning) } >= count }
        let impatience = Task {
            try await Task.sleep(for: deadline)
            heard.withLock { heard in
                heard.waiting.forEach { $0.heard.resume(returning: false) }
                heard.waiting = []
            }
        }
        defer { impatience.cancel() }
        let isHeard = await withCheckedContinuation { continuation in
            heard.withLock { heard in
                if sign(heard.messages) {
                    continuation.resume(returning: true)
                } else {
                    heard.waiting.append((sign, continuation))
                }
            }
        }
        guard isHeard else { throw Missed(description: "never heard: \(beginning); heard: \(messages)") }
    }
}
