// One request and its answer, as URLSession tells them: on a queue of its own, piece by piece.

@preconcurrency import Dispatch
import Foundation
import FoundationNetworking
import JSONText
import Linux
import Synchronization

/// What an answer of 2xx left when it had ended.
struct Answer: Sendable {
    let status: Int
    let headers: [String: String]
    let pictures: [StagedPicture]
    let text: Data
}

/// The delegate of one request. Redirects are refused, a compressed answer is, too; what comes is counted.
final class Conversation: NSObject, URLSessionDataDelegate, Sendable {
    /// All of it is touched by one callback at a time and by deadlines.
    private struct State: ~Copyable {
        var reader: ReplyReader?
        var task: URLSessionTask?
        var continuation: CheckedContinuation<Answer, any Error>?
        var hasBody = false
        var bodySent = false
        /// The server asked for credentials; its 401 is the answer.
        var challenged = false
        var response: HTTPURLResponse?
        var received = 0
        /// Of an error, or of an answer that nobody reads as it comes.
        var body = Data()
        /// Why it was given up, if it was.
        var reason: (any Error)?
    }

    private let state: Mutex<State>
    private let endpoint: Endpoint
    private let server: String

    /// An error's text is for people; more of it helps nobody. Of another text it would not be the whole.
    private static let errorCap = 1 << 20
    /// How long an answer that has begun may go on after a stop.
    private static let graceToFinish = Duration.seconds(5)

    /// - Parameter reader: reads the body of a 2xx answer as it comes; without one it is kept, up to a megabyte.
    init(reader: consuming ReplyReader?, endpoint: Endpoint, log server: String) {
        state = Mutex(State(reader: reader))
        self.endpoint = endpoint
        self.server = server
    }

