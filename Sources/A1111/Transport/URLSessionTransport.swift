// One request and its answer over https, by URLSession, which brings TLS: the one delegate, whoever takes the answer.
//
// Promises: redirects are refused, the body is counted, nothing is sent again and nothing is stored.
// Runs: its calls come one after another on the session's queue, and the deadlines on theirs; a lock is between them.
// Fails: "no connection to …", "took nothing of the request for …", and what the sink makes of libcurl's errors
// (Failure+Transport.swift).

@preconcurrency import Dispatch
import Foundation
import FoundationNetworking
import HTTP
import Linux
import Synchronization

/// The delegate of one request.
final class URLSessionTransport<Sink: AnswerSink & ~Copyable>: NSObject, Transport, URLSessionDataDelegate, Sendable {
    private struct State: ~Copyable {
        var sink: Sink?
        var task: URLSessionTask?
        var continuation: CheckedContinuation<Sink.Answer, any Error>?
        var bodySent = false
        var isListening = false
        /// `nil` where there is no body.
        var sending: SendWatch?
        /// The server asked for credentials; its 401 is the answer.
        var challenged = false
        /// Why it was given up, if it was.
        var reason: (any Error)?
    }

    private let state: Mutex<State>
    private let request: URLRequest
    let server: String
    private let silence: FirstByteTimer?
    private let patience: Duration
    private let pace: MinimumRate
    private var hasBody: Bool { request.httpBody?.isEmpty == false }

    /// - Parameters:
    ///   - patience: for a server that takes nothing of the body.
    ///   - pace: of an answer that has begun.
    init(
        _ request: URLRequest, server: String, sink: consuming sending Sink, silence: FirstByteTimer? = nil,
        patience: Duration, pace: MinimumRate = Client.pace
    ) {
        state = Mutex(State(sink: sink))
        self.request = request
        self.server = server
        self.silence = silence
        self.patience = patience
        self.pace = pace
    }

    var hasBegun: Bool { state.withLock { $0.sink?.status != nil } }

    func giveUp(because reason: any Error) {
        state.withLock { Self.giveUp(&$0, reason) }
    }

    /// The end of the task is told to the delegate, and that tells the caller.
    private static func giveUp(_ state: inout State, _ reason: any Error) {
        if state.reason == nil { state.reason = reason }
        state.task?.cancel()
    }

    func run() async throws -> Sink.Answer {
        let session = URLSession(configuration: .forgetful, delegate: self, delegateQueue: nil)
        defer { session.finishTasksAndInvalidate() }
        let task = session.dataTask(with: request)
        return try await withCheckedThrowingContinuation { continuation in
            let reason = state.withLock {
                $0.task = task
                $0.continuation = continuation
                return $0.reason
            }
            // There is no deadline for connecting: the kernel would try for two minutes.
            if hasBody {
                watchSending()
                Client.deadlines.asyncAfter(deadline: .now() + Client.connectTimeout / .seconds(1)) {
                    [weak self] in
                    self?.giveUpUnlessSent()
                }
            }
            task.resume()
            if reason != nil { task.cancel() }
        }
    }

    private func giveUpUnlessSent() {
        state.withLock {
            guard $0.continuation != nil, !$0.bodySent, $0.sink?.status == nil else { return }
            Self.giveUp(&$0, Failure(.serverDown, "no connection to \(server) within \(Client.connectTimeout)"))
        }
    }

    private func watchSending() {
        let watch = SendWatch(patience: patience) { [weak self, server, patience] in
            self?.giveUp(
                because: Failure(
                    .ambiguous, "\(server) took nothing of the request for \(patience): the connection was given up"))
        }
        state.withLock { $0.sending = watch }
        watch.begin()
    }

    // MARK: URLSession's calls, in order

