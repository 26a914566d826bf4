// What a request asks for, as far as an answer can be held against it.

import A1111API
import Foundation
import JSONText

/// What a request asks of a service. A1111 takes `"21"` for 21, so numbers are read from texts, too.
package struct RequestedRender: Sendable, Equatable {
    /// Pictures are made, as many as were asked for.
    private let draws: Bool
    var pictures = 1
    /// How many of them are made at once.
    package private(set) var batchSize = 1
    var width: Int?
    var height: Int?
    var sampler: String?
    var scheduler: String?
    var checkpoint: String?
    var vae: String?
    var clipSkip: Int?
    var format: String?
    var loras: [String] = []
    var styles: [String] = []
    var upscaler: String?
    /// It wants a picture enlarged and does not say by what.
    var leavesUpscalerOut = false
    /// A script may make of it what it likes: more pictures, others, a grid.
    var hasScript = false
    /// An extension may have a say in it, too.
    var hasExtensions = false

    /// Reads it; what is not there or of another shape is not asked for.
    package init(_ object: ObjectText, of service: Endpoint.Service) {
        draws = service.drawsSeeds
        func text(_ key: String) -> String? { Self.text(object, key) }
        func number(_ key: String) -> Double? { Self.number(object, key) }
        batchSize = Int(number("batch_size") ?? 1)
        pictures = batchSize * Int(number("n_iter") ?? 1)
        hasScript = text("script_name")?.isEmpty == false
        hasExtensions = object.value(of: "alwayson_scripts").flatMap { try? ObjectText($0) }?.members.isEmpty == false
        sampler = text("sampler_name") ?? text("sampler_index")
        scheduler = text("scheduler")
        styles = object.value(of: "styles").flatMap { try? JSONDecoder().decode([String].self, from: $0) } ?? []
        let prompts = (text("prompt") ?? "") + " " + (text("negative_prompt") ?? "")
        // Most name none, and to make the expression ready takes longer than all the rest here.
        loras = prompts.contains("<lora:") ? prompts.matches(of: /<lora:([^:>]+)/).map { String($0.output.1) } : []
        if let overrides = object.value(of: "override_settings").flatMap({ try? ObjectText($0) }) {
            checkpoint = Self.text(overrides, "sd_model_checkpoint")
            vae = Self.text(overrides, "sd_vae")
            clipSkip = Self.number(overrides, "CLIP_stop_at_last_layers").map { Int($0) }
            format = Self.text(overrides, "samples_format")
        }
        switch service {
        case .extraSingle, .extraBatch:
            let keys = object.members.map(\.key)
            let mendsFaces = keys.contains { $0.hasPrefix("gfpgan") || $0.hasPrefix("codeformer") }
            leavesUpscalerOut =
                text("upscaler_1") == nil && (keys.contains { $0.hasPrefix("upscal") } || !mendsFaces)
            upscaler = text("upscaler_1")
        case .img2img:
            // Only the masked part is drawn in that size, and put back into a picture that keeps its own.
            let isPart = object.value(of: "mask").map { $0 != Data("null".utf8) } ?? false
            guard !isPart || object.value(of: "inpaint_full_res") == Data("false".utf8) else { break }
            (width, height) = (Int(number("width") ?? 512), Int(number("height") ?? 512))
        case .txt2img:
            let enlarges = object.value(of: "enable_hr") == Data("true".utf8)
            (width, height) = Self.size(number, enlarges: enlarges)
            if enlarges { upscaler = text("hr_upscaler") }
        }
    }

    /// How many pixels its pictures have together, as far as the request tells.
    package var pixels: Int { max(1, width ?? 512) * max(1, height ?? 512) * max(1, min(pictures, 1_000_000)) }

    /// How many pictures are due; `nil` where that is not for the request alone to say.
    var count: Int? { draws && !hasScript ? pictures : nil }

    /// Which picture is being made, from 1, and of how many; the first one of those that are made at once. `nil` where
    /// the server counts something else: one batch only, the passes of a picture that is drawn twice, what a script does.
    package func place(of state: ServerProgress.State) -> (picture: Int, pictures: Int)? {
        guard self.count != nil, batchSize > 0, let number = state.job_no, let count = state.job_count, count > 1,
            count == pictures / batchSize, (0..<count).contains(number)
        else { return nil }
        return (number * batchSize + 1, pictures)
    }

    /// With its own size for the second pass named, A1111 crops and rounds in ways that are not repeated here.
    private static func size(_ number: (String) -> Double?, enlarges: Bool) -> (Int?, Int?) {
        let (width, height) = (number("width") ?? 512, number("height") ?? 512)
        guard enlarges else { return (Int(width), Int(height)) }
        guard (number("hr_resize_x") ?? 0) == 0, (number("hr_resize_y") ?? 0) == 0 else { return (nil, nil) }
        let scale = number("hr_scale") ?? 2
        return (Int(width * scale), Int(height * scale))
    }

    private static func text(_ object: ObjectText, _ key: String) -> String? {
        object.value(of: key).flatMap { try? JSONDecoder().decode(String.self, from: $0) }
    }

    /// A count or a size that a picture could have; anything else would not fit where it is reckoned with.
    private static func number(_ object: ObjectText, _ key: String) -> Double? {
        let number =
            object.value(of: key).flatMap { try? JSONDecoder().decode(Double.self, from: $0) }
            ?? text(object, key).flatMap(Double.init)
        return number.flatMap { (-1e6...1e6).contains($0) ? $0 : nil }
    }
}
