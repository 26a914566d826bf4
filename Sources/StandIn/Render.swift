// The endpoints that need the GPU: one at a time, in order of arrival, and what they answer.
//
// What A1111 finds out before it queues a request is answered at once; what it finds out while rendering keeps its turn.
// The lock is let go before the pictures are made, as A1111 encodes them after it.

import Foundation
import HTTP
import JSONText

/// One request to render on its way.
struct Render: Sendable {
    let request: Request
    let body: ObjectText
    let lock: RenderLock

    /// What a render has to do when its turn has come, and what it answers.
    private struct Job<Drawn: Sendable> {
        let name: String
        var task: String?
        let draw: (Fault?) async throws(Response) -> Drawn
        /// The pictures' files, and the whole answer with those that are really sent.
        let files: (Drawn) -> [[UInt8]]
        let answer: (Drawn, [[UInt8]]) -> JSONValue
    }

    private func answer<Drawn: Sendable>(
        _ table: [Field], _ prepare: (BodySchema) throws(Response) -> Job<Drawn>
    ) async -> Response {
        let job: Job<Drawn>
        let fault: Fault?
        do throws(Response) {
            let fields = try BodySchema(body, table)
            fault = try Fault.due(body, in: lock)
            job = try prepare(fields)
            if let early = fault?.early { throw early }
        } catch {
            lock.note(request)
            return error
        }
        let number = await lock.enter(request, task: job.task, job: job.name)
        do throws(Response) {
            let drawn = try await job.draw(fault)
            if let failure = fault?.failure { throw failure }
            lock.leave(number, task: job.task, failed: false)
            let files = job.files(drawn)
            let encoding = lock.options.encodeTime * files.count
            if encoding > .zero { try? await Task.sleep(for: encoding) }
            let json = job.answer(drawn, fault?.spoil(files) ?? files).compact
            return await fault?.deliver(json, in: lock) ?? .json(json)
        } catch {
            lock.leave(number, task: job.task, failed: true)
            return error
        }
    }

    func generate(isImg2img: Bool) async -> Response {
        await answer(isImg2img ? Field.img2img : Field.txt2img) { fields throws(Response) in
            if isImg2img { try checkInitImages(fields) }
            try checkScripts(fields)
            let kind = isImg2img ? "img2img" : "txt2img"
            return Job(
                name: "scripts_\(kind)", task: fields["force_task_id"] ?? "task(\(kind)-\(UUID()))",
                draw: { fault throws(Response) in
                    let order = try RenderRequest(fields, settings: lock.change { $0.settings })
                    let done = await run(batches: order.batches, steps: order.steps, fault) {
                        order.card($0 * order.batchSize)
                    }
                    let timestamp = lock.change { state in
                        order.leave(in: &state.settings)
                        return state.progress.timestamp
                    }
                    return (order: order, done: done * order.batchSize, timestamp: timestamp)
                },
                files: { $0.order.files($0.done) },
                answer: { drawn, files in
                    let info = drawn.order.info(done: drawn.done, timestamp: drawn.timestamp).compact
                    return .object([
                        ("images", .array(files.map(JSONValue.file))), ("parameters", drawn.order.echo),
                        ("info", .string(String(decoding: info, as: UTF8.self))),
                    ])
                })
        }
    }

    /// Extras: `image` or `imageList`, larger.
    func upscale(isBatch: Bool) async -> Response {
        struct Item: Decodable { let data: String }
        return await answer(isBatch ? Field.extraBatch : Field.extraSingle) { fields throws(Response) in
            let list: [Item] = fields["imageList"] ?? []
            var given: [[UInt8]] = []
            for image in isBatch ? list.map(\.data) : [fields["image"] ?? ""] { given.append(try Self.picture(image)) }
            let upscaler: String = fields["upscaler_1"] ?? "None"
            let factor = upscaler == "None" ? 1 : max(0, min(16, fields["upscaling_resize"] ?? 1.0))
            let words = upscaler == "None" ? "" : "Postprocess upscale by: \(factor), Postprocess upscaler: \(upscaler)"
            return Job(
                name: "extras",
                draw: { [given] fault throws(Response) in
                    guard Lists.upscalers.contains(upscaler) else {
                        throw .failure(500, "AssertionError", "could not find upscaler named \(upscaler)")
                    }
                    _ = await run(batches: 1, steps: given.count, fault)
                    return given
                },
                files: { $0.map { Self.enlarged($0, by: factor) } },
                answer: { _, files in
                    let images = files.map(JSONValue.file)
                    return .object([
                        ("html_info", .string("<p>\(words)</p>")),
                        isBatch ? ("images", .array(images)) : ("image", images.first ?? .string("")),
                    ])
                })
        }
    }

