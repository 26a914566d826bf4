// The paths that a server really has, as its /openapi.json lists them.

import A1111API
import Foundation

/// What a server can be asked.
package struct ServerPaths: Sendable {
    private let methods: [String: Set<String>]
    static let path = "/openapi.json"
    private static let root = "/sdapi/"

    /// A render can be found by the `force_task_id` of its request.
    package var hasTasks: Bool { methods["/internal/progress"]?.contains("POST") == true }

    /// Reads an OpenAPI document; `nil` where it is none.
    init?(_ document: Data) {
        guard let object = try? JSONSerialization.jsonObject(with: document) as? [String: Any],
            let paths = object["paths"] as? [String: [String: Any]], !paths.isEmpty
        else { return nil }
        methods = paths.mapValues { Set($0.keys.map { $0.uppercased() }) }
    }

    /// Why `endpoint` is none of them, with the nearest that are; `nil` where it is one.
    package func problem(with endpoint: Endpoint) -> String? {
        let route = String(endpoint.path.prefix { $0 != "?" })
        // The list does not list itself.
        guard route != Self.path else { return nil }
        // Without --api the web UI keeps a list as well: what is missing from it is the whole API, and that may come.
        guard !route.hasPrefix(Self.root) || methods.keys.contains(where: { $0.hasPrefix(Self.root) }) else {
            return nil
        }
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

    /// A part in braces stands for any: `/user/{id}`, `/file={name}`. One that is called a path stands for several, with
    /// what lies between: FastAPI's list has `{x:path}` without the word that says so.
    private static func matches(_ route: String, template: String) -> Bool {
        if route == template { return true }
        let parts = route.split(separator: "/", omittingEmptySubsequences: false)
        let pattern = template.split(separator: "/", omittingEmptySubsequences: false)
        let isDeep = pattern.last.map { $0.contains("{") && $0.contains("path") } ?? false
        guard isDeep ? parts.count >= pattern.count : parts.count == pattern.count else { return false }
        return zip(parts, pattern).allSatisfy { part, pattern in
            guard let brace = pattern.firstIndex(of: "{") else { return part == pattern }
            return part.hasPrefix(pattern[..<brace])
        }
    }
}
