// now.html: what the daemon does at this moment. Small, because it is written and read again and again.

import Foundation
import Linux
import Spool

/// What now.html shows.
package struct NowPage: Sendable {
    /// A server, and why it is waited for.
    package struct Server: Sendable {
        let url: String
        let reason: String?

        /// - Parameter reason: `nil` where it is there.
        package init(url: String, reason: String?) {
            self.url = url
            self.reason = reason
        }
    }
    /// See ``IndexPage/init(version:results:failures:lastPage:)``.
    package var sheet: String
    /// What the daemon does, in a word or two.
    package var state: String
    /// Why it does not go on.
    package var reason: String?
    /// Those that the daemon was given.
    package var servers: [Server]
    /// What is with a server.
    package var renders: [RenderCard]
    /// The first of those that wait, and how many wait in all.
    package var queue: (first: [Ticket], count: Int)

    /// All that it shows.
    package init(
        sheet: String, state: String, reason: String?, servers: [Server], renders: [RenderCard],
        queue: (first: [Ticket], count: Int)
    ) {
        self.sheet = sheet
        self.state = state
        self.reason = reason
        self.servers = servers
        self.renders = renders
        self.queue = queue
    }

    /// So many of the queue are shown.
    package static let most = 50

    /// The bytes of now.html: the same for the same content, but for the sheet's version.
    package var document: Data {
        let away: [Markup] = servers.map { server in
            let words: Markup =
                server.reason.map { "<span class=\"away\">\($0)</span>" } ?? "<span class=\"up\">up</span>"
            return "<li><bdi>\(server.url)</bdi> \(words)</li>\n"
        }
        let waiting: [Markup] = queue.first.prefix(Self.most).map { ticket in
            let priority: Markup? =
                ticket.priority == Ticket.usualPriority
                ? nil : " <span class=\"priority\">priority \(Int(ticket.priority))</span>"
            return "<li><bdi>\(ticket.name.description)</bdi>\(priority)</li>\n"
        }
        let rest: Markup? =
            queue.count > waiting.count ? "<p class=\"empty\">and \(queue.count - waiting.count) more</p>" : nil
        let line: Markup? =
            queue.count > 0
            ? "<section aria-labelledby=\"queue\"><h3 id=\"queue\">\(queue.count) waiting</h3><ol class=\"queue\">\(waiting)</ol>\(rest)</section>"
            : nil
        let why: Markup? = reason.map { "<p class=\"reason\" dir=\"auto\">\($0)</p>" }
        let body: Markup = """
            <main>
            <p class="state \(state.split(separator: " ").first.map(String.init) ?? "")"><strong>\(state)</strong></p>\(why)
            \(renders.map(item))
            \(line)
            <section aria-labelledby="servers"><h3 id="servers">Servers</h3><ul class="servers">\(away)</ul></section>
            </main>
            """
        return PageHead(kind: "now", title: "sdspool, now", names: [("sdspool-sheet", sheet)], renewsItself: true)
            .document(body)
    }

    private func item(_ render: RenderCard) -> Markup {
        let name = render.ticket.name.description
        let version = render.updated.flatMap(moment).map { Int64($0.timeIntervalSince1970 * 1000) }
        let preview: Markup? = render.preview.map { preview in
            "<img src=\"\(Link(.pages, "active", render.ticket.folder, preview, version: version))\" alt=\"Preview of \(name)\">"
        }
        let words = [
            render.isWaiting ? "waits at the server" : nil, render.progress.map { "\(Int($0 * 100)) %" }, render.steps,
            render.eta.flatMap(spoken).map { "\($0) left" },
        ].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: ", ")
        let value: Markup? = render.progress.map { " value=\"\(Int($0 * 1000))\"" }
        let bar: Markup? =
            render.isWaiting ? nil : "<progress max=\"1000\"\(value) aria-label=\"\(name)\"></progress>"
        let prompt: Markup? = render.prompt.map { "<p class=\"prompt\" dir=\"auto\" title=\"\($0)\">\($0)</p>" }
        return """
            <article class="render">\(preview)<h3 dir="auto">\(name)</h3>\(prompt)\(bar)
            <p class="facts">\(words)</p></article>

            """
    }
}
