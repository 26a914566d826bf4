// A validated body → what is to be drawn, or how A1111 fails on it; and what it says about the result.

/// A txt2img or img2img that can be rendered.
struct Order: Sendable {
    let parameters: JSON
    let isImg2img: Bool
    let steps: Int
    let batches: Int
    let batchSize: Int
    private let seed: Int
    private let subseed: Int
    private let sampler: String
    private let schedule: String
    private let format: String
    private let wantsGrid: Bool
    private let width: Int
    private let height: Int

    /// How A1111 fails with a body that its validation has let through.
    struct Failure: Error {
        let reply: Reply

        init(_ reply: Reply) {
            self.reply = reply
        }

        init(_ error: String, _ errors: String) {
            reply = .failure(500, error, errors)
        }
    }

    /// One job does not take more of the machine than this.
    private static let limits = (pixels: 16 << 20, pictures: 1000)

    init(_ parameters: JSON, isImg2img: Bool, settings: JSON) throws(Failure) {
        self.parameters = parameters
        self.isImg2img = isImg2img
        func number(_ name: String) -> Int { parameters[name]?.int ?? 0 }
        guard parameters["prompt"]?.text != nil else { throw Failure("AssertionError", "") }
        let overrides = parameters["override_settings"] ?? .null
        for key in overrides.keys where settings[key] == nil { throw Failure("KeyError", "'\(key)'") }
        steps = number("steps")
        if parameters["steps"]?.isNull != false {
            throw Failure("TypeError", "unsupported operand type(s) for //: 'NoneType' and 'NoneType'")
        }
        if steps == 0 { throw Failure("ZeroDivisionError", "integer division or modulo by zero") }
        if steps < 0 { throw Failure("RuntimeError", "number of steps must be non-negative") }
        (batches, batchSize) = (number("n_iter"), number("batch_size"))
        guard batches > 0, batchSize > 0 else { throw Failure("IndexError", "list index out of range") }
        func drawn(_ name: String) throws(Failure) -> Int {
            guard let given = parameters[name], !given.isNull else { return Self.drawSeed() }
            guard let seed = given.int else { throw Failure("RuntimeError", "Overflow when unpacking long") }
            return seed == -1 ? Self.drawSeed() : seed
        }
        (seed, subseed) = (try drawn("seed"), try drawn("subseed"))
        if let scale = parameters["cfg_scale"]?.double, abs(scale) > 1e38 {
            throw Failure("NansException", "A tensor with NaNs was produced in VAE.")
        }
        let scale = parameters["enable_hr"]?.isTrue == true ? parameters["hr_scale"]?.double ?? 1 : 1
        let pixels = ["width", "height"].map {
            Int(min(1e9, max(0, Double(number($0)) * scale))) / 8 * 8
        }
        (width, height) = (pixels[0], pixels[1])
        guard width > 0, height > 0 else {
            throw Failure("RuntimeError", "Kernel size can't be greater than actual input size")
        }
        let (total, overflow) = batches.multipliedReportingOverflow(by: batchSize)
        func setting(_ name: String) -> JSON? { overrides[name] ?? settings[name] }
        wantsGrid = parameters["save_images"]?.isTrue == true && setting("return_grid")?.isTrue == true
        // All pictures of a grid are one picture, and in memory at once.
        guard !overflow, total <= Self.limits.pictures,
            width * height <= Self.limits.pixels / (wantsGrid ? total : 1)
        else {
            throw Failure(
                "RuntimeError", "DefaultCPUAllocator: can't allocate memory: you tried to allocate too much")
        }
        let wanted = parameters["sampler_name"]?.text ?? parameters["sampler_index"]?.text
        let known = Catalogue.samplers.first { $0.name == wanted } ?? Catalogue.samplers[0]
        sampler = known.name
        let scheduler =
            parameters["scheduler"]?.text.flatMap { $0 == "Automatic" ? nil : $0 } ?? known.scheduler
        schedule =
            Catalogue.schedulers.first { $0.name == scheduler || $0.label == scheduler }?.label ?? "Automatic"
        format = setting("samples_format")?.text ?? "png"
    }

    /// A1111 draws 32 bits where a body leaves the choice to it.
    private static func drawSeed() -> Int { Int.random(in: 0..<4_294_967_294) }

