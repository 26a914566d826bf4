// Everything that is not the gateway's own: passed on to the server, whose answer comes back.
//
// With 418, "I'm a teapot" (RFC 2324 section 2.3.2), where the server could do it: not the one to ask, but here is what it
// said. With the server's own status where it could not, and always with --transparent.

import A1111
import A1111API
import Daemon
import Foundation
import HTTP
import JSONText
import Linux
import Synchronization

/// Passes requests on.
package struct ReverseProxy: Sendable {
    package let servers: [ProxiedServer]
    package let isTransparent: Bool
    package let allowsControl: Bool
    package let threads: TaskQueueExecutor

    /// Throws what reading the body throws.
    package nonisolated(nonsending) func answer(_ incoming: ServerRequest) async throws -> Response {
        guard let server = servers.first else { return .error(502, "no server", "there is no server to ask") }
        let method = incoming.method == "HEAD" || incoming.method == "OPTIONS" ? "GET" : incoming.method
        // Not the target, which may be a whole URL (RFC 9112 section 3.2.2).
        let resource = incoming.path + (incoming.query.map { "?\($0)" } ?? "")
        let endpoint: Endpoint
        do throws(EndpointError) {
            endpoint = try Endpoint(named: resource, method: method, bodyKeys: [])
        } catch {
            return .error(400, "bad request", error.message.replacing("\"sdspool\".\"endpoint\"", with: "the path"))
        }
        guard allowsControl || !endpoint.isControl else {
            return .error(
                403, "forbidden", "\(incoming.path) would stop the server itself; --allow-control lets it pass")
        }
        let body = try await incoming.rest()
        let request = ProxyRequest(
            method: incoming.method, target: resource, headers: Self.passed(incoming.headers),
            body: body.isEmpty && ["GET", "HEAD"].contains(incoming.method) ? nil : Data(body))
        // What stops a render stops it wherever one runs.
        if ["/sdapi/v1/interrupt", "/sdapi/v1/skip"].contains(incoming.path) {
            for other in servers.dropFirst() {
                let exchange = Task(executorPreference: threads) {
                    guard await other.obstacle() == nil else { return }
                    try? await other.client.relay(request, onHead: { _, _ in }, onBody: { _ in })
                }
                // Later it would stop somebody else's; and one that hangs would keep it for good.
                Task(executorPreference: threads) {
                    try? await TaskQueueExecutor.rest(for: .seconds(10))
                    exchange.cancel()
                }
            }
        }
        if let obstacle = await server.obstacle() { return .notNow(obstacle) }
        let response = await pass(request, to: server, until: try incoming.disconnect())
        // Whatever it answered: what is asked once more costs a question, what is not known costs false warnings.
        if endpoint.changesSettings { server.settingsChanged() }
        return response
    }

    private func pass(_ request: ProxyRequest, to server: ProxiedServer, until disconnect: DisconnectWatcher) async
        -> Response
    {
        let client = server.client
        let exchange = ProxyExchange()
        let pipe = exchange.pipe
        let (heads, head) = AsyncStream.makeStream(of: (status: Int, headers: Headers).self)
        let task = Task(executorPreference: threads) {
            defer { head.finish() }
            do {
                try await client.relay(
                    request, onHead: { head.yield(($0, $1)) }, onBody: { piece in try await pipe.bring(piece) })
                pipe.end()
            } catch {
                pipe.end(error)
            }
        }
        // As long as the server is silent nothing is sent to the client, and nothing else tells that it has left.
        let watch = Task(executorPreference: threads) {
            await disconnect.wait()
            task.cancel()
            pipe.end(CancellationError())
        }
        exchange.begin([task, watch])
        let found = await withTaskCancellationHandler {
            await heads.first { _ in true }
        } onCancel: {
            task.cancel()
        }
        guard let found else {
            do { while try await pipe.take() != nil {} } catch let failure as Failure {
                await server.hasFailed()
                let kind = failure.class == .unclear ? .serverDown : failure.class
                return .error(502, kind.rawValue, failure.message)
            } catch {}
            return .error(502, "no answer", "\(client.server) gave no answer")
        }
        if (200..<300).contains(found.status) { await server.hasAnswered() }
        let status = !isTransparent && (200..<300).contains(found.status) ? 418 : found.status
        return Response(
            status: status, headers: Self.passed(found.headers, of: client.server),
            body: .stream(Self.framing(found.status, found.headers, request.method)) { writer in
                while let piece = try await exchange.pipe.take() { try await writer.write(piece) }
            })
    }

    /// An answer on its way. It ends with the response that holds it, which nobody may ever ask for its body: a client that
    /// has left would else keep a connection to the server for good.
    private final class ProxyExchange: Sendable {
        let pipe = BodyPipe()
        private let tasks = Mutex<[Task<Void, Never>]>([])

        func begin(_ tasks: [Task<Void, Never>]) { self.tasks.withLock { $0 = tasks } }

        deinit {
            pipe.end()
            for task in tasks.withLock({ $0 }) { task.cancel() }
        }
    }

    /// As long as the server has said; with no length, in chunks.
    private static func framing(_ status: Int, _ headers: Headers, _ method: String) -> Response.Framing {
        if [204, 304].contains(status) { return .length(0) }
        // What the answer to HEAD says of a body is what GET would have.
        return headers["content-length"].flatMap { Int($0) }.map(Response.Framing.length) ?? .chunked
    }

    /// What of the head belongs to the message and not to one connection (RFC 9110 section 7.6.1), nor to who speaks to whom.
    package static func passed(_ headers: Headers) -> [(name: String, value: String)] {
        let named = headers.all("connection").flatMap { $0.lowercased().split(separator: ",") }.map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        return headers.lines.filter { !own.contains($0.name.lowercased()) && !named.contains($0.name.lowercased()) }
    }

    private static func passed(_ headers: Headers, of server: ServerAddress) -> Headers {
        var kept: Headers = [:]
        // Which pages may read an answer is the gateway's to say: it has opened the server with a password of its own.
        for (name, value) in passed(headers) where !name.lowercased().hasPrefix("access-control-") {
            kept.append(name, name.lowercased() == "location" ? redirect(value, from: server) : value)
        }
        return kept
    }

    private static let own: Set<String> = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade", "host", "content-length", "authorization", "expect", "date", "server", "origin",
    ]
}
