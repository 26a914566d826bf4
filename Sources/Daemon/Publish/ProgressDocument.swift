// progress.json: how far a render is, for people and programs that look into active/.

import A1111
import Foundation
import JSONText
import Linux
import Spool

/// What can be said of a render that is under way.
struct ProgressDocument {
    /// What the server tells; `nil` where the render waits there behind others.
    var progress: ServerProgress?
    var asked: RequestedRender?
    var preview: FileName?
    var now: Timestamp

    /// The text of progress.json. All that the server does not tell, or tells nonsense about, is left out.
    var document: Data {
        guard let progress else { return JSONValue.object([state("waiting at the server"), updated]).document }
        let told = progress.state
        var members = [
            state("rendering"), ("progress", number(min(1, max(0, progress.progress)), places: 3)),
        ]
        if told.sampling_steps > 0, (0...told.sampling_steps).contains(told.sampling_step) {
            members += [
                ("step", .integer(Int64(told.sampling_step))), ("steps", .integer(Int64(told.sampling_steps))),
            ]
        }
        if let (picture, pictures) = asked?.place(of: told) {
            members += [("picture", .integer(Int64(picture))), ("pictures", .integer(Int64(pictures)))]
        }
        // While a model loads (job_count −1) and until the first step is done it is a guess from nothing.
        if told.job_count ?? 1 > 0, progress.progress > 0.01, (0.001..<1e8).contains(progress.eta_relative) {
            members.append(("eta", number(progress.eta_relative, places: 1)))
        }
        if let preview { members.append(("preview", .string(preview.description))) }
        return JSONValue.object(members + [updated]).document
    }

    private func state(_ words: String) -> (String, JSONValue) { ("state", .string(words)) }

    private var updated: (String, JSONValue) { ("updated", .string(now.iso8601)) }

    /// JSON knows neither infinity nor NaN.
    private func number(_ value: Double, places: Int) -> JSONValue {
        guard value.isFinite else { return .null }
        let scale = pow(10, Double(places))
        return .raw(Data("\((value * scale).rounded() / scale)".utf8))
    }
}
