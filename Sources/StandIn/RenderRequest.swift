// A validated body → what is to be drawn, or how A1111 fails on it; and what it says about the result.

import Foundation
import HTTP
import JSONText

/// A txt2img or img2img that can be rendered.
struct RenderRequest: Sendable {
    private let parameters: BodySchema
    let steps: Int
    let batches: Int
    let batchSize: Int
    private let seed: Int
    private let subseed: Int
    private let sampler: String
    private let schedule: String
    private let format: String
    private let model: String
    private let clipSkip: Int
    private let wantsGrid: Bool
    private let width: Int
    private let height: Int

    /// What an answer may have of pixels: it is put together in memory.
    private static let limit = 64 << 20

    init(_ parameters: BodySchema, settings: BodySchema) throws(Response) {
        self.parameters = parameters
        func failure(_ error: String, _ words: String) -> Response { .failure(500, error, words) }
        guard !parameters.isNull("prompt") else { throw failure("AssertionError", "") }
        let overrides = parameters.object("override_settings")
        for key in overrides.names where settings.text(key) == nil { throw failure("KeyError", "'\(key)'") }
        if parameters.isNull("steps") {
            throw failure("TypeError", "unsupported operand type(s) for //: 'NoneType' and 'NoneType'")
        }
        steps = parameters["steps"] ?? 0
        if steps == 0 { throw failure("ZeroDivisionError", "integer division or modulo by zero") }
        if steps < 0 { throw failure("RuntimeError", "number of steps must be non-negative") }
        (batches, batchSize) = (parameters["n_iter"] ?? 0, parameters["batch_size"] ?? 0)
        guard batches > 0, batchSize > 0 else { throw failure("IndexError", "list index out of range") }
        func seed(_ name: String) throws(Response) -> Int {
            let given: Int? = parameters.isNull(name) ? -1 : parameters[name]
            guard let given else { throw failure("RuntimeError", "Overflow when unpacking long") }
            // A1111 draws 32 bits where a body leaves the choice to it.
            return given == -1 ? Int.random(in: 0..<4_294_967_294) : given
        }
        (self.seed, subseed) = (try seed("seed"), try seed("subseed"))
        if let scale: Double = parameters["cfg_scale"], abs(scale) > 1e38 {
            throw failure("NansException", "A tensor with NaNs was produced in VAE.")
        }
        let scale: Double = parameters["enable_hr"] == true ? parameters["hr_scale"] ?? 1 : 1
        func pixels(_ name: String) -> Int { Int(min(1e9, max(0, (parameters[name] ?? 0) * scale))) / 8 * 8 }
        (width, height) = (pixels("width"), pixels("height"))
        guard width > 0, height > 0 else {
            throw failure("RuntimeError", "Kernel size can't be greater than actual input size")
        }
        wantsGrid = parameters["save_images"] == true && (overrides["return_grid"] ?? settings["return_grid"]) == true
        let total = Double(width * height) * Double(batches) * Double(batchSize) * (wantsGrid ? 2 : 1)
        guard total <= Double(Self.limit) else {
            throw failure("RuntimeError", "DefaultCPUAllocator: can't allocate memory: you tried to allocate too much")
        }
        let wanted: String? = parameters["sampler_name"] ?? parameters["sampler_index"]
        let known = Lists.samplers.first { $0.name == wanted } ?? Lists.samplers[0]
        sampler = known.name
        let named: String? = parameters["scheduler"]
        let scheduler = named == nil || named == "Automatic" ? known.scheduler : named
        schedule =
            Lists.schedulers.first { $0.name == scheduler || $0.label == scheduler }?.label ?? "Automatic"
        func option<Value: Decodable>(_ name: String) -> Value? { overrides[name] ?? settings[name] }
        format = option("samples_format") ?? "png"
        clipSkip = option("CLIP_stop_at_last_layers") ?? 1
        // One that nobody knows changes nothing.
        let names: [String?] = [overrides["sd_model_checkpoint"], settings["sd_model_checkpoint"]]
        model = names.lazy.compactMap { $0.flatMap(Lists.model(named:)) }.first ?? Lists.model
    }

    /// What stays set behind the render, for everybody: the overrides that were not to be taken back.
    func leave(in settings: inout BodySchema) {
        guard parameters["override_settings_restore_afterwards"] == false else { return }
        let overrides = parameters.object("override_settings")
        for name in overrides.names { settings.set(name, overrides.text(name) ?? Data()) }
    }

