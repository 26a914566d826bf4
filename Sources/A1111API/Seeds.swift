// What a request leaves to chance. The server would draw it anew at each attempt, and tell it only with the picture.

import Foundation
import JSONText

/// Seeds, drawn as A1111 draws them.
package enum Seeds {
    /// The keys of a body that are left to chance: a seed that is missing or −1, and the subseed where it has a strength.
    package static func undrawnKeys(of object: ObjectText, for endpoint: Endpoint) -> [String] {
        guard endpoint.service?.drawsSeeds == true else { return [] }
        let strength = number(object.value(of: "subseed_strength")) ?? 0
        return (strength != 0 ? ["seed", "subseed"] : ["seed"]).filter { key in
            guard let value = object.value(of: key), value != Data("null".utf8) else { return true }
            return number(value) == -1
        }
    }

    /// 0 to 2³² − 3, so that it also fits the sliders of A1111's web page.
    package static func draw() -> Int64 { Int64.random(in: 0...4_294_967_293) }

    private static func number(_ text: Data?) -> Double? {
        // The server takes "-1" for −1.
        text.flatMap { Double(String(decoding: $0, as: UTF8.self).trimmingCharacters(in: ["\"", " "])) }
    }
}
