// Whose fault an answer is that brought no result: one table.
//
// An answer in the API's own words is about the job that was sent. Anything else (a web page, a redirect, a word of a
// proxy or a tunnel, a status that gateways use) may be about the job or about the way to the server, and only the server
// can show which: whoever gets it asks for /sdapi/v1/options (``Client/probe()``). If that is answered, the answer was the
// job's (``Failure/clarified(for:)``); if not, the queue waits and no job is blamed. The words known here are those of
// A1111 1.10.1, Forge, SD.Next, koboldcpp and stable-diffusion.cpp.

import A1111API
import Foundation
import JSONText

/// Whose fault an answer is.
enum Blame: Hashable {
    /// The job's; the class says how often it is tried.
    case job(Failure.Class)
    /// The moment's: again later, and no attempt is counted.
    case moment
    /// Not told by the answer: ask the server.
    case unclear

    /// The first row that fits holds.
    init(status: Int, words: AnswerWords, endpoint: Endpoint) {
        self =
            switch status {
            // Payment Required, Request Timeout, Too Early, Too Many Requests.
            case 402, 408, 425, 429: .moment
            // Content Too Large, URI Too Long: so is the next attempt.
            case 413, 414: .job(.permanent)
            // The API is there, its scripts are not loaded yet.
            case 500 where words.all.contains("default_script_arg_"): .moment
            // Logins, proxies, gateways, tunnels (Cloudflare: 520 to 530), whatever their words.
            case ..<200, 300..<400, 401, 403, 405, 407, 502, 503, 504, 520...530: .unclear
            // Without --api, or before it is loaded, the web UI says this of paths that every server has.
            case 404 where words.isBareNotFound && endpoint.isKnown: .unclear
            case _ where !words.isAPI: .unclear
            case 500... where words.isOutOfMemory: .job(.outOfMemory)
            case 500... where words.isPermanent: .job(.permanent)
            case 400..<500: .job(.permanent)
            default: .job(.temporary)
            }
    }

    var `class`: Failure.Class {
        switch self {
        case .job(let known): known
        case .moment: .notNow
        case .unclear: .unclear
        }
    }
}

extension Failure {
    /// Classes an answer whose status is not 2xx.
    ///
    /// - Parameter headers: of the answer, names in lower case.
    package init(status: Int, body: Data, headers: [String: String] = [:], for endpoint: Endpoint) {
        let words = AnswerWords(body)
        let found = Blame(status: status, words: words, endpoint: endpoint).class
        self.init(
            found, Self.sentence(found, status, words, headers["location"]), status: status, answer: words.answer)
        if found == .notNow { retryAfter = headers["retry-after"].flatMap { Self.delay($0) } }
    }

    /// The server answers its API, so an unclear answer was about this job: 3 attempts, or none more where the next one
    /// could only be told the same. Others are as they were.
    package func clarified(for endpoint: Endpoint) -> Failure {
        guard self.class == .unclear else { return self }
        switch status ?? 0 {
        // A 2xx that is no result: a web page, a line of text.
        case 200..<300: return blamed(.wrongResult)
        // A firewall that does not like a prompt may like the next attempt at it; one that guards a path will not.
        case 401, 403, 407: return blamed(endpoint.isKnown ? .temporary : .permanent)
        case 300..<500: return blamed(.permanent)
        // A gateway has passed the request on and lost the server: it may have rendered, and may still.
        case 502, 504, 520...530: return blamed(.ambiguous)
        case 500...: return blamed(.temporary)
        // No HTTP at all.
        default: return blamed(.ambiguous)
        }
    }

    /// A "not now" that is said to all jobs, and not to this one.
    package var isForAll: Bool { self.class == .notNow && (status == 402 || status == 429) }

    /// The gateway has lost the server that it passed the request on to.
    package var isLostByGateway: Bool { [502, 503, 504].contains(status) || (520...530).contains(status ?? 0) }

    /// The gateway has given up waiting; the render may go on (nginx: 504, Cloudflare: 524).
    package var isGatewayTimeout: Bool { status == 504 || status == 524 }

    private static func sentence(
        _ found: Class, _ status: Int, _ words: AnswerWords, _ location: String?
    ) -> String {
        let said = words.said.isEmpty ? "" : ": \(words.said)"
        switch (found, status) {
        case (.notNow, 429): return "the server says that it was asked too often (429)"
        case (.notNow, 402): return "the server wants to be paid before it goes on (402)\(said)"
        case (.notNow, 500): return "the server is still starting"
        case (.notNow, _): return "the server, or a gateway before it, says not now (\(status))"
        case (.unclear, 300..<400):
            let target = location.map { " to \(shown($0))" } ?? ""
            return "it redirects\(target) (\(status)), and redirects are not followed: give the daemon the URL that "
                + "leads to the API, and a login if it needs one"
        case (.unclear, 401):
            return "the server asks for a user and a password (401): put them into --server as "
                + "http://USER:PASSWORD@HOST:PORT, or into a file for --credentials"
        case (.unclear, 403): return "the server, or a gateway before it, forbids it (403)\(said)\(gist(words))"
        case (.unclear, 407): return "a proxy before the server asks for a password (407)"
        case (.unclear, 504), (.unclear, 524):
            return "a gateway gave up waiting for the server (\(status)); the render may go on there\(said)"
        case (.unclear, 502), (.unclear, 503), (.unclear, 520...530):
            return "the server is busy or its gateway finds it away (\(status))\(said)\(gist(words))"
        case (.unclear, 404), (.unclear, 405):
            return "the server answers, but not its API (\(status)): is it still starting, or was it started without "
                + "--api?\(gist(words))"
        case (.unclear, 400) where words.all.contains("HTTPS port"):
            return "its port speaks https, and the daemon was given http (400)\(gist(words))"
        case (.unclear, _): return "it answered \(status) in words that are not the API's\(said)\(gist(words))"
        case (.outOfMemory, _): return "the server ran out of memory\(said)"
        case (.permanent, _): return "the server refused it (\(status))\(said)"
        default: return "the server failed (\(status))\(said)"
        }
    }

    private static func gist(_ words: AnswerWords) -> String {
        words.isAPI || words.gist.isEmpty ? "" : " (\"\(words.gist)\")"
    }

    /// A URL without what may be secret in it: user, password, query.
    private static func shown(_ location: String) -> String {
        guard var parts = URLComponents(string: location) else { return "another place" }
        (parts.user, parts.password, parts.query, parts.fragment) = (nil, nil, nil, nil)
        return parts.string ?? "another place"
    }

    /// RFC 9110 section 10.2.3: seconds, or a date (section 5.6.7). Nobody is left alone for more than an hour.
    static func delay(_ text: String, now: Date = Date()) -> Duration? {
        let seconds: Double
        if let number = Int(text) {
            seconds = Double(number)
        } else {
            let format = DateFormatter()
            format.locale = Locale(identifier: "en_US_POSIX")
            format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
            guard let date = format.date(from: text) else { return nil }
            seconds = date.timeIntervalSince(now)
        }
        return .milliseconds(Int64(max(0, min(3600, seconds)) * 1000))
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
