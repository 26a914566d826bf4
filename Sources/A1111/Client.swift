// The way to the server: one request, its answer read as it comes.

import Foundation
import FoundationNetworking
import JSONText
import Linux

/// Asks one server. Each request has a connection of its own and is sent once.
///
/// libcurl, under URLSession, sends a request again in silence when a connection that was kept alive turns out to be
/// closed: a POST that had killed the server would render twice. `Connection: close` forbids it.
public final class Client: Sendable {
    /// Whom it asks.
    public let server: ServerAddress
    /// For a whole render, from the request to the end of the answer; `nil` for no limit. A render says nothing for
    /// as long as it takes, so there is no other sign of life than the connection.
    public let renderTimeout: Duration?

    /// Of a reply, in bytes: more is no answer to any request.
    static let replyCap = 2 << 30
    /// For a query that renders nothing.
    static let queryTimeout = Duration.seconds(60)
    static let connectTimeout = Duration.seconds(10)

    /// A client of `server`.
    public init(server: ServerAddress, renderTimeout: Duration?) {
        self.server = server
        self.renderTimeout = renderTimeout
    }

    /// Sends a job and puts the pictures of the answer into `folder`, complete and synced under their final names
    /// (the folder itself is not synced).
    ///
    /// Throws ``Failure``; ``SystemError`` where the pictures could not be written; CancellationError when the task is
    /// cancelled before the answer begins. An answer that has begun may still end within a few seconds.
    public func send(
        _ body: Data?, to endpoint: Endpoint, picturesInto folder: Directory, job: String, wantsPictures: Bool = true
    ) async throws -> Reply {
        let reader = ReplyReader(stage: Stage(folder: folder), service: endpoint.service, job: job)
        let request = try request(endpoint, body: body)
        let answer = try await Conversation(reader: reader, endpoint: endpoint, log: server.description)
            .run(request, timeout: endpoint.method == "GET" ? Self.queryTimeout : renderTimeout)

        let object = try? ObjectText(answer.text)
        let info = Reply.info(in: object).flatMap { try? JSONDecoder().decode(ReplyInfo.self, from: $0) } ?? ReplyInfo()
        // A middleman knows no grids and extras, and his pictures are called what the text says in their places.
        let facts = answer.pictures.map(\.facts)
        let arranged = endpoint.service == nil ? Arranged.numbered(facts) : arrange(facts, info: info)
        if endpoint.service != nil,
            var failure = failure(of: arranged, facts: facts, object: object, wantsPictures: wantsPictures)
        {
            failure.status = answer.status
            throw failure
        }
        let pictures = zip(answer.pictures, arranged).map { $0.placed($1, job: job) }
        for (staged, picture) in zip(answer.pictures, pictures) {
            guard let name = FileName(bytes: picture.file.utf8) else { continue }
            try folder.rename(staged.draft, to: folder, as: name)
        }
        return Reply(status: answer.status, headers: answer.headers, pictures: pictures, text: answer.text)
    }

    /// What the server is doing. Throws ``Failure``.
    public func progress() async throws -> Progress {
        let endpoint = try Endpoint(
            named: "/sdapi/v1/progress?skip_current_image=true", method: "GET", bodyKeys: [])
        let answer = try await Conversation(reader: nil, endpoint: endpoint, log: server.description)
            .run(request(endpoint, body: nil), timeout: Self.connectTimeout)
        guard let progress = try? JSONDecoder().decode(Progress.self, from: answer.text) else {
            throw Failure(.temporary, "the server's progress is not told as A1111 does")
        }
        return progress
    }

    private func request(_ endpoint: Endpoint, body: Data?) throws -> URLRequest {
        guard let url = server.url(of: endpoint.path) else {
            throw Failure(.permanent, "\(endpoint.path) makes no URL on \(server)")
        }
        var request = URLRequest(url: url)
        request.httpMethod = endpoint.method
        // Idle time, 60 s by default: a render is silent for as long as it takes.
        request.timeoutInterval = 7 * 24 * 3600
        request.setValue("close", forHTTPHeaderField: "Connection")
        request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        request.setValue("application/json", forHTTPHeaderField: "Accept")
        if let authorization = server.authorization {
            request.setValue(authorization, forHTTPHeaderField: "Authorization")
        }
        if let body, endpoint.method != "GET" {
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
            request.httpBody = body
        }
        return request
    }
}
