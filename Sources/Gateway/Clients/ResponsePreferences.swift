// How a client wants to be answered.

import Foundation
import HTTP

/// The preferences of a request (RFC 7240).
package struct ResponsePreferences: Equatable {
    /// It does not wait for the result.
    package let isAsync: Bool
    /// It said so by a header, and is told that it was heard.
    package let prefersAsync: Bool
    /// How long it waits for an end, in seconds.
    package let wait: Double?

    package init(_ headers: Headers, _ query: String?) {
        let preferences = headers.all("prefer").flatMap { $0.split(separator: ",") }.map {
            $0.trimmingCharacters(in: .whitespaces).lowercased()
        }
        prefersAsync = preferences.contains("respond-async")
        isAsync = prefersAsync || ["1", "true"].contains(Query(query)["async"])
        let wait = preferences.first { $0.hasPrefix("wait=") }.flatMap { Double($0.dropFirst(5)) }
        self.wait = wait.map { $0.isFinite ? min(max($0, 0), 3600) : 0 }
    }
}

/// What stands behind the question mark.
package struct Query {
    private let items: [(name: String, value: String)]

    /// By hand: URLComponents ends the process where what it is given is no query, and clients send what they like.
    package init(_ text: String?) {
        items = (text ?? "").split(separator: "&").map { item in
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { part in
                // What is no escape stands for itself.
                part.removingPercentEncoding ?? String(part)
            }
            return (parts[0], parts.count == 2 ? parts[1] : "")
        }
    }

    /// The first one's of that name; empty where it has none.
    package subscript(name: String) -> String? { items.first { $0.name == name }?.value }

    /// A whole number that is not negative.
    package func number(_ name: String) -> Int? { self[name].flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil } }
}
