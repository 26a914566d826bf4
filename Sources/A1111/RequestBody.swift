// The body of a request: the job file as it was written, but for what must change.

import Foundation
import JSONText

/// Makes bodies out of job files.
public enum RequestBody {
    /// The keys that this job leaves to chance: a seed that is missing or −1, and the subseed where it has a strength.
    /// The server would draw them anew at each attempt.
    public static func undrawnKeys(of object: ObjectText, for endpoint: Endpoint) -> [String] {
        guard endpoint.service?.drawsSeeds == true else { return [] }
        let strength = number(object.value(of: "subseed_strength")) ?? 0
        return (strength != 0 ? ["seed", "subseed"] : ["seed"]).filter { key in
            guard let value = object.value(of: key), value != Data("null".utf8) else { return true }
            return number(value) == -1
        }
    }

    /// A seed as A1111 draws them: 0 to 2³² − 3, so that it also fits the sliders of its web page.
    public static func drawSeed() -> Int64 { Int64.random(in: 0...4_294_967_293) }

    /// By this key's value the server tells one render from another; a job may have its own.
    public static let taskKey = "force_task_id"

    /// The text that is sent: without the key that speaks to the queue, with what was drawn and the name that the
    /// render was given at the server, and else to the byte.
    public static func text(
        of object: ObjectText, without key: String, drawn: [String: Int64], task: String? = nil
    ) -> Data {
        let values = drawn.sorted { $0.key < $1.key }.map { ($0.key, Data(String($0.value).utf8)) }
        return object.text(
            removing: [key], setting: values + (task.map { [(taskKey, JSONString.encoded($0))] } ?? []))
    }

    private static func number(_ text: Data?) -> Double? {
        // The server takes "-1" for −1.
        text.flatMap { Double(String(decoding: $0, as: UTF8.self).trimmingCharacters(in: ["\"", " "])) }
    }
}
