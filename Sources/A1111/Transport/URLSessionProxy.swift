// What is passed on over https: by URLSession, which brings TLS. It brings an answer as fast as that comes, however slowly it
// is taken, so an answer is held whole here, and has a limit.

import A1111API
import Foundation
import FoundationNetworking
import HTTP
import Synchronization

/// The delegate of one request. Redirects are answers like others, and so is the wish for credentials: ours were sent.
final class URLSessionProxy: NSObject, URLSessionDataDelegate, Sendable {
    /// Of an answer, in bytes.
    static let cap = 256 << 20

    private struct State {
        var body = Data()
        var task: URLSessionTask?
        var isChallenged = false
        var failure: Failure?
        /// `nil` where there is no body.
        var sending: SendWatch?
        var continuation: CheckedContinuation<(Data, HTTPURLResponse), any Error>?
    }
    private let state = Mutex(State())
    private let server: ServerAddress
    private let cap: Int

    private init(server: ServerAddress, cap: Int) {
        self.server = server
        self.cap = cap
    }

    /// Throws ``Failure``, and CancellationError when the task is cancelled.
    nonisolated(nonsending) static func answer(
        to relayed: ProxyRequest, _ headers: [(name: String, value: String)], of server: ServerAddress, cap: Int = cap,
        patience: Duration = SendLimits().stall
    ) async throws -> (Data, HTTPURLResponse) {
        guard let url = URL(string: server.url.absoluteString + relayed.target, encodingInvalidCharacters: false) else {
            throw Failure(.permanent, "\(relayed.target) makes no URL on \(server)")
        }
        var request = URLRequest(url: url)
        request.httpMethod = relayed.method
        request.timeoutInterval = 7 * 24 * 3600
        request.setValue("close", forHTTPHeaderField: "Connection")
        for header in headers { request.setValue(header.value, forHTTPHeaderField: header.name) }
        request.httpBody = relayed.body
        let relay = URLSessionProxy(server: server, cap: cap)
        let session = URLSession(configuration: .forgetful, delegate: relay, delegateQueue: nil)
        defer { session.finishTasksAndInvalidate() }
        let task = session.dataTask(with: request)
        if relayed.body?.isEmpty == false { relay.watchSending(of: task, patience) }
        return try await relay.run(task)
    }

    /// The fields of an answer as they fit what there is of it here: unpacked, and so long.
    static func fields(of answer: HTTPURLResponse, to method: String, length: Int) -> Headers {
        var fields: Headers = [:]
        for (name, value) in answer.allHeaderFields {
            if let name = name as? String { fields.append(name, "\(value)") }
        }
        // What HEAD is told of a body is true of one that is not packed.
        if method == "HEAD", fields["content-encoding"] == nil { return fields }
        fields = fields.without("content-encoding").without("content-length")
        if method != "HEAD" { fields.append("Content-Length", "\(length)") }
        return fields
    }

    nonisolated(nonsending) private func run(_ task: URLSessionTask) async throws -> (Data, HTTPURLResponse) {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                state.withLock { ($0.task, $0.continuation) = (task, continuation) }
                task.resume()
                // Who was cancelled before has found nothing to cancel.
                if Task.isCancelled { task.cancel() }
            }
        } onCancel: {
            state.withLock { $0.task }?.cancel()
        }
    }

    private func watchSending(of task: URLSessionTask, _ patience: Duration) {
        let watch = SendWatch(patience: patience) { [weak self, weak task] in
            self?.stalled(patience)
            task?.cancel()
        }
        state.withLock { $0.sending = watch }
        watch.begin()
    }

    private func stalled(_ patience: Duration) {
        state.withLock { state in
            let failure = Failure(.ambiguous, "\(server) took nothing of the request for \(patience)")
            state.failure = state.failure ?? failure
        }
    }

    // MARK: URLSession's calls, in order

    func urlSession(
        _ session: URLSession, task: URLSessionTask, didSendBodyData bytesSent: Int64, totalBytesSent: Int64,
        totalBytesExpectedToSend: Int64
    ) {
        state.withLock { $0.sending }?.note(sent: totalBytesSent, of: totalBytesExpectedToSend)
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        state.withLock { $0.sending }?.end()
        completionHandler(.allow)
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
        // Without an answer here the task would never end.
        state.withLock { $0.isChallenged = true }
        completionHandler(.cancelAuthenticationChallenge, nil)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let isTooLong = state.withLock { state in
            guard state.failure == nil else { return false }
            state.body.append(data)
            guard state.body.count > cap else { return false }
            state.body = Data()
            state.failure = Failure(.wrongResult, "the answer of \(server) is longer than \(cap) bytes")
            return true
        }
        if isTooLong { dataTask.cancel() }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        state.withLock { state in
            state.sending?.end()
            state.continuation.take()?.resume(with: outcome(state, error, task.response as? HTTPURLResponse))
            state.task = nil
        }
    }

    private func outcome(
        _ state: State, _ error: (any Error)?, _ answer: HTTPURLResponse?
    ) -> Result<(Data, HTTPURLResponse), any Error> {
        if let failure = state.failure { return .failure(failure) }
        if let error, !state.isChallenged {
            if (error as? URLError)?.code == .cancelled { return .failure(CancellationError()) }
            return .failure(Failure(.serverDown, "\(server) gave no answer: \(error.localizedDescription)"))
        }
        guard let answer else { return .failure(Failure(.ambiguous, "the answer of \(server) is broken")) }
        return .success((state.body, answer))
    }
}
