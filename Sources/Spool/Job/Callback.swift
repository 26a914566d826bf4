// Where a job wants its end to be told: a URL, as the job file has it, and the part of it that may be shown.

import Foundation
import Linux

/// A URL to which the result of a job is sent. User and password may stand in it, and secrets in its path: only its host is
/// ever shown.
package struct Callback: Hashable, Sendable, CustomStringConvertible {
    /// In which form the end is told.
    package enum Form: String, Codable, Sendable {
        /// The bytes of result.json or error.json.
        case json
        /// Fields and the pictures, as Agent Scheduler sends them.
        case multipart
    }

    /// As it was written, to be kept until it is needed.
    package let text: String
    /// See ``Form``.
    package let form: Form
    /// Without credentials.
    package let url: URL
    /// For name look-ups: an IPv6 address stands in no brackets.
    package let host: String
    /// As named, or the scheme's own: 80 or 443.
    package let port: UInt16
    /// The value of the Authorization header, where there are credentials.
    package let authorization: String?

    /// Scheme, host and port: who is told, and all that a log may show.
    package var description: String {
        "\(isSecure ? "https" : "http")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }

    /// Whether it is reached by https.
    package var isSecure: Bool { url.scheme == "https" }

    private static let longest = 4096

    /// Reads `http[s]://[USER:PASSWORD@]HOST[:PORT][/PATH][?QUERY]`; `nil` for anything else, and for what is longer than
    /// 4096 bytes.
    package init?(_ text: String, form: Form = .json) {
        guard text.utf8.count <= Self.longest, var parts = URLComponents(string: text),
            let scheme = parts.scheme?.lowercased(), ["http", "https"].contains(scheme),
            let host = parts.host?.trimmingCharacters(in: CharacterSet(charactersIn: "[]")), !host.isEmpty,
            host.utf8.allSatisfy({ (0x21...0x7e).contains($0) }), parts.fragment == nil,
            let port = UInt16(exactly: parts.port ?? (scheme == "https" ? 443 : 80)), port > 0
        else { return nil }
        authorization = parts.user.map { user in
            "Basic " + Data("\(user):\(parts.password ?? "")".utf8).base64EncodedString()
        }
        parts.user = nil
        parts.password = nil
        parts.scheme = scheme
        guard let url = parts.url else { return nil }
        self.text = text
        self.form = form
        self.url = url
        self.host = host.lowercased()
        self.port = port
    }
}

extension ActiveJob {
    /// What its job file names; `nil` where that is no job or many, cannot be read, or is gone. For those who have not read the file: it may
    /// have been refused because it has no end, so one that is larger than usual is not read.
    func writtenCallback() throws(SystemError) -> Callback? {
        guard let size = try folder.status(of: file)?.size, size <= JobFile.usualCap else { return nil }
        guard let content = try folder.readable(file, upTo: JobFile.usualCap) else { return nil }
        // What is no job names nobody.
        guard case .job(let job)? = try? Submission(content, kind: kind) else { return nil }
        return job.jobOptions.callback
    }
}
