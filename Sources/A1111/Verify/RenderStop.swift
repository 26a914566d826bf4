// Was the render stopped at the server? The answer is 200 with what there was of it and has no word about that: only
// the server's state tells, until the next render begins, and the count of the pictures.

import Foundation

/// How a render was stopped before it was whole.
package enum RenderStop: String, Sendable {
    case interrupted, skipped
}

extension RequestedRender {
    /// Whether the render that `reply` is the answer of was stopped; `nil` where nothing says so.
    ///
    /// - Parameter states: what the server told when the answer had come, and before: a skipped batch is forgotten when
    ///   the next one begins.
    package func stop(_ reply: Reply, states: [ServerProgress.State]) -> RenderStop? {
        if !states.isEmpty {
            let began = reply.began
            if let stopped = states.lazy.compactMap({ $0.stop(of: began) }).first { return stopped }
        }
        // Nothing else gives fewer pictures at A1111. Of other servers less is known.
        guard let count, !hasExtensions, !reply.pictures.isEmpty, reply.count < count else { return nil }
        return reply.began != nil ? .interrupted : nil
    }
}

extension ServerProgress.State {
    /// What these flags say of the render whose answer says that it began at `began`. They are somebody else's where
    /// that is another time; a server that tells no times is believed.
    package func stop(of began: String?) -> RenderStop? {
        if let began, let job_timestamp, began != job_timestamp { return nil }
        return interrupted ? .interrupted : skipped ? .skipped : nil
    }
}

extension Reply {
    /// When the render began, by the server's clock; `nil` where it does not say.
    package var began: String? {
        info.flatMap { try? JSONDecoder().decode(ReplyInfo.self, from: $0) }?.job_timestamp
    }
}
