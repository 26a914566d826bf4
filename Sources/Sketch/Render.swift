// The endpoints that need the GPU: one at a time, in order of arrival, and what they answer.
//
// What A1111 finds out before it queues a request is answered at once; what it finds out while rendering keeps its turn.
// The lock is let go before the pictures are made, as A1111 encodes them after it.

import Foundation
import HTTP

/// One request to render on its way.
struct Render: Sendable {
    let request: Request
    let body: JSON
    let studio: Studio

    /// An answer instead of a render.
    private struct Rejection: Error {
        let reply: Reply
    }

    /// The body's fields, and the fault that it asks for.
    private func validated(_ fields: [Field]) throws(Rejection) -> (JSON, Fault?) {
        do throws(Field.Complaints) {
            let parameters = try Field.validate(body, fields)
            do throws(FieldError) { return (parameters, try Fault.due(body, in: studio)) } catch {
                throw Field.Complaints(errors: [error])
            }
        } catch { throw Rejection(reply: .invalid(error.errors)) }
    }

    /// Turns away what never gets to render, and keeps it in the record.
    private func attempt(_ render: () async throws(Rejection) -> Response) async -> Response {
        do throws(Rejection) { return try await render() } catch {
            studio.note(path: request.path, body: request.body)
            return error.reply.response
        }
    }

    /// Renders in its turn; a result that is a failure leaves its task unfinished.
    private func inTurn<Drawn: Sendable>(
        _ task: String?, job: String, _ fault: Fault?, _ draw: () async throws(Order.Failure) -> Drawn
    ) async throws(Order.Failure) -> Drawn {
        let number = await studio.enter(path: request.path, body: request.body, task: task, job: job)
        do throws(Order.Failure) {
            let drawn = try await draw()
            if let failure = fault?.failure { throw Order.Failure(failure) }
            studio.leave(number, task: task, failed: false)
            return drawn
        } catch {
            studio.leave(number, task: task, failed: true)
            throw error
        }
    }

    func generate(isImg2img: Bool) async -> Response {
        await attempt { () async throws(Rejection) -> Response in
            let (parameters, fault) = try validated(isImg2img ? Field.img2img : Field.txt2img)
            if isImg2img { try checkInitImages(parameters) }
            try checkScripts(parameters)
            if let early = fault?.early { throw Rejection(reply: early) }
            let kind = isImg2img ? "img2img" : "txt2img"
            let task =
                parameters["force_task_id"]?.text
                ?? "task(\(kind)-\(String(Int.random(in: 0..<1 << 40), radix: 36)))"
            do throws(Order.Failure) {
                let (order, done, timestamp) = try await inTurn(task, job: "scripts_\(kind)", fault) {
                    () async throws(Order.Failure) -> (Order, Int, String) in
                    let order = try Order(parameters, isImg2img: isImg2img, settings: studio.settings)
                    return (order, await draw(order, fault), studio.progress.timestamp)
                }
                let pictures = order.pictures(done)
                let info = order.info(done: done, timestamp: timestamp).written(.python)
                let reply = Reply(
                    pieces: [.text("{\"images\":")] + Reply.list(fault?.spoil(pictures) ?? pictures) + [
                        .text(",\"parameters\":"), .bytes(order.echo.written()), .text(",\"info\":"),
                        .bytes(JSON.string(String(decoding: info, as: UTF8.self)).written()), .text("}"),
                    ])
                return await deliver(reply, pictures: pictures.count, fault)
            } catch { return error.reply.response }
        }
    }

    /// Extras: `image` or `imageList`, larger.
    func upscale(isBatch: Bool) async -> Response {
        await attempt { () async throws(Rejection) -> Response in
            let (parameters, fault) = try validated(isBatch ? Field.extraBatch : Field.extraSingle)
            let given =
                isBatch ? (parameters["imageList"]?.elements ?? []).map { $0["data"] } : [parameters["image"]]
            var files: [[UInt8]] = []
            for image in given { files.append(try Self.image(image?.text ?? "")) }
            if let early = fault?.early { throw Rejection(reply: early) }
            let upscaler = parameters["upscaler_1"]?.text ?? "None"
            let factor = max(0, min(16, parameters["upscaling_resize"]?.double ?? 1))
            do throws(Order.Failure) {
                try await inTurn(nil, job: "extras", fault) { () async throws(Order.Failure) in
                    guard Catalogue.upscalers.contains(upscaler) else {
                        throw Order.Failure("AssertionError", "could not find upscaler named \(upscaler)")
                    }
                    _ = await run(batches: 1, steps: files.count, fault)
                }
            } catch { return error.reply.response }
            let isIdle = upscaler == "None"
            let pictures = files.map { Self.enlarged($0, by: isIdle ? 1 : factor) }
            let list = fault?.spoil(pictures) ?? pictures
            let words = isIdle ? "" : "Postprocess upscale by: \(factor), Postprocess upscaler: \(upscaler)"
            let single = list.first.map { Reply.Piece.picture($0) } ?? .text("\"\"")
            let head: [Reply.Piece] = [
                .text("{\"html_info\":"), .bytes(JSON.string("<p>\(words)</p>").written()),
                .text(isBatch ? ",\"images\":" : ",\"image\":"),
            ]
            let reply = Reply(pieces: head + (isBatch ? Reply.list(list) : [single]) + [.text("}")])
            return await deliver(reply, pictures: pictures.count, fault)
        }
    }

