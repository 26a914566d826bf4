// What is asked and told while a render is under way.

import Foundation
import JSONText
import Linux

extension Client {
    /// For a look at a render: it only serves people, and a server that is slower has better things to do.
    package static let lookTimeout = TimeLimit.with(.seconds(5))

    /// What the server is doing, with what there is of the picture if that is wanted. Throws ``Failure``.
    package func progress(
        withPreview: Bool = false, within timeout: Duration = Client.connectTimeout
    ) async throws -> ServerProgress {
        // The rest of it is some hundred bytes.
        let text = try await query(
            "/sdapi/v1/progress\(withPreview ? "" : "?skip_current_image=true")", timeout: timeout,
            cap: withPreview ? Preview.cap + 64 << 10 : AnswerReader.textCap)
        guard let progress = try? JSONDecoder().decode(ServerProgress.self, from: text) else {
            throw Failure(.temporary, "the server's progress is not told as A1111 does")
        }
        return progress
    }

    /// Where the render with this `force_task_id` is. Throws ``Failure``.
    package func state(ofTask task: String) async throws -> TaskState {
        let question =
            #"{"id_task": \#(String(decoding: JSONString.encoded(task), as: UTF8.self)), "#
            + #""id_live_preview": -1, "live_preview": false}"#
        let text = try await query("/internal/progress", body: Data(question.utf8), timeout: Self.lookTimeout)
        guard let state = try? JSONDecoder().decode(TaskState.self, from: text) else {
            throw Failure(.temporary, "the state of a task is not told as A1111 does")
        }
        return state
    }

    /// Stops whatever runs, as soon as it can be stopped. Throws ``Failure``.
    package func interrupt() async throws {
        _ = try await query("/sdapi/v1/interrupt", body: Data(), timeout: Self.lookTimeout)
    }
}

extension Failure {
    /// The server has no such endpoint, whatever else that may mean.
    package var isNotThere: Bool { [404, 405, 501].contains(status) }

    /// The server is there, and does not tell what it was asked: it is not asked again before it has been away.
    var isSilence: Bool {
        if isNotThere { return true }
        if self.class == .unclear { return ![401, 407].contains(status) && !isLostByGateway && !isRedirect }
        return self.class != .serverDown && self.class != .notNow
    }

    private var isRedirect: Bool { (300..<400).contains(status ?? 0) }
}
