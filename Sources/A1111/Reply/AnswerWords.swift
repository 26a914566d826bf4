// The words of an answer that is no result, whatever their shape: an API's errors, a gateway's page, a line of text.

import Foundation
import JSONText

/// What the body of an answer says.
struct AnswerWords {
    /// `error`, `detail`, `errors`, `message`: the first that say something.
    let said: String
    /// The whole text.
    let all: String
    /// For error.json: JSON as it came, or text.
    let answer: JSONValue?
    /// Says errors as the API of A1111 and its kin does: an object with one of their keys, or a bare string (SD.Next).
    let isAPI: Bool
    /// FastAPI's answer to a path that it does not have.
    let isBareNotFound: Bool

    private static let keys = ["error", "detail", "errors", "message"]

    init(_ body: Data) {
        let text = String(decoding: body.prefix(64 << 10), as: UTF8.self)
        all = text
        // The tokenizer does not look into strings, and a report must be UTF-8 throughout.
        let isText = String(validating: body, as: UTF8.self) != nil
        let object = isText ? try? ObjectText(body) : nil
        answer = body.isEmpty ? nil : object != nil ? .raw(body) : .string(text)
        var parts: [String] = []
        for key in Self.keys {
            guard let value = object?.value(of: key) else { continue }
            if let words = try? JSONDecoder().decode(String.self, from: value) {
                if !words.isEmpty, !parts.contains(words), words != "HTTPException" { parts.append(words) }
            } else if let list = try? JSONDecoder().decode([Detail].self, from: value) {
                parts += list.map(\.words)
            }
        }
        let bare = object == nil && isText ? try? JSONDecoder().decode(String.self, from: body) : nil
        if let bare { parts = [bare] }
        let words = parts.joined(separator: ": ")
        // A line of the log, and a sentence for a person; the whole of it is in the answer.
        said = words.utf8.count <= 4000 ? words : words.prefix(1000) + " …"
        let keys = object?.members.map(\.key) ?? []
        isAPI = bare != nil || !Set(keys).isDisjoint(with: Self.keys)
        isBareNotFound = keys == ["detail"] && said == "Not Found"
    }

    /// What a page or a line of text is about: its title, else its beginning; empty where there is nothing to read.
    var gist: String {
        let found = all.firstMatch(of: /(?i)<title[^>]*>([^<]*)/).map { String($0.output.1) }
        let words = (found ?? (all.contains("<") ? "" : all)).split(whereSeparator: \.isWhitespace).joined(
            separator: " ")
        return words.count <= 120 ? words : words.prefix(120) + " …"
    }

    var isOutOfMemory: Bool {
        ["OutOfMemoryError", "out of memory", "can't allocate memory"].contains { all.contains($0) }
    }

    /// What a second attempt would meet again: the request is to blame and not the moment.
    var isPermanent: Bool {
        ["Invalid encoded image", "KeyError", "could not find upscaler", "not found", "Invalid image format"]
            .contains { all.contains($0) }
    }
}

/// One complaint of FastAPI's validation: `{"loc": ["body", "steps"], "msg": …, "type": …}`.
private struct Detail: Decodable {
    let loc: [Step]?
    let msg: String

    var words: String {
        let path = (loc ?? []).map(\.text).drop { $0 == "body" }.joined(separator: ".")
        return path.isEmpty ? msg : "\(path): \(msg)"
    }

    struct Step: Decodable {
        let text: String
        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            text = try (try? container.decode(String.self)) ?? String(container.decode(Int.self))
        }
    }
}
