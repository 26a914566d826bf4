// What one would write today in an afternoon: look into a folder, and for each file ask the server, wait, decode, save. It
// syncs nothing, checks nothing, and forgets what it was at when it ends.

import Foundation
import FoundationNetworking

/// The contestant that everybody has already: one job after the other.
enum PlainClient {
    /// Serves `folder`/inbox at `server` until it is killed; results go to `folder`/done.
    static func run(folder: String, server: String) async throws {
        let inbox = URL(fileURLWithPath: folder).appendingPathComponent("inbox")
        let done = URL(fileURLWithPath: folder).appendingPathComponent("done")
        guard let url = URL(string: server + "/sdapi/v1/txt2img") else { return }
        FileHandle.standardError.write(Data("ready: a plain client\n".utf8))
        while true {
            let names = try FileManager.default.contentsOfDirectory(atPath: inbox.path).sorted()
            for name in names where name.hasSuffix(".json") {
                let file = inbox.appendingPathComponent(name)
                var request = URLRequest(url: url)
                request.httpMethod = "POST"
                request.setValue("application/json", forHTTPHeaderField: "Content-Type")
                request.httpBody = try Data(contentsOf: file)
                let (data, _) = try await URLSession.shared.data(for: request)
                let answer = try JSONSerialization.jsonObject(with: data) as? [String: Any]
                let target = done.appendingPathComponent(String(name.dropLast(5)))
                try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
                for (number, picture) in (answer?["images"] as? [String] ?? []).enumerated() {
                    try Data(base64Encoded: picture)?.write(to: target.appendingPathComponent("\(number + 1).png"))
                }
                try FileManager.default.moveItem(at: file, to: target.appendingPathComponent(name))
            }
            // A watchdog script looks once or twice a second; this one is quicker than most.
            if names.isEmpty { try await Task.sleep(for: .milliseconds(50)) }
        }
    }
}
