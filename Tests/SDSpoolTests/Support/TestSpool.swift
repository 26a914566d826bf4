// A spool in a temporary folder, with a daemon and a stand-in server around it.

import Foundation
import FoundationNetworking
import Linux
import StandIn
import Synchronization
import Testing

/// A folder that is gone when the test is.
final class TestSpool: Sendable {
    /// The spool itself.
    let url: URL
    /// What is around it.
    let surroundings: URL
    private let witness: Witness?

    convenience init() throws {
        let name = "sdspool-\(UUID().uuidString)"
        try self.init(in: URL(fileURLWithPath: NSTemporaryDirectory()).appendingPathComponent(name))
    }

    /// Makes the spool in a folder that goes with it.
    init(in surroundings: URL) throws {
        self.surroundings = surroundings
        witness = Witness.here()
        url = surroundings.appendingPathComponent("spool")
        try FileManager.default.createDirectory(
            at: url.appendingPathComponent("inbox"), withIntermediateDirectories: true)
    }

    deinit {
        let last = state
        witness?.hears { last }
        try? FileManager.default.removeItem(at: surroundings)
        if hasSlot.withLock({ $0 }) { Self.slots.give() }
    }

    /// A daemon has two of the 128 inotify instances of a user (fs.inotify.max_user_instances), which all tests share,
    /// and all of them begin at once; more than a few at work on each core keep each other from their work.
    private static let slots = Slots(min(12, 6 * ProcessInfo.processInfo.activeProcessorCount))
    private let hasSlot = Mutex(false)

    /// The options that make `run` serve this spool without waiting where people would have to.
    func arguments(server: String) -> [String] {
        ["run", "--spool", url.path, "--server", server, "--server-grace", "0", "--settle", "0.2"]
    }

    /// Waits until one more daemon may run.
    func takeSlot() async {
        guard !hasSlot.withLock({ $0 }) else { return }
        await Self.slots.take()
        hasSlot.withLock { $0 = true }
    }

    /// A daemon that is ready.
    func daemon(server: String, _ more: String...) async throws -> Program {
        await takeSlot()
        let program = try Program(arguments(server: server) + more)
        try await program.says("ready:")
        return program
    }

    /// Drops a job as a careful client does.
    func drop(_ name: String, _ text: String) throws {
        let draft = path("inbox/.\(name).tmp")
        try Data(text.utf8).write(to: draft)
        // Whatever is started beside has it open, too, until it is a program of its own: jobs would change places.
        let inbox = try Directory(path: path("inbox").path)
        let file = try #require(FileName(bytes: ".\(name).tmp".utf8))
        while try inbox.file(file).hasWriter == true { usleep(500) }
        try FileManager.default.moveItem(at: draft, to: path("inbox/\(name).json"))
    }

    /// Makes what a daemon would make of it, where none has run.
    func makeFolders() throws {
        for folder in ["queue", "active", "done", "failed", "hold", "assets"] {
            try FileManager.default.createDirectory(at: path(folder), withIntermediateDirectories: true)
        }
    }

    func path(_ relative: String) -> URL { url.appendingPathComponent(relative) }

    /// The names in a folder, hidden ones apart, sorted.
    func list(_ folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path(folder).path)) ?? []
        return names.filter { !$0.hasPrefix(".") }.sorted()
    }

    /// Returns when one of the folders in `folder` holds a file of that name. Nobody tells of it, so it is looked for.
    func holds(_ name: String, inFolderOf folder: String) async throws {
        let end = ContinuousClock.now + deadline
        while !list(folder).contains(where: {
            FileManager.default.fileExists(atPath: path("\(folder)/\($0)/\(name)").path)
        }) {
            guard ContinuousClock.now < end else { throw Missed(description: "\(name) never came in \(folder)") }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Returns when a folder holds so many that are not hidden. Nobody tells of it, so it is looked for.
    func holds(_ count: Int, in folder: String) async throws {
        let end = ContinuousClock.now + deadline
        while list(folder).count != count {
            guard ContinuousClock.now < end else { throw Missed(description: "\(folder) holds \(list(folder))") }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Returns when status.json says that, and a reason with these words in it. It is written a moment after the log.
    func isSaid(state: String, because words: String = "") async throws {
        let end = ContinuousClock.now + deadline
        while true {
            let status = (try? document("status.json")) ?? [:]
            let hasReason = words.isEmpty || (status["reason"] as? String)?.contains(words) == true
            if status["state"] as? String == state, hasReason { return }
            guard ContinuousClock.now < end else {
                throw Missed(description: "status.json never said \(state) \(words), but \(status)")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// What a failing test shows of it: status.json, and what lies in the folders.
    var state: String {
        let status = FileManager.default.contents(atPath: path("status.json").path).map {
            String(decoding: $0, as: UTF8.self)
        }
        let folders = ["inbox", "queue", "active", "hold", "done", "failed"].map { folder in
            let names = list(folder)
            return "\(folder): \(names.prefix(20).joined(separator: ", "))"
                + (names.count > 20 ? ", … \(names.count)" : "")
        }
        return (["\(url.path)"] + folders + ["status.json: \(status ?? "none")"]).joined(separator: "\n    ")
    }

    /// A JSON document of the spool.
    func document(_ relative: String) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: path(relative)))
        return try #require(object as? [String: Any])
    }
}

/// So many at once, the others in order.
private final class Slots: Sendable {
    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }
    private let state: Mutex<State>

    init(_ count: Int) { state = Mutex(State(free: count)) }

    func take() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.free > 0 else {
                    state.waiting.append(continuation)
                    return false
                }
                state.free -= 1
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    func give() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if state.waiting.isEmpty {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}

/// A job that the stand-in draws in no time.
func smallJob(_ more: String = "") -> String {
    #"{"prompt": "a cat", "steps": 1, "width": 64, "height": 64\#(more.isEmpty ? "" : ", " + more)}"#
}

/// What somebody else asks the server; how many pictures the answer has.
@discardableResult
func post(_ server: String, _ endpoint: String, _ body: String) async throws -> Int {
    var request = URLRequest(url: try #require(URL(string: "\(server)/sdapi/v1/\(endpoint)")))
    request.httpMethod = "POST"
    request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    request.httpBody = Data(body.utf8)
    // URLSession's own is a minute, in which a machine under load may not get to it.
    request.timeoutInterval = 3600
    let (data, _) = try await URLSession.shared.data(for: request)
    let answer = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any]
    return (answer?["images"] as? [Any])?.count ?? 0
}

/// The step that a server is at, as it tells everybody.
func step(at server: String) async throws -> Int {
    let url = try #require(URL(string: "\(server)/sdapi/v1/progress?skip_current_image=true"))
    let (data, _) = try await URLSession.shared.data(for: URLRequest(url: url, timeoutInterval: 3600))
    let answer = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any]
    return ((answer?["state"] as? [String: Any])?["sampling_step"] as? Int) ?? 0
}

extension StandIn {
    /// A stand-in that takes no time.
    static func quick() throws -> StandIn { try StandIn.start(options: Options(stepTime: .zero)) }

    /// One that takes no time and has no way to ask for a render by its task.
    static func nowebui(stepTime: Duration = .zero) throws -> StandIn {
        var options = Options(stepTime: stepTime)
        options.hasWebUI = false
        return try StandIn.start(options: options)
    }
}
