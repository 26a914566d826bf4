// What the server says that it has and is set to: asked once, and again when it has been away.

import A1111
import Linux
import Synchronization

/// The lists of one server, for all who work with it. A server that does not give them costs one question each.
final class ServerCapabilities: Sendable {
    private struct Known {
        /// `.some(nil)` where the server keeps no list of its paths.
        var paths: ServerPaths??
        var lists: ServerLists?
        var settings: ServerSettings?
        /// Questions under way: who wants the same meanwhile waits for the same answer.
        var asking: [Question: Task<Void, Never>] = [:]
    }
    private enum Question { case paths, lists, settings }
    private let known = Mutex(Known())
    private let client: Client
    /// The server has told what it is set to.
    private let answered: @Sendable () -> Void

    init(client: Client, answered: @escaping @Sendable () -> Void) {
        self.client = client
        self.answered = answered
    }

    /// The server may be another one when it comes back.
    func forget() {
        known.withLock { ($0.paths, $0.lists, $0.settings) = (nil, nil, nil) }
    }

    /// What the server has of samplers and the like; empty where it does not say. Asked again where it lacks something:
    /// A1111 looks for a LoRA that it does not know when a prompt names it, and has it from then on.
    nonisolated(nonsending) func lists(for asked: RequestedRender) async -> ServerLists {
        guard asked.namesThings else { return ServerLists() }
        if let lists = known.withLock(\.lists), !asked.isMissing(in: lists) { return lists }
        await ask(.lists) { [self] in
            if let lists = try? await client.lists() { known.withLock { $0.lists = lists } }
        }
        return known.withLock(\.lists) ?? ServerLists()
    }

    /// What its owner has set. To be asked before a render, so that what somebody's job leaves behind is told from it.
    nonisolated(nonsending) func settings() async -> ServerSettings {
        if known.withLock({ $0.settings == nil }) {
            await ask(.settings) { [self] in
                // Where it is away the job's own request will tell.
                guard let told = try? await client.settings() as ServerSettings?? else { return }
                if told != nil { answered() }
                known.withLock { $0.settings = told ?? ServerSettings() }
            }
        }
        return known.withLock(\.settings) ?? ServerSettings()
    }

    /// A job has changed them on purpose.
    func settingsChanged() { known.withLock { $0.settings = nil } }

    /// The paths that it has; `nil` also where the server is away or unwilling: the job's own request will tell.
    nonisolated(nonsending) func paths() async -> ServerPaths? {
        if known.withLock({ $0.paths == nil }) {
            await ask(.paths) { [self] in
                let paths = try? await client.paths() as ServerPaths??
                known.withLock { $0.paths = paths }
            }
        }
        return known.withLock(\.paths) ?? nil
    }

    nonisolated(nonsending) private func ask(
        _ question: Question, _ ask: @escaping @Sendable () async -> Void
    ) async {
        let (task, isOurs) = known.withLock { known in
            if let task = known.asking[question] { return (task, false) }
            let task = Task(executorPreference: TaskQueueExecutor.shared) { await ask() }
            known.asking[question] = task
            return (task, true)
        }
        // Whoever is cancelled, all are: it is the end of the daemon.
        await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        if isOurs { known.withLock { $0.asking[question] = nil } }
    }
}
