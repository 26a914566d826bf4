// What the server says that it has and is set to: asked once, and again when it has been away.

import A1111

/// The lists of one server, for all who work with it. A server that does not give them costs one question each.
actor Catalogue {
    private let client: Client
    /// `.some(nil)` where the server keeps no list of its paths.
    private var knownPaths: ServerPaths??
    private var knownLists: ServerLists?
    private var knownSettings: ServerSettings?

    init(client: Client) { self.client = client }

    /// The server may be another one when it comes back.
    func forget() {
        knownPaths = nil
        knownLists = nil
        knownSettings = nil
    }

    /// What the server has of samplers and the like; empty where it does not say. Asked again where it lacks something:
    /// A1111 looks for a LoRA that it does not know when a prompt names it, and has it from then on.
    func lists(for asked: Asked) async -> ServerLists {
        guard asked.namesThings else { return ServerLists() }
        if let knownLists, !asked.isMissing(in: knownLists) { return knownLists }
        if let lists = try? await client.lists() { knownLists = lists }
        return knownLists ?? ServerLists()
    }

    /// What its owner has set. To be asked before a render, so that what somebody's job leaves behind is told from it.
    func settings() async -> ServerSettings {
        if let knownSettings { return knownSettings }
        let settings = try? await client.settings()
        knownSettings = settings
        return settings ?? ServerSettings()
    }

    /// A job has changed them on purpose.
    func settingsChanged() { knownSettings = nil }

    /// Why the server cannot be asked this, if it says so itself.
    func problem(with endpoint: Endpoint) async -> String? { await paths()?.problem(with: endpoint) }

    /// Whether a render can be found at the server by a name that its request gave it.
    func hasTasks() async -> Bool { await paths()?.hasTasks == true }

    /// `nil` also where the server is away or unwilling: the job's own request will tell.
    private func paths() async -> ServerPaths? {
        if let knownPaths { return knownPaths }
        guard let paths = try? await client.paths() as ServerPaths?? else { return nil }
        knownPaths = paths
        return paths
    }
}
