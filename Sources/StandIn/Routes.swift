// Which endpoints there are, who may use them, and the answers of those that need no GPU.
//
// The order of the checks is A1111's: the path, the method, the body's JSON, the credentials, the body's fields.

import Foundation
import HTTP
import JSONText

struct Route: Sendable {
    let method: String
    let path: String
    /// Without credentials, even where there are some.
    var isOpen = false
    let answer: Answer

    enum Answer: Sendable {
        case plain(@Sendable (Request, RenderLock) -> Response)
        /// From a body, which has to be a JSON object.
        case body(@Sendable (Request, ObjectText, RenderLock) async throws(Response) -> Response)
    }
}

enum Routes {
    static func answer(_ request: Request, in lock: RenderLock) async -> Response {
        let here = routes(of: lock).filter { $0.path == request.path }
        guard let first = here.first else { return .refusal(404, "Not Found") }
        guard let route = here.first(where: { $0.method == request.method }) else {
            var response = Response.refusal(405, "Method Not Allowed")
            response.headers.append("Allow", first.method)
            return response
        }
        do throws(Response) {
            switch route.answer {
            case .plain(let answer):
                try authorize(request, route, lock)
                return answer(request, lock)
            case .body(let answer):
                let body = try self.body(of: request)
                try authorize(request, route, lock)
                return try await answer(request, body, lock)
            }
        } catch { return error }
    }

    private static func body(of request: Request) throws(Response) -> ObjectText {
        let text = Data(request.body)
        let missing = JSONValue.complaint([], "field required", "value_error.missing")
        let noObject = JSONValue.complaint([], "value is not a valid dict", "type_error.dict")
        if text.isEmpty { throw .invalid([missing]) }
        let type = (request.headers["content-type"] ?? "application/json").prefix { $0 != ";" }.lowercased()
        guard type == "application/json" || (type.hasPrefix("application/") && type.hasSuffix("+json")) else {
            throw .invalid([noObject])
        }
        guard String(validating: request.body, as: UTF8.self) != nil else {
            throw .refusal(400, "There was an error parsing the body")
        }
        do { return try ObjectText(text) } catch {
            if let other = try? JSONSerialization.jsonObject(with: text, options: .fragmentsAllowed) {
                throw .invalid([other is NSNull ? missing : noObject])
            }
            let error = error as? JSONSyntaxError
            let (line, column) = error?.place(in: text) ?? (1, 1)
            throw .invalid([
                .object([
                    ("loc", .array([.string("body"), .integer(Int64(error?.offset ?? 0))])),
                    ("msg", .string("\(error?.problem ?? "no JSON"): line \(line) column \(column)")),
                    ("type", .string("value_error.jsondecode")),
                ])
            ])
        }
    }

    /// A1111 asks for credentials without saying so (no WWW-Authenticate).
    private static func authorize(_ request: Request, _ route: Route, _ lock: RenderLock) throws(Response) {
        guard !route.isOpen, let credentials = lock.options.credentials else { return }
        func rejection(_ detail: String) -> Response { .failure(401, "HTTPException", detail: detail) }
        let words = request.headers["authorization"]?.split(separator: " ", maxSplits: 1).map(String.init) ?? []
        guard words.count == 2, words[0].lowercased() == "basic" else { throw rejection("Not authenticated") }
        let given = Data(base64Encoded: words[1]).flatMap { String(validating: $0, as: UTF8.self) }
        guard let given, given.contains(":"), given.utf8.allSatisfy({ $0 < 0x80 }) else {
            throw rejection("Invalid authentication credentials")
        }
        guard given == credentials else { throw rejection("Incorrect username or password") }
    }

    private static let root = "/sdapi/v1/"

    /// A path that the server does not have is 404, whatever is in the list.
    private static func routes(of lock: RenderLock) -> [Route] {
        lock.options.hasWebUI ? all : all.filter { !$0.path.hasPrefix("/internal/") }
    }

    private static let all: [Route] =
        [
            post("txt2img") { await Render(request: $0, body: $1, lock: $2).generate(isImg2img: false) },
            post("img2img") { await Render(request: $0, body: $1, lock: $2).generate(isImg2img: true) },
            post("extra-single-image") { await Render(request: $0, body: $1, lock: $2).upscale(isBatch: false) },
            post("extra-batch-images") { await Render(request: $0, body: $1, lock: $2).upscale(isBatch: true) },
            post("interrogate") { await Render(request: $0, body: $1, lock: $2).interrogate() },
            post("png-info") { _, body, _ throws(Response) in try pngInfo(body) },
            get("options") { _, lock in .json(lock.change { $0.settings }.json) },
            post("options") { _, body, lock throws(Response) in try setOptions(BodySchema(body), lock) },
            get("progress", progress),
            control("interrupt", "{}") { lock in lock.change { $0.progress.isInterrupted = true } },
            control("skip", "null") { lock in lock.change { $0.progress.isSkipped = true } },
            control("refresh-checkpoints", "null"), control("refresh-vae", "null"), control("refresh-loras", "null"),
            control("refresh-embeddings", "null"), control("unload-checkpoint", "{}"),
            control("reload-checkpoint", "{}"),
            post("create/embedding") { _, body, _ throws(Response) in try create("embedding", BodySchema(body)) },
            post("create/hypernetwork") { _, body, _ throws(Response) in try create("hypernetwork", BodySchema(body)) },
            post("train/embedding") { _, _, _ in .json(training) },
            post("train/hypernetwork") { _, _, _ in .json(training) },
            Route(
                method: "POST", path: "/internal/progress", isOpen: true,
                answer: .body { _, body, lock in taskProgress(BodySchema(body), lock) }),
            open("/internal/ping") { _ in .object([]) },
            open("/internal/pending-tasks") { lock in
                let tasks = lock.change { $0.progress.waiting }
                return .object([("size", .integer(Int64(tasks.count))), ("tasks", .strings(tasks))])
            },
            open("/openapi.json", openAPI),
        ] + Lists.lists.map { path, json in get(path) { _, _ in .json(json) } }

