// One request and its answer over https, by URLSession, which brings TLS.

@preconcurrency import Dispatch
import Foundation
import FoundationNetworking
import HTTP
import Linux
import Synchronization

/// The delegate of one request. Redirects are refused; what comes is counted.
final class URLSessionTransport: NSObject, Transport, URLSessionDataDelegate, Sendable {
    /// All of it is touched by one callback at a time and by deadlines.
    private struct State: ~Copyable {
        var reader: AnswerReader?
        var task: URLSessionTask?
        var continuation: CheckedContinuation<Answer, any Error>?
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
    private let server: String
    private let silence: FirstByteTimer?
    private let patience: Duration

    /// - Parameter patience: for a server that takes nothing of the body.
    init(
        _ request: URLRequest, server: String, reader: consuming AnswerReader, silence: FirstByteTimer?,
        patience: Duration = SendLimits().stall
    ) {
        self.patience = patience
        state = Mutex(State(reader: reader))
        self.request = request
        self.server = server
        self.silence = silence
    }

    var hasBegun: Bool { state.withLock { $0.reader?.status != nil } }

    func giveUp(because reason: any Error) {
        state.withLock { Self.giveUp(&$0, reason) }
    }

    /// The end of the task is told to the delegate, and that tells the caller.
    private static func giveUp(_ state: inout State, _ reason: any Error) {
        if state.reason == nil { state.reason = reason }
        state.task?.cancel()
    }

    func run() async throws -> Answer {
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
            if request.httpBody?.isEmpty == false {
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
            guard $0.continuation != nil, !$0.bodySent, $0.reader?.status == nil else { return }
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
            guard let self, state.withLock({ $0.continuation != nil && $0.reader?.status == nil }) else { return }
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
        Client.deadlines.asyncAfter(deadline: .now() + Client.pace.window / .seconds(1)) { [weak self] in
            self?.checkPace(before)
        }
    }

    private func checkPace(_ before: Int) {
        let received = state.withLock { state -> Int? in
            guard state.continuation != nil, let received = state.reader?.received else { return nil }
            guard received < before + Client.pace.bytes else { return received }
            Self.giveUp(&state, Failure(.slow, server: server, status: state.reader?.status))
            return nil
        }
        if let received { expectMore(than: received) }
    }

    private static func begin(_ state: inout State, _ response: HTTPURLResponse) {
        var headers: [String: String] = [:]
        for (name, value) in response.allHeaderFields {
            if let name = name as? String, let value = value as? String { headers[name.lowercased()] = value }
        }
        do {
            try state.reader?.begin(status: response.statusCode, headers: headers)
        } catch {
            giveUp(&state, error)
        }
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        state.withLock { state in
            guard state.reason == nil else { return }
            do {
                try state.reader?.take(data)
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
            if state.reader?.status == nil, let response = task.response as? HTTPURLResponse {
                Self.begin(&state, response)
            }
            continuation.resume(with: outcome(&state, error, bodySent: task.countOfBytesSent > 0))
        }
    }

    private func outcome(
        _ state: inout State, _ error: (any Error)?, bodySent: Bool
    ) -> Result<Answer, any Error> {
        // With the files of the pictures: their folder is emptied after a failure.
        defer { state.reader = nil }
        if let reason = state.reason { return .failure(reason) }
        if let error = error as? URLError, !state.challenged {
            let hasBody = request.httpBody?.isEmpty == false
            return .failure(
                Failure(error, server: server, hasBody: hasBody, bodySent: bodySent, status: state.reader?.status))
        }
        guard let reader = state.reader.take() else { return .failure(error ?? CancellationError()) }
        do {
            return .success(try reader.finish())
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

extension Failure {
    /// Classes what URLSession says when no whole answer came.
    ///
    /// The codes are libcurl's, badly told: a certificate that is not trusted is "unknown", and a refused second
    /// address hides what happened at the first. Whether bytes of the body were handed over is the fact to decide by.
    init(_ error: URLError, server: String, hasBody: Bool, bodySent: Bool, status: Int?) {
        let words = error.localizedDescription
        switch error.code {
        case .unsupportedURL:
            self.init(.unclear, "what listens at \(server) does not speak HTTP: \(words)")
        case .cannotConnectToHost where !bodySent: self.init(.serverDown, "nobody listens at \(server): \(words)")
        case .cannotFindHost where !bodySent: self.init(.serverDown, "the name of \(server) does not resolve")
        case .unknown where words.contains("SSL") && status == nil:
            self.init(.serverDown, "no secure connection to \(server): \(words)")
        case _ where hasBody && !bodySent && status == nil:
            self.init(.serverDown, "\(server) is not reached: \(words)")
        default:
            let moment = status == nil ? "before it had answered" : "in the middle of its answer"
            self.init(.ambiguous, "the connection to \(server) broke \(moment): \(words)", status: status)
        }
    }
}
