// Which endpoints there are, who may use them, and the answers of those that need no GPU.
//
// The order of the checks is A1111's: the path, the method, the body's JSON, the credentials, the body's fields.

import Foundation
import HTTP

struct Route: Sendable {
    let method: String
    let path: String
    /// Without credentials, even where there are some.
    var isOpen = false
    var takesBody = false
    let answer: @Sendable (Request, JSON, Studio) async -> Response
}

enum Routes {
    static func answer(_ request: Request, in studio: Studio) async -> Response {
        let here = all.filter { $0.path == request.path }
        guard let first = here.first else { return Reply.refusal(404, "Not Found").response }
        guard let route = here.first(where: { $0.method == request.method }) else {
            var reply = Reply.refusal(405, "Method Not Allowed")
            reply.headers.append("Allow", first.method)
            return reply.response
        }
        do throws(Rejection) {
            let body = route.takesBody ? try self.body(of: request) : .null
            if !route.isOpen, let credentials = studio.options.credentials {
                try authorize(request, credentials)
            }
            return await route.answer(request, body, studio)
        } catch { return error.reply.response }
    }

    private struct Rejection: Error {
        let reply: Reply
    }

    private static func body(of request: Request) throws(Rejection) -> JSON {
        guard !request.body.isEmpty else { throw Rejection(reply: .invalid([.missingBody])) }
        let type =
            request.headers["content-type"]?.split(separator: ";").first.map { $0.lowercased() }
            ?? "application/json"
        guard type == "application/json" || (type.hasPrefix("application/") && type.hasSuffix("+json")) else {
            throw Rejection(reply: .invalid([.notObject]))
        }
        guard let text = String(validating: request.body, as: UTF8.self) else {
            throw Rejection(reply: .refusal(400, "There was an error parsing the body"))
        }
        let body: JSON
        do throws(JSONError) { body = try JSONReader.read(request.body) } catch {
            throw Rejection(reply: malformed(error, text))
        }
        if body.isNull { throw Rejection(reply: .invalid([.missingBody])) }
        return body
    }

    /// Positions count characters, as Python does.
    private static func malformed(_ error: JSONError, _ text: String) -> Reply {
        let before = String(decoding: Array(text.utf8).prefix(error.position), as: UTF8.self).unicodeScalars
        let line = before.count { $0 == "\n" } + 1
        let column = before.reversed().prefix { $0 != "\n" }.count + 1
        let position = before.count
        let detail: JSON = [
            "loc": ["body", .int(position)],
            "msg": .string("\(error.words): line \(line) column \(column) (char \(position))"),
            "type": "value_error.jsondecode",
            "ctx": [
                "msg": .string(error.words), "doc": .string(text), "pos": .int(position),
                "lineno": .int(line),
                "colno": .int(column),
            ],
        ]
        return Reply(["detail": [detail]], status: 422)
    }

    /// A1111 asks for credentials without saying so (no WWW-Authenticate).
    private static func authorize(_ request: Request, _ credentials: String) throws(Rejection) {
        func rejection(_ detail: String) -> Rejection {
            Rejection(reply: .failure(401, "HTTPException", detail: detail))
        }
        let words =
            request.headers["authorization"]?.split(separator: " ", maxSplits: 1).map(String.init) ?? []
        guard words.count == 2, words[0].lowercased() == "basic" else { throw rejection("Not authenticated") }
        let given = Data(base64Encoded: words[1]).flatMap { String(validating: $0, as: UTF8.self) }
        guard let given, given.contains(":"), given.utf8.allSatisfy({ $0 < 0x80 }) else {
            throw rejection("Invalid authentication credentials")
        }
        guard given == credentials else { throw rejection("Incorrect username or password") }
    }

    private static let all: [Route] = renders + controls + queries

    private static let renders = [
        post("txt2img") { await Render(request: $0, body: $1, studio: $2).generate(isImg2img: false) },
        post("img2img") { await Render(request: $0, body: $1, studio: $2).generate(isImg2img: true) },
        post("extra-single-image") {
            await Render(request: $0, body: $1, studio: $2).upscale(isBatch: false)
        },
        post("extra-batch-images") { await Render(request: $0, body: $1, studio: $2).upscale(isBatch: true) },
        post("interrogate") { await Render(request: $0, body: $1, studio: $2).interrogate() },
    ]