    private static func post(
        _ name: String,
        _ answer: @escaping @Sendable (Request, ObjectText, RenderLock) async throws(Response) -> Response
    ) -> Route { Route(method: "POST", path: root + name, answer: .body(answer)) }

    private static func get(
        _ name: String, _ answer: @escaping @Sendable (Request, RenderLock) -> Response
    ) -> Route { Route(method: "GET", path: root + name, answer: .plain(answer)) }

    private static func open(_ path: String, _ answer: @escaping @Sendable (RenderLock) -> JSONValue) -> Route {
        Route(method: "GET", path: path, isOpen: true, answer: .plain { _, lock in .json(answer(lock)) })
    }

    private static func control(
        _ name: String, _ answer: String, _ act: @escaping @Sendable (RenderLock) -> Void = { _ in }
    ) -> Route {
        Route(
            method: "POST", path: root + name,
            answer: .plain { _, lock in
                act(lock)
                return .json(.text(answer))
            })
    }

    private static func look(_ lock: RenderLock) -> (Progress, TestCard?) {
        lock.change { state in
            state.looks += 1
            return (state.progress, state.card)
        }
    }

    private static func progress(_ request: Request, _ lock: RenderLock) -> Response {
        let (progress, card) = look(lock)
        let skips = request.query?.lowercased().split(separator: "&").contains("skip_current_image=true") == true
        let preview = skips ? nil : preview(progress, card)
        return .json(progress.json(picture: preview.map(JSONValue.file) ?? .null))
    }

    /// A1111's previews are small as well.
    private static func preview(_ progress: Progress, _ card: TestCard?) -> [UInt8]? {
        guard progress.step > 0, let card else { return nil }
        let small = TestCard(
            prompt: card.prompt, seed: card.seed, steps: card.steps, width: max(8, card.width / 4),
            height: max(8, card.height / 4))
        return PNG.encode(small.draw(), text: "")
    }

    private static func taskProgress(_ question: BodySchema, _ lock: RenderLock) -> Response {
        let (progress, card) = look(lock)
        let task = question["id_task"] ?? ""
        // Who has seen this one already is not sent it again.
        let isNews =
            question["live_preview"] ?? true && progress.isAt(task) && question["id_live_preview"] != progress.step
        let picture = isNews ? preview(progress, card).map { Data($0).base64EncodedString() } : nil
        return .json(progress.json(task: task, preview: picture.map { "data:image/png;base64,\($0)" }))
    }

    /// Nothing is kept of it.
    private static func create(_ kind: String, _ wish: BodySchema) throws(Response) -> Response {
        guard let name: String = wish["name"] else {
            throw .failure(
                500, "TypeError", "create_\(kind)() missing 1 required positional argument: 'name'")
        }
        return .json(.object([("info", .string("create \(kind) filename: \(name).pt"))]))
    }

    /// A1111 answers 200, whatever came of it.
    private static let training = JSONValue.object([
        ("info", .string("train embedding complete: filename:  error: test cards are not trained"))
    ])

    private static func setOptions(_ changes: BodySchema, _ lock: RenderLock) throws(Response) -> Response {
        let settings = lock.change { $0.settings }
        if let key = changes.names.first(where: { settings.text($0) == nil }) {
            throw .failure(500, "KeyError", "'\(key)'")
        }
        if let model: String = changes["sd_model_checkpoint"], Lists.model(named: model) == nil {
            throw .failure(500, "RuntimeError", "model '\(model)' not found")
        }
        lock.change { state in
            for name in changes.names { state.settings.set(name, changes.text(name) ?? Data()) }
        }
        return .json(.null)
    }

    private static func pngInfo(_ body: ObjectText) throws(Response) -> Response {
        let text = PNG.text(of: try Render.picture(BodySchema(body)["image"] ?? "")) ?? ""
        return .json(.object([("info", .string(text)), ("items", .object([])), ("parameters", .object([]))]))
    }

    /// It does not list itself.
    private static func openAPI(_ lock: RenderLock) -> JSONValue {
        let listed = routes(of: lock).filter { $0.path != "/openapi.json" }
        let paths = Dictionary(grouping: listed, by: \.path).sorted { $0.key < $1.key }.map { path, routes in
            (path, JSONValue.object(routes.map { ($0.method.lowercased(), .object([])) }))
        }
        let info = JSONValue.text(#"{"title":"sketch: test cards, not diffusion","version":"1"}"#)
        return .object([("openapi", .string("3.0.2")), ("info", info), ("paths", .object(paths))])
    }
}
