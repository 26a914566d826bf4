// What the handlers of requests share, and how a module above this one has its routes served.

import HTTP
import Spool

/// The parts of a gateway that is open.
package struct HandlerContext: Sendable {
    package let options: HTTPGateway.Options
    package let spool: Spool
    package let tracker: JobTracker
    package let view: JobView
    package let submissions: JobSubmission
    package let proxy: ReverseProxy
}

/// Routes below a prefix that are served by somebody else.
package struct MountedRoutes: Sendable {
    package typealias Answer =
        nonisolated(nonsending) @Sendable (ServerRequest, [String], HandlerContext) async throws -> Response

    /// As `/agent-scheduler/v1/`.
    let prefix: String
    /// Gets the parts of the path below the prefix, unescaped. Throws ``JobSubmission/Unfit`` and ``SystemError``.
    let answer: Answer

    package init(below prefix: String, answer: @escaping Answer) {
        self.prefix = prefix
        self.answer = answer
    }
}
