// sdspool check: what a job file would do, before it is dropped.

import A1111
import A1111API
import Daemon
import Foundation
import Linux
import Spool

enum Check {
    static let help = """
        usage: sdspool check [--server URL] FILE…

        Reads job files (- for stdin) as the daemon would and tells, a line each, where they would go. Of a file with
        many jobs each is looked at; of a matrix, the first combination. Warns of keys that A1111 does not know: it
        ignores them silently. Where the server (default: $SDSPOOL_SERVER, or http://127.0.0.1:7860) is there, its own
        list of paths is asked, too. Exit code 65 says that a file is no job, 66 that one cannot be read.
        """

    static let options: Set<String> = ["--server"]

    static func main(_ words: [String]) async throws {
        let arguments = try Arguments(words, of: "check", options: options, help: help)
        guard !arguments.operands.isEmpty else { throw Exit(.usage, "sdspool check: name a job file") }
        let paths = await serverPaths(arguments.value("--server", or: "SDSPOOL_SERVER") ?? Run.usualServer)
        var failure: Exit.Code?
        for file in arguments.operands {
            let shown = escapedForPeople(Array(file.utf8))
            do {
                for line in try Self.report(on: file, paths: paths) { answer("\(shown): \(oneLine(line))") }
            } catch {
                failure = failure ?? error.code
                for line in error.messages {
                    talk("\(shown): \(oneLine(line))\n")
                }
            }
        }
        if let failure { exit(failure.rawValue) }
    }

    private static func oneLine(_ text: String) -> String {
        escapedForPeople(Array(text.utf8), doublingBackslashes: false)
    }

    private struct NoJob: Error {
        let code: Exit.Code
        let messages: [String]

        init(_ code: Exit.Code = .badData, message: String) { (self.code, messages) = (code, [message]) }
        init(messages: [String]) { (code, self.messages) = (.badData, messages) }
    }

    private static func report(on file: String, paths: ServerPaths?) throws(NoJob) -> [String] {
        let content: Data
        do throws(SystemError) {
            content = try input(file)
        } catch {
            throw NoJob(.noInput, message: "it cannot be read: \(error.reason)")
        }
        let submission: Submission
        let assets: [AssetName]
        do throws(JobFileError) {
            let kind = FileName(bytes: Array(file.utf8.split(separator: UInt8(ascii: "/")).last ?? [])).flatMap(
                JobFileKind.init(of:))
            submission = try Submission(content, kind: kind ?? .json)
            assets = try submission.assets()
        } catch {
            throw NoJob(message: error.message)
        }
        switch submission {
        case .job(let job):
            let endpoint = try endpoint(of: job, paths)
            return ["\(endpoint), priority \(job.jobOptions.priority)\(needs(assets))"] + warnings(job, endpoint)
        case .batch(let batch): return try report(on: batch, needs(assets), paths)
        }
    }

    private static func needs(_ assets: [AssetName]) -> String {
        assets.isEmpty ? "" : ", needs \(assets.map(\.description).joined(separator: ", "))"
    }

    /// A line for the batch, and each warning once: in a thousand jobs a slip stands a thousand times. A problem names
    /// the first job that has it.
    private static func report(on batch: Batch, _ needs: String, _ paths: ServerPaths?) throws(NoJob) -> [String] {
        var warnings: [String] = []
        var endpoints: [String] = []
        var problems: [(words: String, first: Int, count: Int)] = []
        batch.forEachSample { number, job in
            do throws(NoJob) {
                let endpoint = try endpoint(of: job, paths)
                if !endpoints.contains("\(endpoint)") { endpoints.append("\(endpoint)") }
                warnings += Self.warnings(job, endpoint).filter { !warnings.contains($0) }
            } catch {
                let words = error.messages.joined(separator: "; ")
                if let index = problems.firstIndex(where: { $0.words == words }) {
                    problems[index].count += 1
                } else {
                    problems.append((words, number, 1))
                }
            }
        }
        guard problems.isEmpty else {
            throw NoJob(
                messages: problems.map { problem in
                    let others = problem.count > 1 ? " (and \(problem.count - 1) more)" : ""
                    return "job \(problem.first) of \(batch.count)\(others): \(problem.words)"
                })
        }
        return ["\(batch.count) job\(batch.count == 1 ? "" : "s"), \(endpoints.joined(separator: ", "))\(needs)"]
            + warnings
    }

    private static func endpoint(of job: JobFile, _ paths: ServerPaths?) throws(NoJob) -> Endpoint {
        let endpoint: Endpoint
        do throws(EndpointError) {
            endpoint = try job.endpoint
        } catch {
            throw NoJob(message: error.message)
        }
        if let problem = paths?.problem(with: endpoint) { throw NoJob(message: problem) }
        return endpoint
    }

    private static func warnings(_ job: JobFile, _ endpoint: Endpoint) -> [String] {
        guard let known = endpoint.service?.knownKeys else { return [] }
        return job.bodyKeys.subtracting(known).sorted().map { key in
            let near = nearest(to: key, among: known).map { "\"\($0)\"" }
            let shown = escapedForPeople(Array(key.utf8))
            return "warning: A1111 does not know \"\(shown)\" and would ignore it"
                + (near.isEmpty ? "" : "; did you mean \(near.joined(separator: " or "))?")
        }
    }

    private static func serverPaths(_ url: String) async -> ServerPaths? {
        guard let server = ServerAddress(url) else { return nil }
        return try? await Client(server: server, renderTimeout: nil).paths()
    }
}
