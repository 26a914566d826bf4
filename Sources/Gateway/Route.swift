// Which request is whose: the gateway's own services, or the server's.

import A1111
import A1111API
import Foundation
import Linux
import Spool

/// What is asked for.
enum Route: Equatable, Sendable {
    /// A render, whose answer is waited for.
    case render(Endpoint.Service)
    /// What a job is up to, or, with DELETE, its end.
    case job(String)
    /// A picture of a job, counted from 1.
    case picture(String, Int)
    case queue
    case events
    /// A route of somebody else's, by the index of its prefix, and what follows that.
    case mounted(Int, [String])
    /// A file that lies in the spool.
    case file([FileName])
    /// What lies in a folder of done/.
    case result(FileName)
    /// Nobody's here, and not the server's either.
    case nowhere
    /// One of ours, asked in the wrong way.
    case wrongMethod(allowed: String)
    /// Passed on.
    case proxy

    init(_ method: String, _ path: String, mounted: [String] = []) {
        let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        // As the server would read it: what it takes for a render is one, or it would be rendered beside the queue.
        let plain = path.removingPercentEncoding ?? path
        if let service = Endpoint.Service.allCases.first(where: { [$0.path, "\($0.path)/"].contains(plain) }) {
            self = method == "POST" ? .render(service) : .wrongMethod(allowed: "POST")
        } else if path.hasPrefix("/spool/v1/") {
            self = Self.own(method, Array(parts.dropFirst(2)))
        } else if let index = mounted.firstIndex(where: path.hasPrefix) {
            let depth = mounted[index].split(separator: "/").count
            self = .mounted(index, parts.dropFirst(depth).map { $0.removingPercentEncoding ?? $0 })
        } else if let place = Self.place(parts) {
            self = ["GET", "HEAD"].contains(method) ? place : .wrongMethod(allowed: "GET, HEAD")
        } else {
            self = .proxy
        }
    }

    private static func own(_ method: String, _ parts: [String]) -> Route {
        func asked(_ methods: [String], _ route: Route) -> Route {
            methods.contains(method) ? route : .wrongMethod(allowed: methods.joined(separator: ", "))
        }
        let name = parts.count > 1 ? parts[1].removingPercentEncoding : nil
        switch (parts.first, parts.count) {
        case ("queue", 1): return asked(["GET", "HEAD"], .queue)
        case ("events", 1): return asked(["GET"], .events)
        case ("jobs", 2): return name.map { asked(["GET", "HEAD", "DELETE"], .job($0)) } ?? .nowhere
        case ("jobs", 4) where parts[2] == "images":
            guard let name, let number = Int(parts[3]), number > 0 else { return .nowhere }
            return asked(["GET", "HEAD"], .picture(name, number))
        default: return .nowhere
        }
    }

    /// The page, and what it links to.
    private static func place(_ parts: [String]) -> Route? {
        if parts == [""] || parts == ["index.html"] { return .file(["index.html"]) }
        if parts == ["status.json"] || parts == ["metrics.prom"] {
            return .file(parts.compactMap { FileName(bytes: $0.utf8) })
        }
        guard let first = parts.first, ["pages", "done", "failed", "active"].contains(first), parts.count > 1 else {
            return nil
        }
        // A part that is no name of a file, such as an escaped .., names nothing.
        let names = parts.map { $0.removingPercentEncoding.flatMap { FileName(bytes: $0.utf8) } }
        if first == "done", parts.count == 3, parts[2].isEmpty, let name = names[1] { return .result(name) }
        guard !names.contains(nil) else { return .nowhere }
        // Of what is rendered the picture is shown, and neither the job nor what others may have laid beside it. What is
        // not there is not the server's either: an open page asks for it every two seconds.
        let isShown = first != "active" || parts.count == 3 && previews.contains(parts[2])
        return isShown ? .file(names.compactMap { $0 }) : .nowhere
    }

    private static let previews = ["preview.png", "preview.jpg", "preview.webp"]
}
