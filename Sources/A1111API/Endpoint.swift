// What a job asks for: one of the services that the queue renders by, or anything else that the server can do.

/// A method and a path on the server.
package struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    /// The endpoints that render: the queue's own services.
    package enum Service: String, CaseIterable, Sendable {
        case txt2img, img2img
        case extraSingle = "extra-single-image"
        case extraBatch = "extra-batch-images"

        /// Where the server has it.
        package var path: String { "/sdapi/v1/\(rawValue)" }
        /// Whether it samples: a seed decides what comes out, and an interrupt ends it early with a 200.
        package var drawsSeeds: Bool { self == .txt2img || self == .img2img }
    }

    /// Upper case.
    package let method: String
    /// Begins with `/`; may have a query.
    package let path: String
    /// `nil` where the daemon is a middleman.
    package let service: Service?

    /// It only asks: the server's one renderer is not used, so it need not wait for it.
    package var isQuery: Bool { method == "GET" }

    /// It stops or restarts the server itself: A1111's `server-kill`, `server-stop` and `server-restart`, and SD.Next's
    /// `shutdown` and `restart`.
    package var isControl: Bool {
        guard service == nil else { return false }
        let parts = Self.segments(of: path)
        guard parts.first == "sdapi", parts.count > 2 else { return false }
        return ["server", "shutdown", "restart"].contains { parts[2] == $0 || parts[2].hasPrefix("\($0)-") }
    }

    /// As in a request line.
    package var description: String { "\(method) \(path)" }

    /// Takes what the job names, or chooses by what its body holds: `init_images` means img2img, `imageList`
    /// extra-batch-images, `image` with an upscaler's keys extra-single-image, anything else txt2img.
    ///
    /// Throws ``EndpointError`` where the path is none on the configured server.
    package init(named path: String?, method: String?, bodyKeys keys: Set<String>) throws(EndpointError) {
        let chosen = path ?? Self.service(for: keys).path
        guard chosen.utf8.count <= Self.longestPath else {
            throw EndpointError(
                message: "\"sdspool\".\"endpoint\" has \(chosen.utf8.count) characters; servers take at most "
                    + "\(Self.longestPath)")
        }
        let service = Service.allCases.first { $0.path == chosen }
        guard service != nil || Self.isPlainPath(chosen) else {
            throw EndpointError(
                message: "\"sdspool\".\"endpoint\" must be a path on the server such as \"/sdapi/v1/options\", "
                    + "without a scheme, a host, .. or blanks; it is \"\(chosen)\"")
        }
        self.path = chosen
        let method = method?.uppercased() ?? (service != nil || !keys.isEmpty ? "POST" : "GET")
        guard ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(method) else {
            throw EndpointError(
                message: "\"sdspool\".\"method\" must be GET, POST, PUT, PATCH or DELETE, not \(method)")
        }
        self.method = method
        self.service = method == "POST" ? service : nil
    }

    /// Of the path and its query. Uvicorn, which carries A1111, takes 64 KiB for the whole head.
    private static let longestPath = 32 << 10

    private static func service(for keys: Set<String>) -> Service {
        if keys.contains("init_images") { return .img2img }
        if keys.contains("imageList") { return .extraBatch }
        let prefixes = ["upscal", "gfpgan", "codeformer"]
        let upscaling = keys.contains { key in key == "resize_mode" || prefixes.contains { key.hasPrefix($0) } }
        return keys.contains("image") && upscaling ? .extraSingle : .txt2img
    }

    /// So many may unescape a path, one after the other. More levels than that are no path that anybody uses, and 32 KiB of
    /// `%252525…` would have sixteen thousand, each as long to look at as the last.
    private static let gateways = 4

    /// The parts of a path as a server may see them: unescaped, perhaps by a gateway before it as well, without empty
    /// ones, in small letters.
    private static func segments(of path: String) -> [Substring] {
        var route = String(path.prefix { $0 != "?" })
        for _ in 0..<gateways {
            guard let plain = route.removingPercentEncoding, plain != route else { break }
            route = plain
        }
        return route.lowercased().split(separator: "/")
    }

    private static func isPlainPath(_ path: String) -> Bool {
        // `//host/x` is a URL of another host.
        guard path.hasPrefix("/"), !path.hasPrefix("//"), !path.contains("#"), !path.contains("\\") else {
            return false
        }
        guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return false }
        let segments = segments(of: path)
        return !segments.contains("..") && !segments.contains(".")
    }
}

/// Why a job's endpoint is none.
package struct EndpointError: Error, Hashable, Sendable {
    /// In plain words.
    package let message: String

    /// An error that reads so.
    package init(message: String) { self.message = message }
}
