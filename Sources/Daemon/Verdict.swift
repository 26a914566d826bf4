// What is to be thought of an answer: whether it is what was asked for, and whether the render was stopped on its way.

import A1111
import Foundation

extension Worker {
    /// A 200 is not yet what was asked for.
    func differences(
        _ assignment: Assignment, _ reply: Reply, _ settings: ServerSettings
    ) async -> [String] {
        if assignment.endpoint.path.hasPrefix("/sdapi/v1/interrogate"), let caption = reply.member("caption"),
            caption == Data("\"<error>\"".utf8)
        {
            return ["the caption is \"<error>\": the server could not interrogate the picture"]
        }
        guard let asked = assignment.asked else { return [] }
        return asked.differences(
            to: reply, lists: await catalogue.lists(for: asked), settings: settings)
    }

    /// Why pictures that came are none to be content with.
    mutating func objection(
        to reply: Reply, of assignment: Assignment, _ stops: [ServerProgress.State], _ warnings: [String]
    ) async -> Failure? {
        var failure: Failure
        if assignment.endpoint.service?.drawsSeeds == true, let asked = assignment.asked,
            let stopped = asked.stop(reply, states: await states(with: stops))
        {
            failure = Failure(
                .interrupted, "the render was \(stopped) at the server; what came of it is kept beside this")
        } else if options.isStrict, !warnings.isEmpty {
            failure = Failure(.wrongResult, warnings.joined(separator: "; "))
        } else {
            return nil
        }
        failure.status = reply.status
        failure.keepsPictures = true
        return failure
    }

    /// A render that was stopped before its first picture is answered 200 without one.
    mutating func looked(at failure: Failure, _ stops: [ServerProgress.State]) async -> Failure {
        guard failure.class == .wrongResult, !failure.keepsPictures, let began = failure.began else { return failure }
        guard let stopped = await states(with: stops).lazy.compactMap({ $0.stop(of: began) }).first else {
            return failure
        }
        var failure = Failure(.interrupted, "the render was \(stopped) at the server before its first picture")
        failure.status = 200
        return failure
    }

    /// What the server tells now, before what it told earlier.
    private mutating func states(with earlier: [ServerProgress.State]) async -> [ServerProgress.State] {
        [await look(within: Client.lookTimeout)?.state].compactMap { $0 } + earlier
    }

    /// What the server is doing. One that does not tell costs the renders no time: it is left alone for a while.
    mutating func look(within timeout: Duration) async -> ServerProgress? {
        guard looks.isDue(.now) else { return nil }
        do {
            return try await client.progress(within: timeout)
        } catch {
            looks.failed(error as? Failure, now: .now)
            return nil
        }
    }
}