    func urlSession(
        _ session: URLSession, task: URLSessionTask, didSendBodyData bytesSent: Int64, totalBytesSent: Int64,
        totalBytesExpectedToSend: Int64
    ) {
        let isFirst = state.withLock { state in
            state.bodySent = true
            state.sending?.note(sent: totalBytesSent, of: totalBytesExpectedToSend)
            guard totalBytesSent >= totalBytesExpectedToSend else { return false }
            defer { state.isListening = true }
            return !state.isListening
        }
        if isFirst { listen() }
    }

    /// From the moment in which the whole request has left.
    private func listen() {
        guard let silence else { return }
        Client.deadlines.asyncAfter(deadline: .now() + silence.after / .seconds(1)) { [weak self] in
            guard let self, state.withLock({ $0.continuation != nil && $0.sink?.status == nil }) else { return }
            silence.tell()
        }
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, didReceive challenge: URLAuthenticationChallenge,
        completionHandler: @escaping (URLSession.AuthChallengeDisposition, URLCredential?) -> Void
    ) {
        // Without an answer here the task would never end, and with credentials it would ask again and again: ours
        // were in the request.
        state.withLock { $0.challenged = true }
        completionHandler(.cancelAuthenticationChallenge, nil)
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        // `.cancel` is not obeyed on Linux: what must not be read is given up by cancelling the task.
        completionHandler(.allow)
        guard let response = response as? HTTPURLResponse else { return }
        state.withLock { state in
            state.sending?.end()
            Self.begin(&state, response)
        }
        expectMore(than: 0)
    }

    /// Gives up an answer that comes more slowly than its pace.
    private func expectMore(than before: Int) {
        Client.deadlines.asyncAfter(deadline: .now() + pace.window / .seconds(1)) { [weak self] in
            self?.checkPace(before)
        }
    }

    private func checkPace(_ before: Int) {
        let received = state.withLock { state -> Int? in
            guard state.continuation != nil, let received = state.sink?.received else { return nil }
            guard received < before + pace.bytes else { return received }
            Self.giveUp(&state, Failure(.slow, server: server, status: state.sink?.status))
            return nil
        }
        if let received { expectMore(than: received) }
    }

    private static func begin(_ state: inout State, _ response: HTTPURLResponse) {
        var headers: Headers = [:]
        for (name, value) in response.allHeaderFields {
            if let name = name as? String { headers.append(name, "\(value)") }
        }
        do {
            try state.sink?.begin(status: response.statusCode, headers: headers)
        } catch {
            giveUp(&state, error)
        }
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        state.withLock { state in
            guard state.reason == nil else { return }
            do {
                try state.sink?.take(data)
            } catch {
                Self.giveUp(&state, error)
            }
        }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        state.withLock { state in
            guard let continuation = state.continuation.take() else { return }
            state.task = nil
            state.sending?.end()
            // A redirect that says not where to is told by the task alone.
            if state.sink?.status == nil, let response = task.response as? HTTPURLResponse {
                Self.begin(&state, response)
            }
            continuation.resume(with: outcome(&state, error, bodySent: task.countOfBytesSent > 0))
        }
    }

    private func outcome(
        _ state: inout State, _ error: (any Error)?, bodySent: Bool
    ) -> Result<Sink.Answer, any Error> {
        // With the files of the pictures: their folder is emptied after a failure.
        defer { state.sink = nil }
        if let reason = state.reason { return .failure(reason) }
        guard let sink = state.sink.take() else { return .failure(error ?? CancellationError()) }
        if let error = error as? URLError, !state.challenged {
            return .failure(sink.failure(error, hasBody: hasBody, bodySent: bodySent))
        }
        do {
            return .success(try sink.finish())
        } catch {
            return .failure(error)
        }
    }
}

extension URLSessionConfiguration {
    /// For one request, of which nothing is kept and to which nothing is added.
    static var forgetful: URLSessionConfiguration {
        let configuration = URLSessionConfiguration.ephemeral
        // With a cache, a cancel that meets the end of its task ends the process (TaskRegistry, Foundation of 6.3).
        configuration.urlCache = nil
        configuration.httpCookieStorage = nil
        configuration.httpShouldSetCookies = false
        configuration.urlCredentialStorage = nil
        return configuration
    }
}