    /// Sends the request and waits for the end of the answer.
    func run(_ request: URLRequest, timeout: Duration?) async throws -> Answer {
        let configuration = URLSessionConfiguration.ephemeral
        // With a cache, a cancel that meets the end of its task ends the process (TaskRegistry, Foundation of 6.3).
        configuration.urlCache = nil
        configuration.httpCookieStorage = nil
        configuration.httpShouldSetCookies = false
        configuration.urlCredentialStorage = nil
        try Task.checkCancellation()
        let session = URLSession(configuration: configuration, delegate: self, delegateQueue: nil)
        defer { session.finishTasksAndInvalidate() }
        let task = session.dataTask(with: request)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                state.withLock {
                    $0.task = task
                    $0.hasBody = request.httpBody?.isEmpty == false
                    $0.continuation = continuation
                }
                giveUp(after: Client.connectTimeout, Failure(.serverDown, "no connection to \(server) within 10 s")) {
                    $0.hasBody && !$0.bodySent && $0.response == nil
                }
                if let timeout {
                    giveUp(
                        after: timeout, Failure(.ambiguous, "no answer from \(server) within \(timeout)")
                    ) { _ in true }
                }
                task.resume()
                // A cancellation that came before there was a continuation has found nobody to tell.
                if Task.isCancelled { giveUp(after: .zero, CancellationError()) { _ in true } }
            }
        } onCancel: {
            let hasBegun = state.withLock { $0.response != nil }
            giveUp(after: hasBegun ? Self.graceToFinish : .zero, CancellationError()) { _ in true }
        }
    }

    private func giveUp(
        after delay: Duration, _ reason: any Error, if condition: @escaping @Sendable (borrowing State) -> Bool
    ) {
        DispatchQueue.global().asyncAfter(deadline: .now() + delay / .seconds(1)) { [weak self] in
            self?.state.withLock {
                guard $0.continuation != nil, condition($0) else { return }
                Self.giveUp(&$0, reason)
            }
        }
    }

    /// The first reason counts; the end of the task is told to the delegate, and that tells the caller.
    private static func giveUp(_ state: inout State, _ reason: any Error) {
        if state.reason == nil { state.reason = reason }
        state.task?.cancel()
    }

    // MARK: URLSession's calls, in order

    func urlSession(
        _ session: URLSession, task: URLSessionTask, didSendBodyData bytesSent: Int64, totalBytesSent: Int64,
        totalBytesExpectedToSend: Int64
    ) {
        state.withLock { $0.bodySent = true }
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        // `.cancel` is not obeyed on Linux: what must not be read is given up by cancelling the task.
        completionHandler(.allow)
        state.withLock { state in
            guard let response = response as? HTTPURLResponse else { return }
            state.response = response
            // What is no JSON and need not be is kept as it comes.
            let isJSON = response.value(forHTTPHeaderField: "Content-Type")?.lowercased().contains("json") == true
            if endpoint.service == nil, !isJSON { state.reader = nil }
            let encoding = response.value(forHTTPHeaderField: "Content-Encoding") ?? "identity"
            guard encoding.lowercased() != "identity" else { return }
            // Foundation unpacks it whatever was asked, and a small body can be made to grow without end.
            Self.giveUp(
                &state,
                Failure(
                    .wrongResult, "the answer is compressed (\(encoding)) although it was asked not to be",
                    status: response.statusCode))
        }
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

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        state.withLock { state in
            guard state.reason == nil else { return }
            state.received += data.count
            let isError = !(200..<300).contains(state.response?.statusCode ?? 0)
            do {
                guard state.received <= Client.replyCap else {
                    throw Failure(.wrongResult, "the answer is longer than \(Client.replyCap) bytes")
                }
                if isError || state.reader == nil {
                    state.body.append(data.prefix(max(0, Self.errorCap - state.body.count)))
                    guard isError || state.received <= Self.errorCap else {
                        throw Failure(
                            .wrongResult, "the answer is no JSON and longer than \(Self.errorCap) bytes",
                            status: state.response?.statusCode)
                    }
                } else {
                    try state.reader?.read(data)
                }
            } catch {
                Self.giveUp(&state, error)
            }
        }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        state.withLock { state in
            guard let continuation = state.continuation.take() else { return }
            state.task = nil
            // A redirect that says not where to is told by the task alone.
            state.response = state.response ?? task.response as? HTTPURLResponse
            state.bodySent = task.countOfBytesSent > 0
            continuation.resume(with: outcome(&state, state.challenged ? nil : error))
        }
    }

    // MARK: What came of it

    private func outcome(_ state: inout State, _ error: (any Error)?) -> Result<Answer, any Error> {
        if let error = state.reason ?? error { return .failure(failure(error, state)) }
        guard let response = state.response else {
            return .failure(Failure(.ambiguous, "\(server) closed the connection without an answer"))
        }
        guard (200..<300).contains(response.statusCode) else {
            return .failure(Failure(status: response.statusCode, body: state.body, for: endpoint))
        }
        let headers = Self.headers(of: response)
        guard let reader = state.reader.take() else {
            return .success(Answer(status: response.statusCode, headers: headers, pictures: [], text: state.body))
        }
        do {
            let (pictures, text) = try reader.finish()
            return .success(Answer(status: response.statusCode, headers: headers, pictures: pictures, text: text))
        } catch {
            return .failure(failure(error, state))
        }
    }

    private func failure(_ error: any Error, _ state: borrowing State) -> any Error {
        let status = state.response?.statusCode
        switch error {
        case let error as JSONSyntaxError where error.kind == .incomplete:
            return Failure(.ambiguous, "the answer ended in its middle, after \(state.received) bytes", status: status)
        case let error as JSONSyntaxError:
            let type = state.response?.value(forHTTPHeaderField: "Content-Type") ?? "no content type"
            let what = type.lowercased().contains("html") ? "a web page" : "no JSON"
            return Failure(
                .wrongResult,
                "the answer is \(what) (\(type)): at byte \(error.offset), \(error.problem); is this A1111's API?",
                status: status)
        case is ReplyError:
            return Failure(
                .wrongResult, "the answer has more than \(ReplyReader.textCap) bytes beside its pictures",
                status: status)
        case let error as Base64Stream.Malformed:
            return Failure(
                .wrongResult, "a picture of the answer is not base64 behind character \(error.offset)", status: status)
        case let error as URLError:
            var failure = Failure(
                error, server: server, hasBody: state.hasBody, bodySent: state.bodySent, answering: status != nil)
            failure.status = status
            return failure
        default: return error
        }
    }

    /// Those that say something of the body; the others are the connection's.
    private static func headers(of response: HTTPURLResponse) -> [String: String] {
        var headers: [String: String] = [:]
        for (key, value) in response.allHeaderFields {
            guard let key = (key as? String)?.lowercased(), let value = value as? String else { continue }
            let matters = key.hasPrefix("content-") || key.hasPrefix("x-") || key == "date" || key == "server"
            if matters, key != "content-length" { headers[key] = value }
        }
        return headers
    }
}

extension Failure {
    /// Classes what URLSession says when no whole answer came.
    ///
    /// The codes are libcurl's, badly told: a certificate that is not trusted is "unknown", and a refused second
    /// address hides what happened at the first. Whether bytes of the body were handed over is the fact to decide by.
    init(_ error: URLError, server: String, hasBody: Bool, bodySent: Bool, answering: Bool) {
        let words = error.localizedDescription
        switch error.code {
        case .unsupportedURL:
            self.init(.serverDown, "what listens at \(server) does not speak HTTP: \(words)")
        case .cannotConnectToHost where !bodySent: self.init(.serverDown, "nobody listens at \(server): \(words)")
        case .cannotFindHost where !bodySent: self.init(.serverDown, "the name of \(server) does not resolve")
        case .unknown where words.contains("SSL") && !answering:
            self.init(.serverDown, "no secure connection to \(server): \(words)")
        case _ where hasBody && !bodySent && !answering: self.init(.serverDown, "\(server) is not reached: \(words)")
        default:
            let moment = answering ? "in the middle of its answer" : "before it had answered"
            self.init(.ambiguous, "the connection to \(server) broke \(moment): \(words)")
        }
    }
}
