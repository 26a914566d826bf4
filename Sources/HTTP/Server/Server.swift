// Accepts connections, up to a limit, each in a task of its own; no thread waits for anything.
//
// A server that cannot listen says why (`SystemError`) when it is started. One that has no descriptors left to accept
// with tries again a little later: those who wait stay in the kernel's backlog.

import Linux
import Synchronization

/// A bounded HTTP/1.1 server; answers until it is stopped or dropped.
package final class Server: Sendable {
    /// The port that it listens on.
    package let port: UInt16
    private let accepting: Task<Void, Never>

    private init(port: UInt16, accepting: Task<Void, Never>) {
        self.port = port
        self.accepting = accepting
    }

    /// Answers a request. What it throws beside the errors of reading the body cuts the connection.
    package typealias Handler = @Sendable (ServerRequest) async throws -> Response

    /// Listens, and hands every request to `handler` as soon as its head is there; it may run many times at once. Port 0
    /// lets the kernel choose. The handler's task is cancelled when the server stops, not when its client leaves.
    ///
    /// - Parameter threads: where all of it runs; `nil` for Swift's own pool.
    package static func start(
        on address: SocketAddress = .loopback(port: 0), limits: Limits = Limits(), threads: TaskQueueExecutor? = nil,
        answering handler: @escaping Handler
    ) throws(SystemError) -> Server {
        let listening = try Descriptor.listening(on: address, backlog: 1024)
        let port = try listening.boundPort()
        let box = DescriptorBox(listening)
        return Server(
            port: port, accepting: Task(executorPreference: threads) { await accept(box, limits, handler) })
    }

    /// The same for a `handler` that wants each request whole, so that it never waits for a client.
    package static func start(
        on address: SocketAddress = .loopback(port: 0), limits: Limits = Limits(),
        handler: @escaping @Sendable (Request) async -> Response
    ) throws(SystemError) -> Server {
        try start(on: address, limits: limits) { incoming in await handler(try await Request(incoming)) }
    }

    /// Stops accepting, cuts every connection and cancels the handlers' tasks. When it returns the port is free and no
    /// handler runs any more, so it takes as long as the handlers need to heed their cancellation.
    package func stop() async {
        accepting.cancel()
        await accepting.value
    }

    deinit {
        accepting.cancel()
    }

    private static func accept(
        _ box: DescriptorBox, _ limits: Limits, _ handler: @escaping Handler
    ) async {
        guard let listening = box.take() else { return }
        // A program that is being started at this moment has the socket open, too, until it is itself.
        defer { listening.stopListening() }
        let count = Count()
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                do {
                    guard let socket = try listening.acceptConnection() else {
                        _ = await Readiness.wait(listening, for: .reading, atMost: .seconds(3600))
                        continue
                    }
                    let open = count.add(1)
                    let isOneTooMany = open > limits.connections
                    // Saying no takes a while as well, so there is a limit to that, too: beyond it, no answer.
                    let isFarTooMany = open > 2 * limits.connections
                    let box = DescriptorBox(socket)
                    group.addTask {
                        defer { _ = count.add(-1) }
                        guard !isFarTooMany, let socket = box.take() else { return }
                        let connection = Connection(
                            socket: BufferedSocket(owning: socket), limits: limits, handler: handler)
                        if isOneTooMany {
                            await connection.refuse(RequestError(status: 503, why: "too many connections"))
                        } else {
                            await connection.serve()
                        }
                    }
                } catch {
                    // Out of descriptors or memory, most likely; the waiting client would make this loop spin.
                    _ = await Readiness.wait(atMost: .milliseconds(100))
                }
            }
        }
    }
}

/// Carries a descriptor into a task, whose closure cannot own what may not be copied.
final class DescriptorBox: Sendable {
    private let descriptor: Mutex<Descriptor?>

    init(_ descriptor: consuming Descriptor) {
        self.descriptor = Mutex(descriptor)
    }

    func take() -> Descriptor? { descriptor.withLock { $0.take() } }
}

/// How many connections there are.
private final class Count: Sendable {
    private let number = Atomic(0)

    func add(_ change: Int) -> Int { number.add(change, ordering: .relaxed).newValue }
}
