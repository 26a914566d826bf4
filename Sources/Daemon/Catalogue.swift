// What the server says that it has: asked once, and again when it has been away.

import A1111

/// The lists of one server, for all who work with it.
actor Catalogue {
    private let client: Client
    private var paths: ServerPaths?
    private var isKnown = false
    private var knownLists: ServerLists?

    init(client: Client) { self.client = client }

    /// The server may be another one when it comes back.
    func forget() {
        isKnown = false
        knownLists = nil
    }

    /// What the server has of samplers and the like; empty where it does not say.
    func lists() async -> ServerLists {
        if let knownLists { return knownLists }
        let lists = try? await client.lists()
        knownLists = lists
        return lists ?? ServerLists()
    }

    /// Why the server cannot be asked this, if it says so itself. A server without a list costs nothing.
    func problem(with endpoint: Endpoint) async -> String? {
        if !isKnown {
            do {
                paths = try await client.paths()
                isKnown = true
            } catch {
                // It is away or unwilling: the job's own request will tell.
                return nil
            }
        }
        return paths?.problem(with: endpoint)
    }
}
