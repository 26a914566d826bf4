// The spool over HTTP: a gateway in front of the folder. It writes jobs into the inbox, reads results out of done/ and failed/,
// and knows nothing that a file could not tell. The folder stays the only queue: whatever becomes of the gateway, or of who
// waits at it, a job that was taken goes on.

import Daemon
import Foundation
import HTTP
import Linux
import Spool

/// Serves a spool over HTTP until it is closed.
package final class HTTPGateway: Sendable {
    /// What it is told at its start.
    package struct Options: Sendable {
        /// Where it listens.
        package var address: SocketAddress
        /// `USER:PASSWORD` of those who may come in; all may, where there are none.
        package var credentials: [String] = []
        /// Pages of these origins may ask, such as `http://127.0.0.1:3000`.
        package var origins: Set<String> = []
        /// What is passed on keeps the status of the server's answer.
        package var isTransparent = false
        /// Whether clients may stop or restart the server itself.
        package var allowsControl = false
        /// Of a job, in bytes.
        package var cap: Int

        /// The usual one there.
        package init(address: SocketAddress, cap: Int) {
            self.address = address
            self.cap = cap
        }
    }

    static let ticketHeader = "Sdspool-Ticket"

    /// All clients are served by one thread, which a disk must not hold up. Those who fetch pictures do not wait behind those
    /// who send jobs. Many fsync(2) at a time cost a disk hardly more than one.
    package static let writes = BlockingCalls(label: "door's write", width: 16)
    /// See `writes`.
    package static let reads = BlockingCalls(label: "door's read", width: 4)

    /// What changes the line or stops it: one call at a time, in the order in which they come. Two that move jobs at once
    /// could give both the same place.
    package static let queueChanges = BlockingCalls(label: "door's order", width: 1)

    private let server: Server
    private let tracker: JobTracker
    private let threads: TaskQueueExecutor
    /// The address that it got, for people.
    package let url: String

    /// Opens it. Throws ``SystemError`` where nobody can listen there.
    package init(_ options: Options, _ daemon: Daemon, mounting routes: [MountedRoutes] = []) throws(SystemError) {
        let spool = daemon.spool
        let threads = TaskQueueExecutor(label: "door")
        let tracker = JobTracker()
        self.tracker = tracker
        let view = JobView(spool: spool, tracker: tracker)
        self.threads = threads
        let router = Router(
            gatekeeper: Gatekeeper(
                credentials: options.credentials, names: Self.names,
                origins: Set(options.origins.map { $0.lowercased() })),
            context: HandlerContext(
                options: options, spool: spool, tracker: tracker, view: view,
                submissions: JobSubmission(spool, tracker),
                proxy: ReverseProxy(
                    servers: daemon.proxiedServers, isTransparent: options.isTransparent,
                    allowsControl: options.allowsControl,
                    threads: threads)),
            mounted: routes)
        var limits = Limits()
        limits.connections = 4096
        limits.body = options.cap
        limits.headTime = TimeLimit.with(limits.headTime)
        limits.bodyTime = TimeLimit.with(limits.bodyTime)
        limits.idleTime = TimeLimit.with(limits.idleTime)
        server = try Server.start(on: options.address, limits: limits, threads: threads) { incoming in
            try await router.answer(incoming)
        }
        url = "http://\(options.address.host):\(server.port)"
        tracker.begin(with: try Listing(spool).waiting() + Listing(spool).activeTickets())
    }

    /// Something has happened to a job.
    func record(_ event: JobEvent) { tracker.record(event) }

    /// Cuts every connection. What was dropped stays where it is. False where a request has not ended within `limit`: a disk
    /// may hold it up for as long as it likes.
    package func close(within limit: Duration) async -> Bool {
        await TaskQueueExecutor.wait(
            for: Task(executorPreference: threads) { [server] in await server.stop() }, atMost: limit)
    }

    /// What this machine is called by others.
    private static var names: Set<String> {
        let name = ProcessInfo.processInfo.hostName.lowercased()
        let short = name.prefix { $0 != "." }
        return [name, String(short), "\(short).local"]
    }
}
