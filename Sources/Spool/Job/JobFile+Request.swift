// What a job asks of a server: read from its file alone, without asking anybody.

import A1111API
import Foundation
import JSONText

extension JobFile {
    /// The keys of the request.
    package var bodyKeys: Set<String> { Set(object.members.map(\.key)).subtracting([Self.optionsKey]) }

    /// Where the request goes. Throws `EndpointError` where that is no path on the server, or takes no body.
    package var endpoint: Endpoint {
        get throws(EndpointError) {
            let endpoint = try Endpoint(named: jobOptions.endpoint, method: jobOptions.method, bodyKeys: bodyKeys)
            if endpoint.method == "GET", let key = bodyKeys.sorted().first {
                throw EndpointError(
                    message: "a GET has no body: put \"\(key)\" behind a ? into \"sdspool\".\"endpoint\"")
            }
            return endpoint
        }
    }

    /// Throws ``JobFileError`` where no server could be asked this.
    func check() throws(JobFileError) {
        do throws(EndpointError) { _ = try endpoint } catch { throw JobFileError(message: error.message) }
    }

    /// The pictures in assets/ that it needs, each once. Throws ``JobFileError``, also where they are more than can be held
    /// open.
    package var assets: [AssetName] {
        get throws(JobFileError) { try AssetName.all(references.map(\.name)) }
    }

    /// Where names of pictures in assets/ stand in the place of base64.
    package var references: [PictureReference] { PictureReference.all(in: object, without: Self.optionsKey) }

    /// What this job leaves to chance, drawn.
    var drawn: [String: Int64] {
        let keys = (try? endpoint).map { Seeds.undrawnKeys(of: object, for: $0) } ?? []
        return Dictionary(uniqueKeysWithValues: keys.map { ($0, Seeds.draw()) })
    }

    /// The one of `servers` that the job names; `nil` where it names none, or one that is not there.
    package func server(among servers: [ServerAddress]) -> ServerAddress? {
        jobOptions.server.flatMap { ServerAddress($0) }.flatMap { wanted in servers.first { $0 == wanted } }
    }
}

extension JobClass {
    /// Of a job at a daemon that serves `servers`. A query may overtake renders unless it says that it waits. What is no job
    /// at all, and one that names a server that nobody serves, fails in its turn.
    package init(of job: JobFile, at servers: [ServerAddress]) {
        let isQuery = (try? job.endpoint.isQuery) == true && !job.jobOptions.wait
        self.init(isQuery ? .queries : .renders, server: job.server(among: servers)?.description)
    }
}
