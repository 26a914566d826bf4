// A client of the door that knows nothing of its insides: URLSession and JSONSerialization.

import Foundation
import FoundationNetworking
import Testing

/// What the door answers.
struct DoorAnswer {
    let status: Int
    let headers: [String: String]
    let data: Data

    var text: String { String(decoding: data, as: UTF8.self) }
    var json: [String: Any] { (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] ?? [:] }
}

/// Somebody at the door of a daemon.
struct Visitor: Sendable {
    let url: String
    private let session: URLSession

    init(_ url: String) {
        self.url = url
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpMaximumConnectionsPerHost = 256
        configuration.timeoutIntervalForRequest = 7200
        session = URLSession(configuration: configuration)
    }

    func call(
        _ method: String, _ path: String, _ body: String? = nil, headers: [String: String] = [:]
    ) async throws -> DoorAnswer {
        var request = URLRequest(url: try #require(URL(string: url + path)))
        request.httpMethod = method
        request.httpBody = body.map { Data($0.utf8) }
        if body != nil { request.setValue("application/json", forHTTPHeaderField: "Content-Type") }
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        let (data, response) = try await session.data(for: request)
        let http = try #require(response as? HTTPURLResponse)
        var fields: [String: String] = [:]
        for (name, value) in http.allHeaderFields { fields["\(name)".lowercased()] = "\(value)" }
        return DoorAnswer(status: http.statusCode, headers: fields, data: data)
    }

    func get(_ path: String) async throws -> DoorAnswer { try await call("GET", path) }
    func post(_ path: String, _ body: String) async throws -> DoorAnswer { try await call("POST", path, body) }
}

extension TestSpool {
    /// A daemon with an open door, and somebody at it.
    func gateway(
        server: String, _ more: [String] = [], at address: String = "127.0.0.1:0", environment: [String: String] = [:]
    ) async throws -> (daemon: Program, visitor: Visitor) {
        await takeSlot()
        let daemon = try Program(
            arguments(server: server) + ["--listen", address] + more, environment: environment)
        let line = try await daemon.says("the door is open at ")
        let url = try #require(line.components(separatedBy: "open at ").last)
        return (daemon, Visitor(url.trimmingCharacters(in: .whitespacesAndNewlines)))
    }
}
