// What a claimed job file asks for, ready to be sent.

import A1111
import Foundation
import JSONText
import Spool

/// A job that has been read.
struct Assignment: Sendable {
    let endpoint: Endpoint
    /// `nil` where the method has none.
    let body: RequestBody?
    /// The attempts so far, with all that the job left to chance drawn.
    let attempts: Attempts
    /// False where the request says that it wants no pictures back.
    let wantsPictures: Bool
    /// What the answer of a service is held against.
    let asked: Asked?
    /// The name by which the server knows the render; `nil` where it has none.
    let task: String?

    /// What reading a job led to.
    enum Outcome: Sendable {
        case ready(Assignment)
        /// Many jobs: an expansion that was cut off, or a batch that somebody has put into the queue.
        case batch(Batch)
        /// Somebody has deleted its file.
        case cancelled
        /// It can never be sent, and why.
        case hopeless(ErrorReport)
    }

    /// Reads a claimed job, and opens the pictures in assets/ that it names. Blocks on the disk.
    ///
    /// - Parameter namesTasks: the server finds a render by a name that its request gave it.
    static func read(
        _ job: ActiveJob, in folders: Folders, options: Options, namesTasks: Bool
    ) throws -> Outcome {
        guard let content = try job.content(upTo: options.cap + 1) else { return .cancelled }
        var attempts = try job.attempts()
        do {
            let file: JobFile
            switch try Submission(content, kind: job.kind) {
            case .job(let job): file = job
            case .batch(let batch): return .batch(batch)
            }
            let endpoint = try file.endpoint
            if let problem = problem(with: file, endpoint, options) { throw EndpointError(message: problem) }
            guard attempts.counted < attemptLimit else { return .hopeless(poison(job, attempts)) }
            for key in RequestBody.undrawnKeys(of: file.object, for: endpoint) where attempts.drawn[key] == nil {
                attempts.drawn[key] = RequestBody.drawSeed()
            }
            let ownTask = file.object.value(of: RequestBody.taskKey).flatMap {
                try? JSONDecoder().decode(String.self, from: $0)
            }
            // An attempt is the same request as the one before it, whatever the server has learnt meanwhile.
            if namesTasks, ownTask == nil, attempts.list.isEmpty, endpoint.service?.drawsSeeds == true {
                attempts.task = attempts.task ?? "task(sdspool-\(job.ticket.arrival.compact))"
            }
            let body = RequestBody(
                of: file.object, without: JobFile.ordersKey, drawn: attempts.drawn, task: attempts.task,
                pictures: try pictures(of: file, in: folders))
            return .ready(
                Assignment(
                    endpoint: endpoint, body: endpoint.method == "GET" ? nil : body, attempts: attempts,
                    wantsPictures: file.object.value(of: "send_images") != Data("false".utf8),
                    asked: endpoint.service.map { Asked(file.object, of: $0) },
                    task: endpoint.service?.drawsSeeds == true ? ownTask ?? attempts.task : nil))
        } catch let error as JobFileError {
            return .hopeless(
                ErrorReport(
                    ticket: job.ticket, class: error.class, message: error.message, line: error.line,
                    column: error.column))
        } catch let error as EndpointError {
            return .hopeless(ErrorReport(ticket: job.ticket, class: "not a job", message: error.message))
        }
    }

    private static func pictures(of file: JobFile, in folders: Folders) throws -> [Range<Int>: PictureFile] {
        var opened: [AssetName: PictureFile] = [:]
        for name in try AssetName.all(file.assets) { opened[name] = try PictureFile(folders.open(name)) }
        var pictures: [Range<Int>: PictureFile] = [:]
        for reference in file.references { pictures[reference.place] = opened[try AssetName(reference.name)] }
        return pictures
    }

    private static func problem(with file: JobFile, _ endpoint: Endpoint, _ options: Options) -> String? {
        if let wanted = file.orders.server, ServerAddress(wanted) != options.server {
            return "\"sdspool\".\"server\" is \"\(wanted)\", but this daemon serves \(options.server) only"
        }
        if endpoint.isControl, !options.allowsControl {
            return "\(endpoint.path) stops or restarts the server: only a daemon that was started with --allow-control "
                + "passes it on"
        }
        return nil
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

extension JobFile {
    /// The keys of the request.
    public var bodyKeys: Set<String> { Set(object.members.map(\.key)).subtracting([Self.ordersKey]) }

    /// Where the request goes. Throws `EndpointError` where that is no path on the server, or takes no body.
    public var endpoint: Endpoint {
        get throws(EndpointError) {
            let endpoint = try Endpoint(named: orders.endpoint, method: orders.method, bodyKeys: bodyKeys)
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
    var lane: Lane { (try? endpoint.isQuery) == true && !orders.wait ? .queries : .renders }
}

extension Insight {
    /// Jobs for a server with A1111's API.
    public static let jobs = Insight(lane: \.lane, assets: \.assets, draw: \.drawn, problem: \.problem)
}
