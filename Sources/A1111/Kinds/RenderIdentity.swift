// Is it ours that runs? A1111 has one state for all renders and one interrupt that hits whichever it is.

import Foundation

/// The answer of `POST /internal/progress`, which finds a render by the `force_task_id` of its request.
///
/// A render that failed stays `active` until the next one with a task begins, so one that is `queued` besides is an
/// earlier attempt's ghost and has not begun.
package struct TaskState: Decodable, Sendable {
    let active: Bool
    let queued: Bool

    /// See ``RenderState``.
    package var renderState: RenderState { queued ? .waiting : active ? .running : .unknown }
}

/// Where a render is, as far as the server tells.
package enum RenderState: Sendable, Equatable {
    /// It is what the server is at: what the server tells of its progress is told of this one.
    case running
    /// It waits behind others at the server.
    case waiting
    /// Nothing is known: what runs may be somebody else's.
    case unknown
}

/// Tells a render of ours from others at a server that has no tasks: nothing ran right before its request left, or it was
/// sent behind one of ours that has ended, and what has run since is one and the same.
package struct RenderIdentity: Sendable {
    /// Whether it can ever tell.
    package let leads: Bool
    private var began: String?

    /// - Parameter before: what the server told right before the request left; `nil` where it was not asked.
    package init(before: ServerProgress?) { leads = before?.isIdle == true }

    private init(leads: Bool) { self.leads = leads }

    /// Of a request that was sent behind another of ours: to be read from that one's end on. Renders of others that came
    /// between the two are taken for this one; who shares a server that has no tasks is told so in the README.
    package static let behindOwn = RenderIdentity(leads: true)

    /// Reads what the server tells now, later than all that was read before.
    package mutating func renderState(_ progress: ServerProgress) -> RenderState {
        guard leads, !progress.isIdle, let moment = progress.state.job_timestamp else { return .unknown }
        began = began ?? moment
        return moment == began ? .running : .unknown
    }
}