    func interrogate() async -> Response {
        await attempt { () async throws(Rejection) -> Response in
            let (parameters, fault) = try validated(Field.interrogate)
            _ = try Self.image(parameters["image"]?.text ?? "")
            guard ["clip", "deepdanbooru"].contains(parameters["model"]?.text) else {
                throw Rejection(reply: .failure(404, "HTTPException", detail: "Model not found"))
            }
            if let early = fault?.early { throw Rejection(reply: early) }
            do throws(Order.Failure) {
                try await inTurn(nil, job: "interrogate", fault) { () async throws(Order.Failure) in
                    _ = await run(batches: 1, steps: 1, fault)
                }
            } catch { return error.reply.response }
            return await deliver(Reply(["caption": "a test card, not diffusion"]), pictures: 0, fault)
        }
    }

    private func deliver(_ reply: Reply, pictures: Int, _ fault: Fault?) async -> Response {
        let encoding = studio.options.encodeTime * pictures
        if encoding > .zero { try? await Task.sleep(for: encoding) }
        return await fault?.deliver(reply) ?? reply.response
    }

    /// Says how many pictures there are: fewer than were ordered where the render was interrupted.
    private func draw(_ order: Order, _ fault: Fault?) async -> Int {
        let done = await run(batches: order.batches, steps: order.steps, fault) {
            order.card($0 * order.batchSize)
        }
        return done * order.batchSize
    }

    /// Lets the time of a render pass, step by step. A batch that was interrupted counts: its picture is half-done.
    private func run(
        batches: Int, steps: Int, _ fault: Fault?, card: @Sendable (Int) -> TestCard? = { _ in nil }
    ) async -> Int {
        let extraTime = (fault?.extraTime ?? .zero) / max(1, Double(batches) * Double(steps))
        let stepTime = studio.options.stepTime + extraTime
        var due = ContinuousClock.now
        for batch in 0..<batches {
            if studio.progress.isInterrupted || Task.isCancelled { return batch }
            studio.changeProgress { $0.beginBatch(batch, of: batches, steps: steps) }
            if let card = card(batch) { studio.show(card) }
            for step in 0..<steps {
                due += stepTime
                if stepTime > .zero {
                    try? await Task.sleep(until: due, clock: .continuous)
                } else {
                    await Task.yield()
                }
                let isOver = studio.changeProgress {
                    $0.advance(to: step + 1)
                    return $0.isInterrupted || $0.isSkipped
                }
                if isOver || Task.isCancelled { break }
            }
            studio.changeProgress { $0.endBatch() }
        }
        return batches
    }

    private func checkScripts(_ parameters: JSON) throws(Rejection) {
        let named = parameters["script_name"]?.text.map { $0.isEmpty ? [] : [$0] } ?? []
        let unknown =
            named.first { !Catalogue.scripts.contains($0.lowercased()) }
            ?? parameters["alwayson_scripts"]?.keys.first {
                !Catalogue.alwaysOnScripts.contains($0.lowercased())
            }
        guard let unknown else { return }
        throw Rejection(reply: .failure(422, "HTTPException", detail: "Script '\(unknown)' not found"))
    }

    private func checkInitImages(_ parameters: JSON) throws(Rejection) {
        guard let images = parameters["init_images"]?.elements else {
            throw Rejection(reply: .failure(404, "HTTPException", detail: "Init image not found"))
        }
        guard !images.isEmpty else {
            throw Rejection(reply: .failure(500, "RuntimeError", "no image to begin with"))
        }
        for image in images { _ = try Self.image(image.text ?? "") }
        if let mask = parameters["mask"]?.text { _ = try Self.image(mask) }
    }

    /// The bytes of a picture that was sent; nothing is fetched from anywhere.
    private static func image(_ text: String) throws(Rejection) -> [UInt8] {
        if text.hasPrefix("http://") || text.hasPrefix("https://") {
            throw Rejection(
                reply: .failure(500, "HTTPException", detail: "Request to local resource not allowed"))
        }
        guard let file = Picture.decoded(text) else { throw Rejection(reply: Picture.invalid) }
        return file
    }

    private static func enlarged(_ file: [UInt8], by factor: Double) -> Picture {
        let size = PNG.size(of: file) ?? (512, 512)
        func scaled(_ length: Int) -> Int { max(1, min(4096, Int(Double(length) * factor))) }
        let card = TestCard(
            prompt: "an upscaled picture", seed: Int(PNG.crc32(file[...])), steps: 1,
            width: scaled(size.width), height: scaled(size.height))
        return Picture(.card(card), text: PNG.text(of: file) ?? "")
    }
}