    private var text: String { parameters["prompt"] ?? "" }

    private func seed(of number: Int) -> Int {
        (parameters["subseed_strength"] ?? 0.0) != 0 ? seed : seed &+ number
    }

    func card(_ number: Int) -> TestCard {
        TestCard(prompt: text, seed: seed(of: number), steps: steps, width: width, height: height)
    }

    /// The files for the first `done` pictures, with the grid that belongs to them.
    func files(_ done: Int) -> [[UInt8]] {
        guard parameters["send_images"] == true else { return [] }
        let single = (0..<done).map {
            Lists.file(format) ?? PNG.encode(card($0).draw(), text: infotext($0))
        }
        guard hasGrid(done) else { return single }
        let rows = max(1, Int(Double(done).squareRoot().rounded()))
        let columns = (done + rows - 1) / rows
        var grid = Canvas(width: width * columns, height: height * ((done + columns - 1) / columns))
        for number in 0..<done {
            grid.put(card(number).draw(), x: number % columns * width, y: number / columns * height)
        }
        return [PNG.encode(grid, text: infotext(0))] + single
    }

    private func hasGrid(_ done: Int) -> Bool { wantsGrid && done > 1 }

    private func infotext(_ number: Int) -> String {
        func fact(_ words: String, _ name: String) -> String {
            parameters.text(name).map { "\(words)\(String(decoding: $0, as: UTF8.self))" } ?? ""
        }
        let negative: String = parameters["negative_prompt"] ?? ""
        return text + (negative.isEmpty ? "" : "\nNegative prompt: \(negative)")
            + "\nSteps: \(steps), Sampler: \(sampler), Schedule type: \(schedule)" + fact(", CFG scale: ", "cfg_scale")
            + ", Seed: \(seed(of: number))" + fact(", Size: ", "width") + fact("x", "height")
            + ", Model: \(model)" + (clipSkip > 1 ? ", Clip skip: \(clipSkip)" : "")
            + (parameters.isNull("denoising_strength") ? "" : fact(", Denoising strength: ", "denoising_strength"))
            + ", Version: sketch"
    }

    /// What A1111 says about a render, in its order.
    func info(done: Int, timestamp: String) -> JSONValue {
        let count = batches * batchSize
        func given(_ name: String) -> (String, JSONValue) { (name, parameters.text(name).map(JSONValue.raw) ?? .null) }
        func repeated(_ name: String) -> (String, JSONValue) {
            ("all_\(name)s", .array(Array(repeating: given(name).1, count: count)))
        }
        var extra = schedule == "Automatic" ? [] : [("Schedule type", JSONValue.string(schedule))]
        let strength = given("denoising_strength")
        if !parameters.isNull(strength.0) { extra.append(("Denoising strength", strength.1)) }
        let infotexts = (hasGrid(done) ? [infotext(0)] : []) + (0..<done).map(infotext)
        return .object([
            given("prompt"), repeated("prompt"), given("negative_prompt"), repeated("negative_prompt"),
            ("seed", .integer(Int64(seed))), ("all_seeds", .integers((0..<count).map(seed(of:)))),
            ("subseed", .integer(Int64(subseed))), ("all_subseeds", .integers((0..<count).map { subseed &+ $0 })),
            given("subseed_strength"), given("width"), given("height"), ("sampler_name", .string(sampler)),
            given("cfg_scale"), ("steps", .integer(Int64(steps))), given("batch_size"),
            ("restore_faces", .boolean(false)), ("face_restoration_model", .null),
            ("sd_model_name", .string(model)), ("sd_model_hash", .string("0123456789")), ("sd_vae_name", .null),
            ("sd_vae_hash", .null), given("seed_resize_from_w"), given("seed_resize_from_h"), strength,
            ("extra_generation_params", .object(extra)), ("index_of_first_image", .integer(hasGrid(done) ? 1 : 0)),
            ("infotexts", .strings(infotexts)), ("styles", .array([])), ("job_timestamp", .string(timestamp)),
            ("clip_skip", .integer(Int64(clipSkip))), ("is_using_inpainting_conditioning", .boolean(false)),
            ("version", .string("sketch")),
        ])
    }

    /// What A1111 echoes of the request: everything but the pictures.
    var echo: JSONValue {
        var echo = parameters
        if parameters["include_init_images"] != true {
            for name in ["init_images", "mask"] { echo.set(name, Data("null".utf8)) }
        }
        return echo.json
    }
}
