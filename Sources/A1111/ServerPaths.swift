// The paths that a server really has, as its /openapi.json lists them.

import Foundation

/// What a server can be asked.
public struct ServerPaths: Sendable {
    private let methods: [String: Set<String>]
    static let path = "/openapi.json"

    /// A render can be found by the `force_task_id` of its request.
    public var hasTasks: Bool { methods["/internal/progress"]?.contains("POST") == true }

    /// Reads an OpenAPI document; `nil` where it is none.
    init?(_ document: Data) {
        guard let object = try? JSONSerialization.jsonObject(with: document) as? [String: Any],
            let paths = object["paths"] as? [String: [String: Any]], !paths.isEmpty
        else { return nil }
        methods = paths.mapValues { Set($0.keys.map { $0.uppercased() }) }
    }

    /// Why `endpoint` is none of them, with the nearest that are; `nil` where it is one.
    public func problem(with endpoint: Endpoint) -> String? {
        let route = String(endpoint.path.prefix { $0 != "?" })
        // The list does not list itself.
        guard route != Self.path else { return nil }
        let matching = methods.filter { Self.matches(route, template: $0.key) }
        guard !matching.isEmpty else {
            let near = nearest(to: route, among: methods.keys)
            return "the server has no \(route)"
                + (near.isEmpty ? "" : "; did you mean \(near.joined(separator: " or "))?")
        }
        guard !matching.values.contains(where: { $0.contains(endpoint.method) }) else { return nil }
        let known = Set(matching.values.joined()).sorted().joined(separator: ", ")
        return "the server takes \(known) for \(route), and not \(endpoint.method)"
    }

    /// A part in braces stands for any: `/file/{path}`.
    private static func matches(_ route: String, template: String) -> Bool {
        if route == template { return true }
        let parts = route.split(separator: "/", omittingEmptySubsequences: false)
        let pattern = template.split(separator: "/", omittingEmptySubsequences: false)
        // `{path:path}` stands for any number of parts.
        if let last = pattern.last, last.hasSuffix(":path}"), parts.count >= pattern.count {
            return zip(parts, pattern.dropLast()).allSatisfy { $1.hasPrefix("{") || $0 == $1 }
        }
        return parts.count == pattern.count && zip(parts, pattern).allSatisfy { $1.hasPrefix("{") || $0 == $1 }
    }
}
