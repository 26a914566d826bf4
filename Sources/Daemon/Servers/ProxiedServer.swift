// A server for those who ask it something beside the jobs: what is known of it is known to both.

import A1111

/// One of the daemon's servers, as a proxy uses it.
package struct ProxiedServer: Sendable {
    /// Without a limit for what an answer may take: whoever waits for it may leave.
    package let client: Client
    private let renderServer: RenderServer

    init(_ renderServer: RenderServer) {
        self.renderServer = renderServer
        client = Client(server: renderServer.server, renderTimeout: nil)
    }

    /// Why it must not be asked now, and in how many seconds it may be; `nil` where it may.
    package func obstacle() async -> (words: String, seconds: Int)? { await renderServer.health.obstacle() }

    /// A request brought no answer.
    package func hasFailed() async { await renderServer.health.look() }

    /// A request was answered: where the server was waited for, it is back.
    package func hasAnswered() async { await renderServer.health.hasAnswered() }

    /// Somebody has changed its settings on purpose.
    package func settingsChanged() { renderServer.capabilities.settingsChanged() }
}
