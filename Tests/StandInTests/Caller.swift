// A client of the stand-in that knows nothing of its insides: URLSession and JSONSerialization.

import Foundation
import Testing

@testable import StandIn

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

struct Answer {
    let status: Int
    let text: String
    let data: Data
    let headers: [String: String]

    var json: [String: Any] { (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] ?? [:] }
    var info: [String: Any] {
        let words = json["info"] as? String ?? ""
        return (try? JSONSerialization.jsonObject(with: Data(words.utf8))) as? [String: Any] ?? [:]
    }
    var images: [[UInt8]] {
        (json["images"] as? [String] ?? []).map { Data(base64Encoded: $0).map { Array($0) } ?? [] }
    }
    /// The JSON at the places where one key follows the other.
    func value(_ path: String...) -> String {
        let end = path.reduce(json as Any?) { ($0 as? [String: Any])?[$1] }
        return end.map { "\($0)" } ?? "nothing"
    }
}

/// A stand-in of its own for a test.
struct Caller {
    let standIn: StandIn
    private let session: URLSession

    init(stepTime: Duration = .zero, _ change: (inout StandIn.Options) -> Void = { _ in }) throws {
        var options = StandIn.Options()
        options.stepTime = stepTime
        change(&options)
        standIn = try StandIn.start(options: options)
        let configuration = URLSessionConfiguration.ephemeral
        // Its own is a minute, in which a machine whose disk is busy may not get to it.
        configuration.timeoutIntervalForRequest = 7200
        configuration.httpMaximumConnectionsPerHost = 32
        session = URLSession(configuration: configuration)
    }

    func call(
        _ method: String, _ path: String, _ body: Data? = nil, headers: [String: String] = [:]
    ) async throws -> Answer {
        var request = URLRequest(url: try #require(URL(string: standIn.url + path)))
        request.httpMethod = method
        request.httpBody = body
        for (name, value) in ["Content-Type": "application/json"].merging(headers, uniquingKeysWith: { $1 }) {
            request.setValue(value, forHTTPHeaderField: name)
        }
        let (data, response) = try await session.data(for: request)
        let http = try #require(response as? HTTPURLResponse)
        var fields: [String: String] = [:]
        for (name, value) in http.allHeaderFields { fields["\(name)".lowercased()] = "\(value)" }
        return Answer(
            status: http.statusCode, text: String(decoding: data, as: UTF8.self), data: data, headers: fields)
    }

    func get(_ path: String) async throws -> Answer { try await call("GET", path) }
    func post(_ path: String, _ body: String = "") async throws -> Answer {
        try await call("POST", path, Data(body.utf8))
    }
    func txt2img(_ body: String) async throws -> Answer { try await post("/sdapi/v1/txt2img", body) }

    func progress() async throws -> Answer { try await get("/sdapi/v1/progress?skip_current_image=true") }
}
