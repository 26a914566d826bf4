// What a claimed job file asks for, ready to be sent.

import A1111
import Foundation
import JSONText
import Linux
import Spool

/// A job that has been read.
struct PreparedJob: Sendable {
    let endpoint: Endpoint
    /// `nil` where the method has none.
    let body: RequestBody?
    /// The attempts so far, with all that the job left to chance drawn.
    private(set) var attempts: Attempts
    /// When the request was about to be sent.
    private(set) var started = Timestamp.now
    /// False where the request says that it wants no pictures back.
    let wantsPictures: Bool
    /// What the answer of a service is held against.
    let asked: RequestedRender?
    /// The name by which the server knows the render; `nil` where it has none.
    let task: String?

    /// What `file`, the file of `job`, asks for. Opens the pictures in assets/ that it names. Blocks on the disk.
    ///
    /// - Parameter namesTasks: the server finds a render by a name that its request gave it.
    init(
        _ job: ActiveJob, _ file: JobFile, to endpoint: Endpoint, attempts: Attempts, in folders: Folders,
        namesTasks: Bool
    ) throws {
        var attempts = attempts
        for key in RequestBody.undrawnKeys(of: file.object, for: endpoint) where attempts.drawn[key] == nil {
            attempts.drawn[key] = RequestBody.drawSeed()
        }
        let drawsSeeds = endpoint.service?.drawsSeeds == true
        let written = file.object.value(of: RequestBody.taskKey).flatMap { $0 == Data("null".utf8) ? nil : $0 }
        let ownTask = written.flatMap { try? JSONDecoder().decode(String.self, from: $0) }
        // An attempt is the same request as the one before it, whatever the server has learnt meanwhile. What is no name is
        // the server's to refuse: a picture may be named in it, and two cannot be put into one place.
        if namesTasks, written == nil, attempts.list.isEmpty, drawsSeeds {
            attempts.task = attempts.task ?? "task(sdspool-\(job.ticket.arrival.compact))"
        }
        let body = RequestBody(
            of: file.object, without: JobFile.ordersKey, drawn: attempts.drawn, task: attempts.task,
            pictures: try Self.pictures(of: file, in: folders))
        self.endpoint = endpoint
        self.body = endpoint.method == "GET" ? nil : body
        self.attempts = attempts
        wantsPictures = file.object.value(of: "send_images") != Data("false".utf8)
        asked = endpoint.service.map { RequestedRender(file.object, of: $0) }
        task = drawsSeeds ? ownTask ?? attempts.task : nil
    }

    /// The next attempt begins.
    mutating func begin(at server: ServerAddress) {
        started = .now
        attempts.begin(server: server.description, at: started)
    }

    private static func pictures(of file: JobFile, in folders: Folders) throws -> [Range<Int>: PictureFile] {
        var opened: [AssetName: PictureFile] = [:]
        for name in try AssetName.all(file.assets) { opened[name] = try PictureFile(folders.open(name)) }
        var pictures: [Range<Int>: PictureFile] = [:]
        for reference in file.references { pictures[reference.place] = opened[try AssetName(reference.name)] }
        return pictures
    }
}

extension DaemonOptions {
    /// Why a job that is sound must not be sent by this daemon.
    func problem(with file: JobFile, _ endpoint: Endpoint) -> String? {
        if let wanted = file.jobOptions.server, server(named: wanted) == nil {
            let served = servers.map(\.description).joined(separator: ", ")
            return "\"sdspool\".\"server\" is \"\(wanted)\", but this daemon serves \(served) only"
        }
        if endpoint.isControl, !allowsControl {
            return "\(endpoint.path) stops or restarts the server: only a daemon that was started with --allow-control "
                + "passes it on"
        }
        return nil
    }

    /// The lane in which a job waits. One that names a server that nobody serves fails in its turn, anywhere.
    func lane(of file: JobFile) -> JobClass {
        JobClass(file.laneKind, server: file.jobOptions.server.flatMap(server(named:))?.description)
    }

    private func server(named text: String) -> ServerAddress? {
        ServerAddress(text).flatMap { wanted in servers.first { $0 == wanted } }
    }

    /// Jobs for servers with A1111's API, of which these are served.
    var insight: Insight { .jobs(lane: lane) }
}

extension JobFile {
    /// The keys of the request.
    package var bodyKeys: Set<String> { Set(object.members.map(\.key)).subtracting([Self.ordersKey]) }

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

    /// Why no server could be asked this.
    var problem: String? {
        do throws(EndpointError) {
            _ = try endpoint
            return nil
        } catch {
            return error.message
        }
    }

    /// The names of pictures in assets/ that stand in the place of base64.
    var assets: [String] { references.map(\.name) }

    fileprivate var references: [PictureReference] { PictureReference.all(in: object, without: Self.ordersKey) }

    /// What this job leaves to chance, drawn.
    var drawn: [String: Int64] {
        let keys = (try? endpoint).map { RequestBody.undrawnKeys(of: object, for: $0) } ?? []
        return Dictionary(uniqueKeysWithValues: keys.map { ($0, RequestBody.drawSeed()) })
    }

    /// A query may overtake renders unless it says that it waits. What is no job at all fails in its turn.
    fileprivate var laneKind: JobClass.Kind {
        (try? endpoint.isQuery) == true && !jobOptions.wait ? .queries : .renders
    }
}

extension Insight {
    /// Jobs for any server with A1111's API.
    package static let jobs = jobs { JobClass($0.laneKind) }

    fileprivate static func jobs(lane: @escaping @Sendable (JobFile) -> JobClass) -> Insight {
        Insight(lane: lane, assets: \.assets, draw: \.drawn, problem: \.problem)
    }
}
