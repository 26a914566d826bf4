// The stand-in for an AUTOMATIC1111 server: the same endpoints, shapes and errors, and one render at a time.
//
// It draws test cards, not diffusion, and says so on its pictures, in its name and as its model. It listens on the
// loopback address only, and is as bounded as the HTTP server that carries it. Not being able to listen is a
// `SystemError`; everything later is an answer to somebody's request.

import HTTP
import Linux

/// A running stand-in.
package final class StandIn: Sendable, CustomStringConvertible {
    /// How it behaves.
    package struct Options: Sendable {
        /// What a sampling step takes.
        package var stepTime: Duration
        /// What encoding a picture takes beside the time that it really takes; the next render may have begun by then.
        package var encodeTime: Duration
        /// `png`; with `jpg` and `webp` every picture is the same single pixel.
        package var samplesFormat: String
        /// `user:password`, or `nil` for a server that lets everybody in.
        package var credentials: String?
        /// False is A1111 with `--nowebui`: no `/internal/…`, so no render can be found by its task.
        package var hasWebUI = true

        /// Quick, and open to everybody, unless it is said otherwise.
        package init(
            stepTime: Duration = .milliseconds(10), encodeTime: Duration = .zero, samplesFormat: String = "png",
            credentials: String? = nil
        ) {
            self.stepTime = stepTime
            self.encodeTime = encodeTime
            self.samplesFormat = samplesFormat
            self.credentials = credentials
        }
    }

    private let server: Server
    private let lock: RenderLock

    private init(server: Server, lock: RenderLock) {
        self.server = server
        self.lock = lock
    }

    /// Listens on 127.0.0.1; port 0 lets the kernel choose. Throws a `SystemError` where it cannot.
    package static func start(port: UInt16 = 0, options: Options = Options()) throws -> StandIn {
        let lock = RenderLock(options: options)
        var limits = Limits()
        limits.body = 128 << 20
        // Its clients are programs of this machine, which may be busy with other things.
        (limits.headTime, limits.bodyTime, limits.idleTime) = (.seconds(3600), .seconds(3600), .seconds(3600))
        // What keeps the threads of Swift busy holds up nobody here.
        let threads = TaskQueueExecutor(label: "sketch")
        let server = try Server.start(on: .loopback(port: port), limits: limits, threads: threads) { incoming in
            await Routes.answer(try await Request(incoming), in: lock)
        }
        return StandIn(server: server, lock: lock)
    }

    /// Cuts every connection, running renders and all. The port is free afterwards.
    package func stop() async { await server.stop() }

    /// The port that it listens on.
    package var port: UInt16 { server.port }

    /// The server's address, as a client is told it.
    package var url: String { "http://127.0.0.1:\(port)" }

    /// One line for people.
    package var description: String { "sketch at \(url): draws test cards, not diffusion" }

    /// The requests to render, in their order of arrival, which is the order of their start; those that had JSON in them
    /// and the right credentials. The newest ten thousand, and fewer where their bodies are large.
    package var requests: [RequestRecord] { lock.change { $0.record } }

    /// How often it was asked how far a render is.
    package var looks: Int { lock.change { $0.looks } }

    /// Lets go on what stands still by a fault, and whatever would from now on.
    ///
    /// - Parameter id: of the fault, or the prompt where it has none; `nil` is all of them.
    package func release(_ id: String? = nil) { lock.change { _ = $0.released.insert(id) } }

    /// How much of the running render is done, from 0 to 1; 0 where none runs.
    package var progress: Double { lock.change { $0.progress.fraction } }

    /// Suspends until `condition` holds for `requests`, which is looked at again and again, or the task is cancelled.
    package func wait(until condition: @Sendable ([RequestRecord]) -> Bool) async {
        while !condition(requests), !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
    }

    /// Suspends until so many requests to render have arrived.
    package func arrived(_ count: Int) async { await wait { ($0.last?.number ?? -1) + 1 >= count } }
}
