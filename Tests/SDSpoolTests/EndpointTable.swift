// Every endpoint that A1111 1.10.1 has, as a job, and where it ends.

import Foundation
import Testing

/// One endpoint, and a job for it.
struct EndpointRow: Sendable {
    /// Where its job ends, and how.
    enum End: Sendable {
        /// In done/, with this status of the server's beside the 418.
        case teapot
        /// In done/, with pictures: a service of the queue.
        case pictures(Int)
        /// In failed/, with these words of the server or about it.
        case failed(String)
        /// In done/ where the server has what it takes, in failed/ with the server's word where not.
        case either
    }
    let endpoint: String
    let method: String
    /// The request's members; `PICTURE` becomes a picture in base64.
    let body: String
    let end: End
    /// It changes nothing at a server that is somebody's.
    let isHarmless: Bool

    /// The name of its job.
    var name: String {
        endpoint.replacing("/sdapi/v1/", with: "").map { $0.isLetter || $0.isNumber ? $0 : "-" }.reduce("") {
            $0 + "\($1)"
        }
            + "-\(method.lowercased())"
    }

    func job(picture: String) -> String {
        let jobOptions = #""sdspool": {"endpoint": "\#(endpoint)", "method": "\#(method)"}"#
        return "{" + (body.isEmpty ? "" : body.replacing("PICTURE", with: picture) + ", ") + jobOptions + "}"
    }

    static let all: [EndpointRow] = {
        let small = #""prompt": "a cat", "steps": 2, "width": 64, "height": 64, "seed": 1"#
        let upscaling = #""upscaling_resize": 2, "upscaler_1": "Lanczos""#
        func row(
            _ endpoint: String, _ body: String = "", method: String = "POST", end: End = .teapot,
            isHarmless: Bool = true
        ) -> EndpointRow {
            EndpointRow(
                endpoint: endpoint.hasPrefix("/") ? endpoint : "/sdapi/v1/\(endpoint)", method: method, body: body,
                end: end, isHarmless: isHarmless)
        }
        let questions = [
            "progress", "options", "cmd-flags", "samplers", "schedulers", "upscalers", "latent-upscale-modes",
            "sd-models", "sd-vae", "hypernetworks", "face-restorers", "realesrgan-models", "prompt-styles",
            "embeddings", "loras", "memory", "scripts", "script-info", "extensions", "/internal/ping",
            "/internal/pending-tasks", "/openapi.json",
        ].map { row($0, method: "GET") }
        let controls = [
            "interrupt", "skip", "refresh-checkpoints", "refresh-vae", "refresh-embeddings", "refresh-loras",
        ].map { row($0) }
        return [
            row("txt2img", small, end: .pictures(1)),
            row("img2img", #"\#(small), "init_images": ["PICTURE"]"#, end: .pictures(1)),
            row("extra-single-image", #""image": "PICTURE", \#(upscaling)"#, end: .pictures(1)),
            row(
                "extra-batch-images", #""imageList": [{"data": "PICTURE", "name": "a"}], \#(upscaling)"#,
                end: .pictures(1)),
            row("interrogate", #""image": "PICTURE", "model": "clip""#, end: .either),
            row("png-info", #""image": "PICTURE""#),
            row("options", #""samples_format": "png""#, isHarmless: false),
            row("unload-checkpoint", isHarmless: false), row("reload-checkpoint", isHarmless: false),
            row("create/embedding", #""name": "sdspool-test""#, isHarmless: false),
            row("create/hypernetwork", #""name": "sdspool-test""#, isHarmless: false),
            row("train/embedding", #""embedding_name": "sdspool-test""#, isHarmless: false),
            row("train/hypernetwork", #""hypernetwork_name": "sdspool-test""#, isHarmless: false),
            row("/internal/progress", #""id_task": "nobody""#),
            // There only where the server was started with --api-server-stop, and never passed on without a word.
            row("server-kill", end: .failed("--allow-control")), row("server-restart", end: .failed("--allow-control")),
            row("server-stop", end: .failed("--allow-control")),
            row("nope", end: .failed("the server has no /sdapi/v1/nope")),
            row("txt2img", method: "GET", end: .failed("the server takes POST for /sdapi/v1/txt2img, and not GET")),
        ] + questions + controls
    }()

    /// Holds what became of the job against what is expected.
    func check(in spool: TestSpool) throws {
        let isDone = spool.list("done").contains(name)
        let error = isDone ? [:] : try spool.document("failed/\(name)/error.json")
        switch end {
        case .failed(let words):
            #expect((error["message"] as? String)?.contains(words) == true, "\(name): \(error["message"] ?? "done")")
        case .either where !isDone:
            #expect(error["status"] is Int, "\(name): \(error["message"] ?? "")")
        default:
            try #require(isDone, "\(name): \(error["message"] ?? "")")
            let result = try spool.document("done/\(name)/result.json")
            #expect(result["endpoint"] as? String == endpoint && result["method"] as? String == method)
            if case .pictures(let count) = end {
                #expect(result["status"] as? Int == 200, "\(name)")
                #expect((result["images"] as? [Any])?.count == count, "\(name)")
            } else {
                #expect(result["status"] as? Int == 418, "\(name)")
                let upstream = try #require(result["upstream"] as? [String: Any])
                #expect(upstream["status"] as? Int == 200 && upstream["body"] != nil, "\(name)")
            }
        }
    }
}

extension TestSpool {
    /// Drops the jobs of `rows` and waits until each has ended. Those that stop a render go when all others have: one that
    /// is answered and not published yet would be taken for stopped.
    func run(_ rows: [EndpointRow], picture: Data, by daemon: Program, within patience: Duration) async throws {
        let stops = rows.filter { ["/sdapi/v1/interrupt", "/sdapi/v1/skip"].contains($0.endpoint) }
        for rows in [rows.filter { row in !stops.contains { $0.name == row.name } }, stops] {
            for row in rows { try drop(row.name, row.job(picture: picture.base64EncodedString())) }
            for row in rows {
                try await daemon.line("the end of \(row.name)", within: patience) { line in
                    line.contains(" done \(row.name):") || line.contains(" failed \(row.name):")
                }
            }
        }
    }
}
