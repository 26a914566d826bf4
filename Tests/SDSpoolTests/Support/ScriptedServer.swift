// A server that answers as a test says, status and all: what stands before an API, and what is wrong with one.

import HTTP
import Synchronization

/// Speaks as much of the API as a small job needs, except where its script says otherwise.
final class ScriptedServer: Sendable {
    /// What a request is answered; `nil` for what the API would say.
    typealias Script = @Sendable (_ path: String, _ body: String) async -> Response?

    private let server: Server
    private let record: Record

    private final class Record: Sendable {
        let requests = Mutex<[(path: String, body: String)]>([])
    }

    init(_ script: @escaping Script) throws {
        let record = Record()
        self.record = record
        server = try Server.own { request in
            let body = String(decoding: request.body, as: UTF8.self)
            record.requests.withLock { $0.append((request.path, body)) }
            return await script(request.path, body) ?? Self.usual(request.path)
        }
    }

    private static func usual(_ path: String) -> Response {
        switch path {
        case "/sdapi/v1/txt2img": .text(200, BareServer.picture, type: "application/json")
        case "/sdapi/v1/options": .text(200, "{}", type: "application/json")
        case "/sdapi/v1/progress": .text(200, BareServer.idle, type: "application/json")
        default: .text(404, #"{"detail":"Not Found"}"#, type: "application/json")
        }
    }

    var url: String { "http://127.0.0.1:\(server.port)" }

    func stop() async { await server.stop() }

    /// The prompts that were sent to be rendered, in order.
    var renders: [String] {
        record.requests.withLock { $0 }.filter { $0.path == "/sdapi/v1/txt2img" }.map { request in
            let words = request.body.split(separator: "\"", omittingEmptySubsequences: false)
            return words.firstIndex(of: "prompt").map { String(words[$0 + 2]) } ?? ""
        }
    }

    /// A job that it can render.
    static func job(_ prompt: String) -> String { #"{"prompt": "\#(prompt)", "width": 1, "height": 1}"# }
}

extension Response {
    /// A short answer.
    static func text(_ status: Int, _ text: String, type: String = "text/html", _ more: (String, String)...) -> Response
    {
        var response = Response(status: status, headers: ["Content-Type": type], body: .bytes(Array(text.utf8)))
        for (name, value) in more { response.headers.append(name, value) }
        return response
    }
}
