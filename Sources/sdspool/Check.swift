// sdspool check: what a job file would do, before it is dropped.

import A1111
import Daemon
import Foundation
import Linux
import Spool

enum Check {
    static let help = """
        usage: sdspool check [--server URL] FILE…

        Reads job files as the daemon would and tells, a line each, where they would go. Warns of keys that A1111 does
        not know: it ignores them silently. Where the server (default: $SDSPOOL_SERVER, or http://127.0.0.1:7860) is
        there, its own list of paths is asked, too. Exit code 65 says that a file is no job.
        """

    static func main(_ words: [String]) async throws {
        let arguments = try Arguments(words, of: "check", options: ["--server"], help: help)
        guard !arguments.operands.isEmpty else { throw Exit(.usage, "sdspool check: name a job file") }
        let paths = await serverPaths(arguments.value("--server", or: "SDSPOOL_SERVER") ?? Run.usualServer)
        var hasFailed = false
        for file in arguments.operands {
            let shown = escapedForPeople(Array(file.utf8))
            do {
                for line in try Self.report(on: file, paths: paths) { print("\(shown): \(oneLine(line))") }
            } catch {
                hasFailed = true
                FileHandle.standardError.write(Data("\(shown): \(oneLine(error.message))\n".utf8))
            }
        }
        if hasFailed { exit(Exit.Code.badData.rawValue) }
    }

    private static func oneLine(_ text: String) -> String {
        escapedForPeople(Array(text.utf8), doublingBackslashes: false)
    }

    private struct NoJob: Error {
        let message: String
    }

    private static func report(on file: String, paths: ServerPaths?) throws(NoJob) -> [String] {
        guard let content = FileManager.default.contents(atPath: file) else {
            throw NoJob(message: "it cannot be read")
        }
        let job: JobFile
        let endpoint: Endpoint
        let assets: [AssetName]
        do {
            job = try JobFile(content)
            endpoint = try job.endpoint
            assets = try AssetName.all(job.assets)
        } catch let error as JobFileError {
            throw NoJob(message: error.message)
        } catch let error as EndpointError {
            throw NoJob(message: error.message)
        } catch {
            throw NoJob(message: "\(error)")
        }
        if let problem = paths?.problem(with: endpoint) { throw NoJob(message: problem) }
        let needs = assets.isEmpty ? "" : ", needs \(assets.map(\.description).joined(separator: ", "))"
        return ["\(endpoint), priority \(job.orders.priority)\(needs)"] + warnings(job, endpoint)
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