    private var count: Int { batches * batchSize }
    private var text: String { parameters["prompt"]?.text ?? "" }
    private var varies: Bool { (parameters["subseed_strength"]?.double ?? 0) != 0 }

    private func seed(of number: Int) -> Int { varies ? seed : seed &+ number }

    func card(_ number: Int) -> TestCard {
        TestCard(prompt: text, seed: seed(of: number), steps: steps, width: width, height: height)
    }

    /// The files for the first `done` pictures, with the grid that belongs to them.
    func pictures(_ done: Int) -> [Picture] {
        guard parameters["send_images"]?.isTrue == true else { return [] }
        let single = (0..<done).map { number in
            if let other = Catalogue.file(format) { return Picture(.file(other)) }
            return Picture(.card(card(number)), text: infotext(number))
        }
        guard hasGrid(done) else { return single }
        let rows = max(1, Int(Double(done).squareRoot().rounded()))
        let columns = (done + rows - 1) / rows
        return [Picture(.grid((0..<done).map(card), columns: columns), text: infotext(0))] + single
    }

    private func hasGrid(_ done: Int) -> Bool { wantsGrid && done > 1 }

    private func infotext(_ number: Int) -> String {
        let negative = parameters["negative_prompt"]?.text ?? ""
        func shown(_ name: String) -> String {
            String(decoding: (parameters[name] ?? .null).written(), as: UTF8.self)
        }
        var facts =
            "Steps: \(steps), Sampler: \(sampler), Schedule type: \(schedule), CFG scale: \(shown("cfg_scale")), "
        facts +=
            "Seed: \(seed(of: number)), Size: \(shown("width"))x\(shown("height")), Model: \(Catalogue.model), "
        if parameters["denoising_strength"]?.isNull == false {
            facts += "Denoising strength: \(shown("denoising_strength")), "
        }
        return text + (negative.isEmpty ? "" : "\nNegative prompt: \(negative)") + "\n\(facts)Version: sketch"
    }

    /// What A1111 says about a render, all keys in its order.
    func info(done: Int, timestamp: String) -> JSON {
        func repeated(_ value: JSON) -> JSON { .array(Array(repeating: value, count: count)) }
        func parameter(_ name: String) -> JSON { parameters[name] ?? .null }
        let strength = parameter("denoising_strength")
        var extra: [(key: String, value: JSON)] = []
        if schedule != "Automatic" { extra.append(("Schedule type", .string(schedule))) }
        if !strength.isNull { extra.append(("Denoising strength", strength)) }
        let infotexts = (hasGrid(done) ? [infotext(0)] : []) + (0..<done).map(infotext)
        return [
            "prompt": parameter("prompt"), "all_prompts": repeated(parameter("prompt")),
            "negative_prompt": parameter("negative_prompt"),
            "all_negative_prompts": repeated(parameter("negative_prompt")),
            "seed": .int(seed), "all_seeds": .array((0..<count).map { .int(seed(of: $0)) }),
            "subseed": .int(subseed), "all_subseeds": .array((0..<count).map { .int(subseed &+ $0) }),
            "subseed_strength": parameter("subseed_strength"), "width": parameter("width"),
            "height": parameter("height"), "sampler_name": .string(sampler),
            "cfg_scale": parameter("cfg_scale"),
            "steps": .int(steps), "batch_size": .int(batchSize), "restore_faces": false,
            "face_restoration_model": nil, "sd_model_name": .string(Catalogue.model), "sd_model_hash": nil,
            "sd_vae_name": nil, "sd_vae_hash": nil, "seed_resize_from_w": -1, "seed_resize_from_h": -1,
            "denoising_strength": strength, "extra_generation_params": .object(extra),
            "index_of_first_image": hasGrid(done) ? 1 : 0, "infotexts": .array(infotexts.map(JSON.string)),
            "styles": [], "job_timestamp": .string(timestamp), "clip_skip": 1,
            "is_using_inpainting_conditioning": false, "version": "sketch",
        ]
    }

    /// What A1111 echoes of the request: everything but the pictures.
    var echo: JSON {
        guard isImg2img, parameters["include_init_images"]?.isTrue != true else { return parameters }
        var echo = parameters
        echo["init_images"] = .null
        echo["mask"] = .null
        return echo
    }
}