    func interrogate() async -> Response {
        await answer(Field.interrogate) { fields throws(Response) in
            _ = try Self.picture(fields["image"] ?? "")
            guard ["clip", "deepdanbooru"].contains(fields["model"] ?? "") else {
                throw .failure(404, "HTTPException", detail: "Model not found")
            }
            return Job(
                name: "interrogate", draw: { fault in await run(batches: 1, steps: 1, fault) }, files: { _ in [] },
                answer: { _, _ in .object([("caption", .string("a test card, not diffusion"))]) })
        }
    }

    /// Lets the time of a render pass, step by step, and says how many batches there were: a batch that was interrupted
    /// counts, its picture is half-done.
    private func run(
        batches: Int, steps: Int, _ fault: Fault?, card: @Sendable (Int) -> TestCard? = { _ in nil }
    ) async -> Int {
        let extraTime = (fault?.extraTime ?? .zero) / max(1, Double(batches) * Double(steps))
        let stepTime = lock.options.stepTime + extraTime
        var due = ContinuousClock.now
        var done = 0
        // The fault by which it still has to stand still, and when.
        var still = fault.flatMap { fault in fault.step.map { (step: $0, id: fault.id) } }
        for batch in 0..<batches {
            if lock.change({ $0.progress.isInterrupted }) || Task.isCancelled {
                if let still { await lock.standStill(still.id) }
                return batch
            }
            lock.change {
                $0.progress.beginBatch(batch, of: batches, steps: steps)
                $0.card = card(batch)
            }
            for step in 0..<steps {
                if let fault = still, fault.step == done {
                    await lock.standStill(fault.id)
                    (still, due) = (nil, .now)
                }
                done += 1
                due += stepTime
                if stepTime > .zero {
                    try? await Task.sleep(until: due, clock: .continuous)
                } else {
                    await Task.yield()
                }
                guard lock.change({ $0.progress.advance(to: step + 1) }), !Task.isCancelled else { break }
            }
        }
        if let still { await lock.standStill(still.id) }
        return batches
    }

    private func checkScripts(_ fields: BodySchema) throws(Response) {
        let named: String = fields["script_name"] ?? ""
        let unknown =
            named.isEmpty || Lists.scripts.contains(named.lowercased())
            ? fields.object("alwayson_scripts").names.first { !Lists.alwaysOnScripts.contains($0.lowercased()) }
            : named
        if let unknown { throw .failure(422, "HTTPException", detail: "Script '\(unknown)' not found") }
    }

    private func checkInitImages(_ fields: BodySchema) throws(Response) {
        guard !fields.isNull("init_images") else {
            throw .failure(404, "HTTPException", detail: "Init image not found")
        }
        let images: [String] = fields["init_images"] ?? [""]
        guard !images.isEmpty else { throw .failure(500, "RuntimeError", "no image to begin with") }
        for image in images { _ = try Self.picture(image) }
        if let mask: String = fields["mask"] { _ = try Self.picture(mask) }
    }

    /// The bytes of a picture in base64, perhaps as a data URL; nothing is fetched from anywhere.
    static func picture(_ text: String) throws(Response) -> [UInt8] {
        if text.hasPrefix("http://") || text.hasPrefix("https://") {
            throw .failure(500, "HTTPException", detail: "Request to local resource not allowed")
        }
        let isURL = text.hasPrefix("data:image/")
        let base64 = isURL ? text.range(of: ";base64,").map { text[$0.upperBound...] } ?? "" : text[...]
        let file = Data(base64Encoded: String(base64), options: .ignoreUnknownCharacters) ?? Data()
        let signatures = [PNG.signature, [0xff, 0xd8, 0xff]] + ["RIFF", "GIF8", "BM"].map { Array($0.utf8) }
        guard signatures.contains(where: { file.starts(with: $0) }) else {
            throw .failure(500, "HTTPException", detail: "Invalid encoded image")
        }
        return Array(file)
    }

    private static func enlarged(_ file: [UInt8], by factor: Double) -> [UInt8] {
        let size = PNG.size(of: file) ?? (512, 512)
        func scaled(_ length: Int) -> Int { max(1, min(4096, Int(Double(length) * factor))) }
        let card = TestCard(
            prompt: "an upscaled picture", seed: Int(PNG.crc32(file[...])), steps: 1,
            width: scaled(size.width), height: scaled(size.height))
        return PNG.encode(card.draw(), text: PNG.text(of: file) ?? "")
    }
}
