// What a page shows of a result, a failure and a render: few words, read from documents that anybody may have written.

import Foundation
import JSONText
import Linux
import Spool

/// A folder of done/, as the contact sheet shows it.
package struct ResultCard: Sendable {
    struct Picture: Sendable {
        let file: FileName
        let width, height: Int?
        let seed: String?
    }
    /// In done/.
    package let folder: FileName
    let job: FileName?
    /// When its result was written.
    package let ended: Timestamp
    var prompt: String?
    /// What was done, where it has no prompt.
    var deed: String?
    var pictures: [Picture] = []
    /// How many pictures there are, shown or not.
    var count = 0
    /// The server's work, in seconds.
    var seconds: Double?
    var warnings: [String] = []

    /// So much of a text is shown.
    static let longest = 1_000
    /// So many pictures of one result are.
    static let most = 4

    /// - Parameters:
    ///   - job: the file that was dropped, if it is there.
    ///   - document: result.json, or its beginning.
    package init(folder: FileName, job: FileName?, ended: Timestamp, document: Data) {
        self.folder = folder
        self.job = job
        self.ended = ended
        let members = JSONPrefix(
            document,
            ["endpoint", "method", "status", "parts", "images", "parameters", "warnings", "started", "finished"])
        let images = members.list("images").map { JSONPrefix($0) }
        count = images.count
        pictures = images.prefix(Self.most).compactMap(Picture.init)
        warnings = members.list("warnings").prefix(3).compactMap { ($0 as? String).map(shortened) }
        prompt = (members.object("parameters").text("prompt") ?? images.first?.text("infotext").map(Self.prompt))
            .map(shortened).flatMap { $0.isEmpty ? nil : $0 }
        if let started = members.text("started").flatMap(moment), let end = members.text("finished").flatMap(moment) {
            seconds = end.timeIntervalSince(started)
        }
        if let endpoint = members.text("endpoint") {
            let status = members.whole("status").map { ", \($0)" } ?? ""
            deed = shortened("\(members.text("method").map { "\($0) " } ?? "")\(endpoint)\(status)")
        } else if !members.list("parts").isEmpty {
            deed = "\(members.list("parts").count) jobs"
        }
    }

    /// What stands in A1111's infotext before its parameters.
    private static func prompt(of infotext: String) -> String {
        let ends = ["\nNegative prompt: ", "\nSteps: "].compactMap { infotext.range(of: $0)?.lowerBound }
        return ends.min().map { String(infotext[..<$0]) } ?? infotext
    }
}

extension ResultCard.Picture {
    init?(_ image: JSONPrefix) {
        guard let file = image.text("file").flatMap({ FileName(bytes: Array($0.utf8)) }) else { return nil }
        self.file = file
        (width, height) = (image.whole("width"), image.whole("height"))
        seed = image.whole("seed").map(String.init)
    }
}

/// A folder of failed/, with its reason.
package struct FailureCard: Sendable {
    let folder: FileName
    let job: FileName?
    let ended: Timestamp
    let `class`: String
    let message: String

    /// - Parameters:
    ///   - job: the file that was dropped, if it is there.
    ///   - document: error.json, or its beginning.
    package init(folder: FileName, job: FileName?, ended: Timestamp, document: Data) {
        self.folder = folder
        self.job = job
        self.ended = ended
        let members = JSONPrefix(document, ["class", "message"])
        `class` = shortened(members.text("class") ?? "")
        message = shortened(members.text("message") ?? "error.json does not say why")
    }
}

/// A job that is being rendered.
package struct RenderCard: Sendable {
    let ticket: Ticket
    let server: String
    var prompt: String?
    var progress: Double?
    var steps: String?
    var eta: Double?
    var preview: FileName?
    var updated: String?
    var isWaiting = false

    /// - Parameters:
    ///   - prompt: of the job, where it has one.
    ///   - document: progress.json, if there is one.
    package init(_ ticket: Ticket, server: String, prompt: String?, document: Data?) {
        self.ticket = ticket
        self.server = server
        self.prompt = prompt
        guard let document else { return }
        let members = JSONPrefix(
            document,
            ["state", "progress", "step", "steps", "picture", "pictures", "eta", "preview", "updated"])
        isWaiting = members.text("state") == "waiting at the server"
        progress = members.number("progress").map { min(1, max(0, $0)) }
        eta = members.number("eta")
        preview = members.text("preview").flatMap { FileName(bytes: Array($0.utf8)) }
        updated = members.text("updated")
        let step = members.whole("step").flatMap { step in members.whole("steps").map { "step \(step) of \($0)" } }
        let picture = members.whole("picture").flatMap { picture in
            members.whole("pictures").flatMap { $0 > 1 ? "picture \(picture) of \($0)" : nil }
        }
        steps = [picture, step].compactMap { $0 }.joined(separator: ", ")
    }

    /// The prompt in a job file, or in its beginning; `nil` where none lies there.
    package static func prompt(ofJob content: Data) -> String? {
        JSONPrefix(content, ["prompt"]).text("prompt").map(shortened).flatMap { $0.isEmpty ? nil : $0 }
    }
}

private func shortened(_ text: String) -> String {
    let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
    // By scalars: what somebody calls one character may be a megabyte of accents.
    let scalars = text.unicodeScalars.prefix(ResultCard.longest)
    return scalars.endIndex == text.unicodeScalars.endIndex ? text : String(scalars) + "…"
}

/// The moment that our documents name: ISO 8601 in UTC.
func moment(_ text: String) -> Date? {
    // What is no moment is not shown as one.
    try? Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(text)
}
