// What a claimed job file asks for, ready to be sent.

import A1111
import A1111API
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
        _ job: ActiveJob, _ file: JobFile, to endpoint: Endpoint, attempts: Attempts, in spool: Spool,
        namesTasks: Bool
    ) throws {
        var attempts = attempts
        for key in Seeds.undrawnKeys(of: file.object, for: endpoint) where attempts.drawn[key] == nil {
            attempts.drawn[key] = Seeds.draw()
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
            of: file.object, without: JobFile.optionsKey, drawn: attempts.drawn, task: attempts.task,
            pictures: try Self.pictures(of: file, in: spool))
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

    private static func pictures(of file: JobFile, in spool: Spool) throws -> [Range<Int>: PictureFile] {
        var opened: [AssetName: PictureFile] = [:]
        for name in try file.assets { opened[name] = try PictureFile(Assets(spool).open(name)) }
        var pictures: [Range<Int>: PictureFile] = [:]
        for reference in file.references { pictures[reference.place] = opened[try AssetName(reference.name)] }
        return pictures
    }
}

extension DaemonOptions {
    /// Why a job that is sound must not be sent by this daemon.
    func problem(with file: JobFile, _ endpoint: Endpoint) -> String? {
        if let wanted = file.jobOptions.server, file.server(among: servers) == nil {
            let served = servers.map(\.description).joined(separator: ", ")
            return "\"sdspool\".\"server\" is \"\(wanted)\", but this daemon serves \(served) only"
        }
        if endpoint.isControl, !allowsControl {
            return "\(endpoint.path) stops or restarts the server: only a daemon that was started with --allow-control "
                + "passes it on"
        }
        return nil
    }
}
