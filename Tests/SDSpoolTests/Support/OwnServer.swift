// Servers of a test's own that answer as it tells them.

import HTTP
import Linux

extension Limits {
    /// Of a server whose clients may take their time.
    static var patient: Limits {
        var limits = Limits()
        (limits.headTime, limits.bodyTime, limits.idleTime) = (.seconds(3600), .seconds(3600), .seconds(3600))
        return limits
    }
}

extension Server {
    /// One on a thread of its own: whatever keeps the threads of Swift busy holds up nobody here.
    static func own(
        port: UInt16 = 0, answering handler: @escaping @Sendable (Request) async -> Response
    ) throws -> Server {
        try start(on: .loopback(port: port), limits: .patient, threads: TaskQueueExecutor(label: "stand-in")) {
            incoming in
            await handler(try await Request(incoming))
        }
    }
}
