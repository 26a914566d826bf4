// Files of the spool over HTTP: the page, results, previews. A name that leads elsewhere leads nowhere.

import Foundation
import HTTP
import Linux
import Page
import Spool

/// Serves the page and what it links to.
struct FileHandler: Sendable {
    let spool: Spool

    func file(_ path: [FileName]) throws -> Response {
        guard let file = try Results(spool).file(at: path), let name = path.last else {
            return .plain(404, "there is no such file")
        }
        let isPage = path.count == 1 && name == "index.html" || path.count == 2 && path[0] == "pages"
        return .file(
            try FileBody(file),
            as: isPage ? "text/html; charset=utf-8" : PictureLink.type(of: name) ?? "text/plain; charset=utf-8")
    }

    /// The files that ``file(_:)`` would send: neither hidden ones, nor links, nor pipes.
    func listing(of folder: FileName) throws -> Response {
        guard let job = try Results(spool).ended(folder), job.ending == .done else {
            return .plain(404, "there is no such folder")
        }
        let files = try job.folder.entries().filter {
            try $0.bytes.first != UInt8(ascii: ".") && job.folder.status(of: $0)?.kind == .file
        }
        return .page(.bytes(Array(Listing(of: folder, files).document)), as: "text/html; charset=utf-8")
    }
}

extension Response {
    /// A file of the spool.
    static func file(_ source: FileBody, as type: String) -> Response {
        .page(.stream(.length(source.size)) { writer in try await source.write(to: writer) }, as: type)
    }

    /// What a browser may show, and no page of somebody else's may have.
    static func page(_ body: Response.Body, as type: String) -> Response {
        Response(
            status: 200,
            headers: [
                "Content-Type": type, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache",
                "Cross-Origin-Resource-Policy": "same-origin",
                // Nobody else's page may have it in a frame: what it shows it tells to the page around it. In the page itself
                // a policy cannot say so.
                "Content-Security-Policy": "frame-ancestors 'self'",
            ], body: body)
    }
}
