// What went wrong, and whose fault it is: the classes by which a queue decides what to do.

import Foundation
import JSONText

/// Why a request brought no result.
public struct Failure: Error, Sendable {
    /// What the queue does follows from this alone.
    public enum Class: String, Sendable {
        /// Nobody is there to ask: the queue waits, and the job is not to blame.
        case serverDown = "server down"
        /// The request was sent and no answer came: the render may have run.
        case ambiguous = "no answer"
        /// It may go better the next time.
        case temporary
        /// As temporary, but once is enough.
        case outOfMemory = "out of memory"
        /// It will never go better.
        case permanent
        /// Somebody has stopped the render at the server.
        case interrupted
        /// The server says that it did it, and did not.
        case wrongResult = "wrong result"
    }

    /// Whose fault it is.
    public let `class`: Class
    /// In plain words, with the server's own.
    public let message: String
    /// The status of the answer, where there was one.
    public var status: Int?
    /// The answer: JSON as it came, or text.
    public var answer: JSONValue?
    /// Pictures came all the same and lie in the job's folder: they are kept beside the error.
    public var keepsPictures = false
    /// When the render began, where an answer came that was none (see ``ServerProgress/State/stop(of:)``).
    public var began: String?

    /// A failure that no answer told.
    public init(_ class: Class, _ message: String, status: Int? = nil, answer: JSONValue? = nil) {
        self.class = `class`
        self.message = message
        self.status = status
        self.answer = answer
    }
}

extension Failure {
    /// The same failure, told so long after the request left. A gateway that gives up in the middle of a render (504,
    /// 524) has passed the request on: taken for a server that is away, the job would be rendered again without end.
    public func after(_ elapsed: Duration) -> Failure {
        guard status == 504 || status == 524, elapsed > .seconds(10) else { return self }
        return Failure(.ambiguous, message, status: status, answer: answer)
    }
}

extension Failure {
    /// Classes an answer whose status is not 2xx.
    ///
    /// The words of A1111 1.10.1 and of Forge, SD.Next, koboldcpp and stable-diffusion.cpp; gateways before them.
    public init(status: Int, body: Data, for endpoint: Endpoint) {
        let words = Words(body)
        let said = words.said.isEmpty ? "" : ": \(words.said)"
        let (found, message): (Class, String) =
            switch status {
            case 300..<400:
                (
                    .permanent,
                    "the server sent a redirect (\(status)), which is not followed: give the daemon the URL "
                        + "where it leads"
                )
            // Gradio forbids files that it was not told to give; that is no matter of who asks.
            case 403 where !endpoint.isKnown: (.permanent, "the server refused it (\(status))\(said)")
            case 401, 403:
                (
                    .serverDown,
                    "the server asks for a user and a password (\(status)): put them into --server as "
                        + "http://USER:PASSWORD@HOST:PORT, or into a file for --credentials"
                )
            case 429: (.serverDown, "the server says that it was asked too often (429)")
            case 502, 503, 504, 520...530: (.serverDown, "the server is busy or its gateway finds it away (\(status))")
            // A gateway that has lost its server may say 404, too, in words of its own.
            case 404
            where words.isBareNotFound && endpoint.isKnown || words.isForeign && endpoint.service?.drawsSeeds == true:
                (
                    .serverDown,
                    "the server answers, but not its API: is it still starting, or was it started without "
                        + "--api?"
                )
            case 500 where words.all.contains("default_script_arg_"):
                (.serverDown, "the server is still starting")
            case 500... where words.isOutOfMemory:
                (.outOfMemory, "the server ran out of memory\(said)")
            case 500... where words.isPermanent, 400..<500:
                (.permanent, "the server refused it (\(status))\(said)")
            default: (.temporary, "the server failed (\(status))\(said)")
            }
        self.init(found, message, status: status, answer: words.answer)
    }

    /// What the body of an error says, whatever its shape.
    private struct Words {
        /// `error`, `detail`, `errors`, `message`: the first that say something.
        let said: String
        /// The whole text.
        let all: String
        let answer: JSONValue?
        let isBareNotFound: Bool
        /// Words, and none of an API's.
        let isForeign: Bool

        init(_ body: Data) {
            let text = String(decoding: body.prefix(64 << 10), as: UTF8.self)
            all = text
            // The tokenizer does not look into strings, and a report must be UTF-8 throughout.
            let isText = String(validating: body, as: UTF8.self) != nil
            let object = isText ? try? ObjectText(body) : nil
            answer = body.isEmpty ? nil : object != nil ? .raw(body) : .string(text)
            var parts: [String] = []
            for key in ["error", "detail", "errors", "message"] {
                guard let value = object?.value(of: key) else { continue }
                if let words = try? JSONDecoder().decode(String.self, from: value) {
                    if !words.isEmpty, !parts.contains(words), words != "HTTPException" { parts.append(words) }
                } else if let list = try? JSONDecoder().decode([Detail].self, from: value) {
                    parts += list.map(\.words)
                }
            }
            let words = parts.joined(separator: ": ")
            // A line of the log, and a sentence for a person; the whole of it is in the answer.
            said = words.utf8.count <= 4000 ? words : words.prefix(1000) + " …"
            isForeign = object == nil && !body.isEmpty
            isBareNotFound = object?.members.map(\.key) == ["detail"] && said == "Not Found"
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
}

extension Endpoint {
    /// Every server with this API has it, so a 404 means that the API is not there.
    var isKnown: Bool {
        let route = String(path.prefix { $0 != "?" })
        let queries = ["progress", "options", "samplers", "sd-models", "upscalers", "interrogate", "png-info"]
        return service != nil || queries.contains { route == "/sdapi/v1/\($0)" }
    }
}