    private static let controls = [
        post("png-info") { _, body, _ in pngInfo(body).response },
        get("options") { _, studio in Reply(studio.settings) },
        post("options") { _, body, studio in setOptions(body, studio).response },
        control("interrupt", .object([])) { $0.changeProgress { $0.isInterrupted = true } },
        control("skip", nil) { $0.changeProgress { $0.isSkipped = true } },
        control("refresh-checkpoints", nil), control("refresh-vae", nil), control("refresh-loras", nil),
        control("unload-checkpoint", .object([])), control("reload-checkpoint", .object([])),
        Route(method: "POST", path: "/internal/progress", isOpen: true, takesBody: true) { _, body, studio in
            Reply(studio.progress.json(task: body["id_task"]?.text ?? "")).response
        },
    ]

    private static let queries =
        [
            get("progress", progress),
            Route(method: "GET", path: "/internal/ping", isOpen: true) { _, _, _ in
                Reply(.object([])).response
            },
            Route(method: "GET", path: "/internal/pending-tasks", isOpen: true) { _, _, studio in
                let tasks = studio.progress.waiting
                return Reply(["size": .int(tasks.count), "tasks": .array(tasks.map(JSON.string))]).response
            },
            Route(method: "GET", path: "/openapi.json", isOpen: true) { _, _, _ in Reply(openAPI).response },
        ] + Catalogue.lists.map { path, json in get(path) { _, _ in Reply(json) } }

    private static let root = "/sdapi/v1/"

    private static func post(
        _ name: String, _ answer: @escaping @Sendable (Request, JSON, Studio) async -> Response
    ) -> Route { Route(method: "POST", path: root + name, takesBody: true, answer: answer) }

    private static func get(_ name: String, _ answer: @escaping @Sendable (Request, Studio) -> Reply) -> Route {
        Route(method: "GET", path: root + name) { request, _, studio in answer(request, studio).response }
    }

    private static func control(
        _ name: String, _ answer: JSON, _ act: @escaping @Sendable (Studio) -> Void = { _ in }
    ) -> Route {
        Route(method: "POST", path: root + name) { _, _, studio in
            act(studio)
            return Reply(answer).response
        }
    }

    private static func progress(_ request: Request, _ studio: Studio) -> Reply {
        let progress = studio.progress
        let skips =
            request.query?.split(separator: "&").contains { $0.lowercased() == "skip_current_image=true" }
            == true
        guard !skips, progress.step > 0, let card = studio.card else {
            return Reply(progress.json(picture: nil))
        }
        // A1111's previews are small as well.
        let small = TestCard(
            prompt: card.prompt, seed: card.seed, steps: card.steps, width: max(8, card.width / 4),
            height: max(8, card.height / 4))
        let file = Data(Picture(.card(small)).file()).base64EncodedString()
        return Reply(progress.json(picture: .string(file)))
    }

    private static func setOptions(_ body: JSON, _ studio: Studio) -> Reply {
        guard case .object = body else { return .invalid([.notObject]) }
        for key in body.keys where studio.settings[key] == nil {
            return .failure(500, "KeyError", "'\(key)'")
        }
        if let model = body["sd_model_checkpoint"]?.text,
            ![Catalogue.model, Catalogue.modelTitle].contains(model)
        {
            return .failure(500, "RuntimeError", "model '\(model)' not found")
        }
        studio.set(body)
        return Reply(nil)
    }

    private static func pngInfo(_ body: JSON) -> Reply {
        guard let file = Picture.decoded(body["image"]?.text ?? "") else { return Picture.invalid }
        let text = PNG.text(of: file) ?? ""
        return Reply(["info": .string(text), "items": .object([]), "parameters": .object([])])
    }

    private static let openAPI: JSON = {
        var paths: JSON = .object([])
        for route in all {
            var methods = paths[route.path] ?? .object([])
            methods[route.method.lowercased()] = .object([])
            paths[route.path] = methods
        }
        return [
            "openapi": "3.0.2", "info": ["title": "sketch: test cards, not diffusion", "version": "1"],
            "paths": paths,
        ]
    }()
}
