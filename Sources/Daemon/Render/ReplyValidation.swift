// What is to be thought of an answer: whether it is what was asked for, and whether the render was stopped on its way.

import A1111
import Foundation
import JSONText

extension RenderAttempt {
    /// A 200 is not yet what was asked for.
    func differences(from reply: Reply) async -> [String] {
        if prepared.endpoint.path.hasPrefix("/sdapi/v1/interrogate"), let caption = reply.member("caption"),
            caption == Data("\"<error>\"".utf8)
        {
            return ["the caption is \"<error>\": the server could not interrogate the picture"]
        }
        guard let asked = prepared.asked else { return [] }
        return asked.differences(
            to: reply, lists: await renderServer.capabilities.lists(for: asked), settings: settings)
    }

    /// What stands before a server answers with a page of its own: a login, a waiting room. Under `/sdapi/` nothing else is a
    /// page; another path may have asked for one, and the API tells whether it is there.
    func pageInstead(of reply: Reply) async throws -> Failure? {
        guard prepared.endpoint.service == nil, let type = reply.headers["content-type"],
            type.lowercased().contains("html")
        else { return nil }
        let page = Failure(
            .unclear, "the answer is a web page (\(type)); is this A1111's API?", status: reply.status)
        guard !prepared.endpoint.path.hasPrefix("/sdapi/") else { return page }
        let failure = try await renderServer.clarified(page, for: prepared.endpoint)
        return failure.class == .serverDown ? failure : nil
    }

    /// Why pictures that came are none to be content with.
    func objection(
        to reply: Reply, _ stops: [ServerProgress.State], _ warnings: [String], isFollowed: Bool
    ) async -> Failure? {
        var failure: Failure
        if prepared.endpoint.service?.drawsSeeds == true, let asked = prepared.asked,
            let stopped = await stop(of: reply, asked, stops, isFollowed: isFollowed)
        {
            failure = Failure(
                .interrupted, "the render was \(stopped) at the server; what came of it is kept beside this")
            failure.began = reply.began
        } else if transitions.options.isStrict, !warnings.isEmpty {
            failure = Failure(.wrongResult, warnings.joined(separator: "; "))
        } else {
            return nil
        }
        failure.status = reply.status
        failure.answer = (try? ObjectText(reply.text)) != nil ? .raw(reply.text) : nil
        failure.keepsPictures = true
        return failure
    }

    private func stop(
        of reply: Reply, _ asked: RequestedRender, _ stops: [ServerProgress.State], isFollowed: Bool
    ) async -> RenderStop? {
        if let stopped = asked.stop(reply, states: await states(with: stops, isFollowed: isFollowed)) { return stopped }
        // What the server has forgotten by now, we know of our own interrupts.
        guard isFollowed else { return nil }
        return await renderServer.hasInterrupted(reply.began) ? .interrupted : nil
    }

    /// A render that was stopped before its first picture is answered 200 without one.
    func explained(_ failure: Failure, _ stops: [ServerProgress.State], isFollowed: Bool) async -> Failure {
        guard failure.class == .wrongResult, !failure.keepsPictures, let began = failure.began else { return failure }
        guard
            let stopped = await states(with: stops, isFollowed: isFollowed).lazy.compactMap({ $0.stop(of: began) })
                .first
        else {
            return failure
        }
        var failure = Failure(.interrupted, "the render was \(stopped) at the server before its first picture")
        failure.status = 200
        failure.began = began
        return failure
    }

    /// What the server tells now, before what it told earlier. Where the next render has begun it has forgotten.
    private func states(with earlier: [ServerProgress.State], isFollowed: Bool) async -> [ServerProgress.State] {
        let now = isFollowed ? nil : await renderServer.progress(within: Client.lookTimeout)?.state
        return [now].compactMap { $0 } + earlier
    }
}
