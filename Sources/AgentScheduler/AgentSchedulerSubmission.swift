// From what Agent Scheduler takes to a job: A1111's body, and beside it a checkpoint, a VAE and somebody to be told. These
// are put where the server and the queue look for them; nothing else of the text is changed.

import A1111
import A1111API
import Foundation
import Gateway
import HTTP
import JSONText
import Spool

/// A body of queue/txt2img or queue/img2img.
struct AgentSchedulerSubmission {
    /// The job file.
    let job: Data
    /// What it may be called.
    let words: String

    /// What cannot be taken, and what of the body it is about.
    struct Mistake: Error, Equatable {
        let key: String
        let message: String
        let kind: String
    }

    /// Without pictures there would be no result: whoever waits for it comes for them later.
    private static let own: Set<String> = ["checkpoint", "vae", "callback_url", "send_images"]

    /// Throws ``Mistake``.
    init(_ body: ObjectText, for service: Endpoint.Service) throws(Mistake) {
        var settings: [(key: String, value: Data)] = []
        // A program that was made to use what the server has loaded says so.
        if let checkpoint = try Self.text("checkpoint", body), checkpoint != "System" {
            settings.append(("sd_model_checkpoint", JSONString.encoded(checkpoint)))
        }
        if let vae = try Self.text("vae", body) { settings.append(("sd_vae", JSONString.encoded(vae))) }
        var changes: [(key: String, value: Data)] = []
        if !settings.isEmpty {
            let given = try Self.object("override_settings", body)
            changes.append(("override_settings", given.text(removing: [], setting: settings)))
        }
        var jobOptions: [(key: String, value: Data)] = [("endpoint", JSONString.encoded(service.path))]
        if let url = try Self.text("callback_url", body) {
            guard Callback(url) != nil else {
                throw Mistake(
                    key: "callback_url", message: "invalid or missing URL scheme", kind: "value_error.url.scheme")
            }
            let callback = JSONValue.object([("url", .string(url)), ("form", .string("multipart"))])
            jobOptions.append(("callback", callback.compact))
        }
        let given = try Self.object(JobFile.optionsKey, body)
        changes.append((JobFile.optionsKey, given.text(removing: ["method"], setting: jobOptions)))
        job = body.text(removing: Self.own, setting: changes)
        words = Self.words(of: body) ?? service.rawValue
    }

    /// What a task may be called by its prompt; `nil` where it has none, or nothing of it can be said in ASCII. An id of Agent
    /// Scheduler is a UUID, and programs put it into a URL as it is.
    static func words(of job: ObjectText) -> String? {
        let prompt = job.value(of: "prompt").flatMap { try? JSONDecoder().decode(String.self, from: $0) }
        guard let words = prompt?.filter(\.isASCII) else { return nil }
        return words.contains { $0.isLetter || $0.isNumber } ? words : nil
    }

    /// `nil` where it is missing, null or empty: all of them leave it to the server.
    private static func text(_ key: String, _ body: ObjectText) throws(Mistake) -> String? {
        guard let value = body.value(of: key), value != Data("null".utf8) else { return nil }
        guard let text = try? JSONDecoder().decode(String.self, from: value) else {
            throw Mistake(key: key, message: "str type expected", kind: "type_error.str")
        }
        return text.isEmpty ? nil : text
    }

    private static func object(_ key: String, _ body: ObjectText) throws(Mistake) -> ObjectText {
        let value = body.value(of: key).flatMap { $0 == Data("null".utf8) ? nil : $0 } ?? Data("{}".utf8)
        guard let object = try? ObjectText(value) else {
            throw Mistake(key: key, message: "value is not a valid dict", kind: "type_error.dict")
        }
        return object
    }
}
