// JSON Schema 2020-12, as far as examples/schema/ uses it.

import Foundation
import Testing

/// A JSON value.
enum JSON: Decodable, Equatable {
    case null
    case boolean(Bool)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        // What it is not throws; the last one is told.
        if value.decodeNil() {
            self = .null
        } else if let boolean = try? value.decode(Bool.self) {
            self = .boolean(boolean)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let string = try? value.decode(String.self) {
            self = .string(string)
        } else if let array = try? value.decode([JSON].self) {
            self = .array(array)
        } else {
            self = .object(try value.decode([String: JSON].self))
        }
    }

    subscript(key: String) -> JSON? { if case .object(let members) = self { members[key] } else { nil } }

    var type: String {
        switch self {
        case .null: "null"
        case .boolean: "boolean"
        case .number(let number): number == number.rounded() ? "integer" : "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}

/// A schema of `examples/schema/`.
struct Schema {
    private let root: JSON

    /// A keyword that nobody looks at would promise what is not kept.
    struct UnknownKeyword: Error { let name: String }

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../examples/schema").standardizedFileURL

    /// Reads `NAME.schema.json`. Throws ``UnknownKeyword``.
    init(_ name: String) throws {
        let file = Self.folder.appendingPathComponent("\(name).schema.json")
        root = try JSONDecoder().decode(JSON.self, from: Data(contentsOf: file))
        try Self.check(root)
    }

    /// What is wrong with a document; empty where nothing is.
    func problems(with document: Data) throws -> [String] {
        problems(try JSONDecoder().decode(JSON.self, from: document), root, at: "")
    }

    /// The schema below `path`.
    func part(_ path: String...) -> JSON? { path.reduce(root) { $0?[$1] } }

    // MARK: Keywords

    private static let words: Set = [
        "$schema", "$id", "$ref", "title", "description", "type", "enum", "const", "pattern", "minimum", "maximum",
        "exclusiveMinimum", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
        "required",
    ]

    private static func check(_ schema: JSON) throws {
        guard case .object(let keywords) = schema else { return }
        for (keyword, value) in keywords {
            switch (keyword, value) {
            case ("properties", .object(let parts)), ("$defs", .object(let parts)): try parts.values.forEach(check)
            case ("anyOf", .array(let parts)), ("oneOf", .array(let parts)): try parts.forEach(check)
            case ("items", let part), ("additionalProperties", let part): try check(part)
            default: if !words.contains(keyword) { throw UnknownKeyword(name: keyword) }
            }
        }
    }

    private func problems(_ value: JSON, _ schema: JSON, at place: String) -> [String] {
        guard case .object(let keywords) = schema else {
            return schema == .boolean(false) ? ["\(place): may not be there"] : []
        }
        return keywords.flatMap { problems(value, $0, $1, keywords, at: place) }
    }

    private func problems(
        _ value: JSON, _ keyword: String, _ wanted: JSON, _ keywords: [String: JSON], at place: String
    ) -> [String] {
        func unless(_ isRight: Bool) -> [String] { isRight ? [] : ["\(place): \(value) against \(keyword) \(wanted)"] }
        switch (keyword, wanted, value) {
        case ("$ref", .string(let name), _):
            // All of them are `#/$defs/NAME`.
            guard let schema = root["$defs"]?[String(name.dropFirst(8))] else { return ["\(place): no \(name)"] }
            return problems(value, schema, at: place)
        case ("type", .string(let type), _): return unless(value.isA(type))
        case ("type", .array(let types), _):
            return unless(types.contains { if case .string(let type) = $0 { value.isA(type) } else { false } })
        case ("enum", .array(let values), _): return unless(values.contains(value))
        case ("const", _, _): return unless(value == wanted)
        case ("anyOf", .array(let schemas), _):
            let all = schemas.map { problems(value, $0, at: place) }
            return all.contains([]) ? [] : all.flatMap(\.self)
        case ("oneOf", .array(let schemas), _):
            let all = schemas.map { problems(value, $0, at: place) }
            return all.count { $0.isEmpty } == 1 ? [] : ["\(place): not one of them"] + all.flatMap(\.self)
        case ("minimum", .number(let limit), .number(let number)): return unless(number >= limit)
        case ("maximum", .number(let limit), .number(let number)): return unless(number <= limit)
        case ("exclusiveMinimum", .number(let limit), .number(let number)): return unless(number > limit)
        case ("pattern", .string(let pattern), .string(let text)):
            let expression = try? Regex(pattern)
            return unless(expression.map { text.contains($0) } ?? false)
        case ("minLength", .number(let limit), .string(let text)):
            return unless(Double(text.unicodeScalars.count) >= limit)
        case ("maxLength", .number(let limit), .string(let text)):
            return unless(Double(text.unicodeScalars.count) <= limit)
        case ("minItems", .number(let limit), .array(let items)): return unless(Double(items.count) >= limit)
        case ("maxItems", .number(let limit), .array(let items)): return unless(Double(items.count) <= limit)
        case ("items", _, .array(let items)):
            return items.enumerated().flatMap { problems($1, wanted, at: "\(place)/\($0)") }
        case ("minProperties", .number(let limit), .object(let members)):
            return unless(Double(members.count) >= limit)
        case ("maxProperties", .number(let limit), .object(let members)):
            return unless(Double(members.count) <= limit)
        case ("required", .array(let names), .object(let members)):
            return names.compactMap { name in
                guard case .string(let name) = name, members[name] == nil else { return nil }
                return "\(place): \(name) is missing"
            }
        case ("properties", .object(let schemas), .object(let members)):
            return members.flatMap { name, member in
                schemas[name].map { problems(member, $0, at: "\(place)/\(name)") } ?? []
            }
        case ("additionalProperties", _, .object(let members)):
            return members.flatMap { name, member in
                keywords["properties"]?[name] == nil ? problems(member, wanted, at: "\(place)/\(name)") : []
            }
        // A keyword about another type than this value's; or words.
        default: return []
        }
    }
}

extension JSON {
    fileprivate func isA(_ name: String) -> Bool { type == name || (name == "number" && type == "integer") }
}
