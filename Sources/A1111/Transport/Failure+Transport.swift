// Why no whole answer came, for both transports: whose fault it is, and the words for it. Pure.

import Foundation
import HTTP

extension Failure {
    /// Classes why no whole answer came. Where the request may have been read, the render may have run.
    init(_ failure: ExchangeFailure, server: String, status: Int?) {
        let moment = status == nil ? "before it had answered" : "in the middle of its answer"
        switch failure {
        case .notConnected(let error) where error.call == "getaddrinfo":
            self.init(.serverDown, "the name of \(server) does not resolve")
        case .notConnected(let error): self.init(.serverDown, "nobody listens at \(server): \(error.reason)")
        case .broken(let error):
            let how = error.map { "\($0.call): \($0.reason)" } ?? "it was closed"
            self.init(.ambiguous, "the connection to \(server) broke \(moment): \(how)", status: status)
        case .cut: self.init(.ambiguous, "the connection to \(server) was closed \(moment)", status: status)
        case .slow:
            self.init(
                .ambiguous, "the answer of \(server) came more slowly than 1 KiB a second and was given up",
                status: status)
        case .foreign(let why):
            self.init(.unclear, "what listens at \(server) does not speak HTTP/1.1: \(why)")
        case .malformed(let why): self.init(.ambiguous, "the answer of \(server) is broken: \(why)", status: status)
        }
    }

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
