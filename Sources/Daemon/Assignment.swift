// What a claimed job file asks for, ready to be sent.

import A1111
import Foundation
import JSONText
import Spool

/// A job that has been read.
struct Assignment: Sendable {
    let endpoint: Endpoint
    /// `nil` where the method has none.
    let body: Data?
    /// The attempts so far, with all that the job left to chance drawn.
    let attempts: Attempts
    /// False where the request says that it wants no pictures back.
    let wantsPictures: Bool

    /// What reading a job led to.
    enum Outcome: Sendable {
        case ready(Assignment)
        /// Somebody has deleted its file.
        case cancelled
        /// It can never be sent, and why.
        case hopeless(ErrorReport)
    }

    /// Reads a claimed job. Blocks on the disk.
    ///
    /// - Parameter server: the one that is to render it.
    static func read(_ job: ActiveJob, cap: Int, server: ServerAddress) throws -> Outcome {
        guard let content = try job.content(upTo: cap + 1) else { return .cancelled }
        var attempts = try job.attempts()
        do {
            let file = try JobFile(content)
            if let problem = problem(with: file.orders, server: server) { throw EndpointError(message: problem) }
            let keys = Set(file.object.members.map(\.key)).subtracting([JobFile.ordersKey])
            let endpoint = try Endpoint(named: file.orders.endpoint, method: file.orders.method, bodyKeys: keys)
            if endpoint.method == "GET", let key = keys.sorted().first {
                throw EndpointError(
                    message: "a GET has no body: put \"\(key)\" behind a ? into \"sdspool\".\"endpoint\"")
            }
            guard attempts.counted < attemptLimit else { return .hopeless(poison(job, attempts)) }
            for key in RequestBody.undrawnKeys(of: file.object, for: endpoint) where attempts.drawn[key] == nil {
                attempts.drawn[key] = RequestBody.drawSeed()
            }
            let body = RequestBody.text(of: file.object, without: JobFile.ordersKey, drawn: attempts.drawn)
            return .ready(
                Assignment(
                    endpoint: endpoint, body: endpoint.method == "GET" ? nil : body, attempts: attempts,
                    wantsPictures: file.object.value(of: "send_images") != Data("false".utf8)))
        } catch let error as JobFileError {
            return .hopeless(
                ErrorReport(
                    ticket: job.ticket, class: "not a job", message: error.message, line: error.line,
                    column: error.column))
        } catch let error as EndpointError {
            return .hopeless(ErrorReport(ticket: job.ticket, class: "not a job", message: error.message))
        }
    }

    private static func problem(with orders: Orders, server: ServerAddress) -> String? {
        guard let wanted = orders.server, ServerAddress(wanted) != server else { return nil }
        return "\"sdspool\".\"server\" is \"\(wanted)\", but this daemon serves \(server) only"
    }

    /// A job that was under way at each of several ends of the daemon is taken to be their cause.
    private static func poison(_ job: ActiveJob, _ attempts: Attempts) -> ErrorReport {
        var report = ErrorReport(
            ticket: job.ticket, class: "poison",
            message: "it was sent \(attempts.counted) times, and each time the daemon ended before the answer came")
        report.attempts = attempts
        return report
    }
}
