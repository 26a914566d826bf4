// The way to the server: one request, its answer read as it comes.

import A1111API
@preconcurrency import Dispatch
import Foundation
import HTTP
import JSONText
import Linux

/// Asks one server. Each request has a connection of its own and is sent once.
package final class Client: Sendable {
    /// Whom it asks.
    package let server: ServerAddress
    /// For a whole render, from the request to the end of the answer; `nil` for no limit. A render says nothing for
    /// as long as it takes, so there is no other sign of life than the connection.
    package let renderTimeout: Duration?
    /// Where it does not take what it is sent.
    let sendLimits: SendLimits

    /// For a query that renders nothing.
    static let queryTimeout = TimeLimit.with(.seconds(60))
    private let queryTimeout: Duration
    /// Also for a question that is answered from memory.
    package static let connectTimeout = TimeLimit.with(.seconds(10))
    /// Where it is told that somebody has waited long enough.
    static let deadlines = DispatchQueue(label: "deadlines")
    /// Of an answer that has begun: it lies there whole, and comes as fast as the network is.
    static let pace = MinimumRate(bytes: 60 << 10, window: TimeLimit.with(.seconds(60)))
    /// How long an answer that has begun may go on after a stop.
    static let graceToFinish = TimeLimit.with(.seconds(5))
    private let graceToFinish: Duration

    /// A client of `server`.
    package convenience init(
        server: ServerAddress, renderTimeout: Duration?, sendLimits: SendLimits = SendLimits()
    ) {
        self.init(
            server: server, renderTimeout: renderTimeout, sendLimits: sendLimits, queryTimeout: Self.queryTimeout,
            graceToFinish: Self.graceToFinish)
    }

    /// One that has as much time as a test gives it.
    init(
        server: ServerAddress, renderTimeout: Duration?, sendLimits: SendLimits = SendLimits(),
        queryTimeout: Duration, graceToFinish: Duration
    ) {
        self.sendLimits = sendLimits
        self.server = server
        self.renderTimeout = renderTimeout
        self.queryTimeout = queryTimeout
        self.graceToFinish = graceToFinish
    }

    /// Sends a job and puts the pictures of the answer into `folder`, complete under their final names. Neither the folder
    /// is synced, nor those that the reply says are not; those that a failure keeps are.
    ///
    /// Throws ``Failure``; ``NoSpace``, or another ``SystemError``, where the pictures could not be written; CancellationError when the task is
    /// cancelled before the answer begins. An answer that has begun may still end within a few seconds.
    ///
    /// - Parameters:
    ///   - thread: where it waits for the server and for the disk; one of its own if there is none.
    ///   - silence: told of where the answer does not come at once.
    ///   - admission: asked for room before the answer is read; not over https, where it comes as fast as it likes.
    nonisolated(nonsending) package func send(
        _ body: RequestBody?, to endpoint: Endpoint, picturesInto folder: Directory, job: String,
        wantsPictures: Bool = true, on thread: SerialQueueExecutor? = nil, silence: FirstByteTimer? = nil,
        admission: Admission? = nil
    ) async throws -> Reply {
        let reader = ReplyReader(stage: PictureStaging(folder: folder), service: endpoint.service, job: job)
        let answer = try await ask(
            endpoint, body: body, timeout: endpoint.method == "GET" ? queryTimeout : renderTimeout, reader: reader,
            on: thread, silence: silence, admission: admission)

        var isReply = false
        // Whoever keeps or removes what a failure has left finds it closed.
        defer { if !isReply { for picture in answer.pictures { picture.unsynced?.close() } } }
        let object = try? ObjectText(answer.text)
        let info = Reply.info(in: object).flatMap { try? JSONDecoder().decode(ReplyInfo.self, from: $0) } ?? ReplyInfo()
        // A middleman knows no grids and extras, and his pictures are called what the text says in their places.
        let facts = answer.pictures.map(\.facts)
        let arranged = endpoint.service == nil ? ClassifiedPictures.numbered(facts) : arrange(facts, info: info)
        let pictures = zip(answer.pictures, arranged).map { $0.placed($1, job: job) }
        for (staged, picture) in zip(answer.pictures, pictures) {
            guard let name = FileName(bytes: picture.file.utf8) else { continue }
            try folder.rename(staged.draft, to: folder, as: name)
        }
        if var failure = failure(
            of: arranged, facts: facts, object: object, service: endpoint.service, wantsPictures: wantsPictures)
        {
            failure.status = answer.status
            failure.began = info.job_timestamp
            // One that is broken says nothing against the others.
            failure.keepsPictures = answer.pictures.contains { $0.head != nil }
            if failure.keepsPictures { for picture in answer.pictures { try picture.unsynced?.sync() } }
            throw failure
        }
        isReply = true
        return Reply(
            status: answer.status, headers: answer.headers, pictures: pictures, text: answer.text,
            unsynced: answer.pictures.compactMap(\.unsynced))
    }

    /// Asks for what every server with this API tells: `nil` where it is there, also where it says no in the API's words;
    /// else why it is not. Throws CancellationError.
    package func probe() async throws -> Failure? {
        do {
            let text = try await query("/sdapi/v1/options", timeout: queryTimeout)
            guard (try? ObjectText(text)) == nil else { return nil }
            let words = AnswerWords(text)
            return Failure(
                .unclear,
                "it answers a question about the API with a web page"
                    + (words.gist.isEmpty ? "" : " (\"\(words.gist)\")"), status: 200)
        } catch let failure as Failure {
            return [.permanent, .temporary, .outOfMemory].contains(failure.class) ? nil : failure
        }
    }

    /// The paths that the server has; `nil` where it keeps no list. Throws ``Failure``.
    package func paths() async throws -> ServerPaths? {
        do {
            return ServerPaths(
                try await query(ServerPaths.path, timeout: queryTimeout, cap: ReplyReader.textCap))
        } catch let failure as Failure where failure.isSilence {
            return nil
        }
    }

    /// What the owner of the server has set; `nil` where it does not say. Throws ``Failure`` where it is away.
    package func settings() async throws -> ServerSettings? {
        do {
            let text = try await query("/sdapi/v1/options", timeout: queryTimeout)
            return try? JSONDecoder().decode(ServerSettings.self, from: text)
        } catch let failure as Failure where failure.isSilence {
            return nil
        }
    }

    /// What the server has; a list that it does not give is `nil`. Throws ``Failure`` where it is away.
    package func lists() async throws -> ServerLists {
        var lists = ServerLists()
        for (path, list) in ServerLists.paths {
            do {
                // A LoRA comes with all that its author wrote into it: a hundred of them make megabytes.
                let text = try await query(path, timeout: queryTimeout, cap: ReplyReader.textCap)
                lists[keyPath: list] = try? JSONDecoder().decode([ServerLists.Entry].self, from: text)
            } catch let failure as Failure where failure.isSilence {
                continue
            }
        }
        return lists
    }

    /// What is called by that key in one of the server's lists. Throws ``Failure`` where there is no such list.
    package func names(at path: String, key: String) async throws -> [String] {
        let text = try await query(path, timeout: queryTimeout, cap: ReplyReader.textCap)
        guard let list = try? JSONSerialization.jsonObject(with: text) as? [[String: Any]] else {
            throw Failure(.wrongResult, "\(path) of \(server) is no list")
        }
        return list.compactMap { $0[key] as? String }
    }

    // MARK: One request

    /// The body of the answer to a question: a GET, or a POST where it has a body. Throws ``Failure``.
    func query(
        _ path: String, body: Data? = nil, timeout: Duration, cap: Int = AnswerReader.textCap
    ) async throws -> Data {
        let endpoint = try Endpoint(named: path, method: body == nil ? "GET" : "POST", bodyKeys: [])
        return try await ask(
            endpoint, body: body.map { RequestBody($0) }, timeout: timeout, reader: nil, textCap: cap
        ).text
    }

    nonisolated(nonsending) private func ask(
        _ endpoint: Endpoint, body: RequestBody?, timeout: Duration?, reader: consuming ReplyReader?,
        textCap: Int = AnswerReader.textCap, on thread: SerialQueueExecutor? = nil, silence: FirstByteTimer? = nil,
        admission: Admission? = nil
    ) async throws -> Answer {
        // Nothing is lost with the answer to a question: it need not be waited for.
        let grace = reader == nil ? .zero : graceToFinish
        let reader = AnswerReader(endpoint: endpoint, server: server.description, reader: reader, textCap: textCap)
        let url = try url(of: endpoint)
        let request = ClientRequest(
            endpoint.method, to: url, accept: "application/json", authorization: server.authorization,
            contentType: "application/json", body: body)
        let transport = try request.transport(
            to: url, server: server.description, reader: reader, on: thread, silence: silence, patience: sendLimits,
            admission: admission)
        return try await transport.run(within: timeout, grace: grace)
    }

    private func url(of endpoint: Endpoint) throws -> URL {
        guard let url = server.url(of: endpoint.path) else {
            throw Failure(.permanent, "\(endpoint.path) makes no URL on \(server)")
        }
        return url
    }
}
