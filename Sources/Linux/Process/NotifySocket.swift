// The service manager that has started this process, and the one socket on which it listens: sd_notify(3).
//
// A message is a datagram of lines `NAME=VALUE`. Where nobody listens a call fails, with the socket's name as path, and
// nothing else happens.

import Glibc

/// Where the service manager wants to hear of this process.
package struct NotifySocket: Sendable {
    /// As in `$NOTIFY_SOCKET`: a path, or `@` and a name in the abstract namespace (unix(7)).
    private let name: [UInt8]
    /// After so long without a sign of life the service manager takes the process for hung (sd_watchdog_enabled(3)); `nil`
    /// where it does not look.
    package let watchdog: Duration?

    /// Takes what a service manager puts into the environment; `nil` where there is none.
    ///
    /// - Parameters:
    ///   - name: `$NOTIFY_SOCKET`.
    ///   - watchdog: `$WATCHDOG_USEC`, microseconds in decimals. What is none counts for nothing.
    ///   - owner: `$WATCHDOG_PID`: another process than `process` is meant, one that has started it perhaps.
    init?(name: [UInt8]?, watchdog: [UInt8]?, owner: [UInt8]?, process: Int32 = getpid()) {
        guard let name, !name.isEmpty else { return nil }
        self.name = name
        let microseconds = watchdog.flatMap { Int64(String(decoding: $0, as: UTF8.self)) } ?? 0
        let isMeant = owner.map { Int32(String(decoding: $0, as: UTF8.self)) == process } ?? true
        self.watchdog = microseconds > 0 && isMeant ? .microseconds(microseconds) : nil
    }

    /// Takes it out of the environment: what this process starts must not speak in its name.
    ///
    /// Changes the environment, which no other thread may read meanwhile.
    package static func taken() -> NotifySocket? {
        let values = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"].map { variable -> [UInt8]? in
            // The text is the environment's, and is copied before it can go.
            let value = getenv(variable).map { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
            unsetenv(variable)
            return value
        }
        return NotifySocket(name: values[0], watchdog: values[1], owner: values[2])
    }

    /// Says `lines`, each `NAME=VALUE` without a line break in it, in one message. Blocks for as long as the service manager
    /// does not read what it was sent before, at most 5 s.
    ///
    /// Throws ``SystemError``: `sendto` with ENOENT or ECONNREFUSED where nobody listens, EAGAIN where nobody reads.
    package func send(_ lines: [String]) throws(SystemError) {
        let shown = escapedForPeople(name)
        let address = try address(shown)
        let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let socket = Descriptor(owning: try system("socket", shown) { Glibc.socket(AF_UNIX, kind, 0) })
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        try system("setsockopt", shown) {
            setsockopt(socket.number, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
        let message = Array(lines.joined(separator: "\n").utf8)
        try system("sendto", shown) {
            // The bytes are a `sockaddr`; they live for the call, as those of the message do.
            address.withUnsafeBytes { raw in
                sendto(
                    socket.number, message, message.count, Int32(MSG_NOSIGNAL),
                    raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count))
            }
        }
    }

    /// The bytes of a `sockaddr_un`: the family, then the name, which need not end in a NUL (unix(7)).
    private func address(_ shown: String) throws(SystemError) -> [UInt8] {
        let isAbstract = name.first == UInt8(ascii: "@")
        guard isAbstract || name.first == UInt8(ascii: "/") else {
            throw SystemError(call: "sendto", code: EAFNOSUPPORT, path: shown)
        }
        guard name.count <= MemoryLayout.size(ofValue: sockaddr_un().sun_path) else {
            throw SystemError(call: "sendto", code: ENAMETOOLONG, path: shown)
        }
        let family = withUnsafeBytes(of: sa_family_t(AF_UNIX)) { Array($0) }
        return family + (isAbstract ? [0] + name.dropFirst() : name)
    }
}
