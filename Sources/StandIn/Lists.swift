// What the server says it has: the answers that never change, short, and worded as A1111 1.10.1 words them.

import Foundation
import JSONText

enum Lists {
    static let model = "sketch-test-card"
    static let modelTitle = "\(model).safetensors"
    static let models = [model, "\(model)-2"]

    /// The model of that name or title.
    static func model(named name: String) -> String? { models.first { name == $0 || name == "\($0).safetensors" } }
    static let upscalers = ["None", "Lanczos", "Nearest", "ESRGAN_4x", "R-ESRGAN 4x+"]
    static let scripts = ["prompt matrix", "prompts from file or textbox", "x/y/z plot"]
    static let alwaysOnScripts = ["extra options", "hypertile", "refiner", "sampler", "seed"]

    /// The first one is what a sampler that nobody knows becomes.
    static let samplers: [(name: String, aliases: [String], scheduler: String?)] = [
        ("DPM++ 2M", ["k_dpmpp_2m"], "karras"), ("DPM++ SDE", ["k_dpmpp_sde"], "karras"),
        ("DPM++ 2M SDE", ["k_dpmpp_2m_sde"], "exponential"), ("Euler a", ["k_euler_a", "k_euler_ancestral"], nil),
        ("Euler", ["k_euler"], nil), ("LMS", ["k_lms"], nil), ("Heun", ["k_heun"], nil), ("DDIM", ["ddim"], nil),
        ("UniPC", ["unipc"], nil), ("LCM", ["k_lcm"], nil),
    ]
    static let schedulers: [(name: String, label: String)] = [
        ("automatic", "Automatic"), ("uniform", "Uniform"), ("karras", "Karras"), ("exponential", "Exponential"),
        ("polyexponential", "Polyexponential"), ("sgm_uniform", "SGM Uniform"), ("normal", "Normal"),
    ]

    /// The options that jobs override most; A1111 has some three hundred. Another one is an unknown one here.
    static let options = Field.table(
        """
        samples_save bool true; samples_format string "png"; grid_save bool true; return_grid bool true;
        return_mask bool false; return_mask_composite bool false; n_rows int -1; enable_pnginfo bool true;
        save_txt bool false; jpeg_quality int 80; webp_lossless bool false;
        outdir_txt2img_samples string "outputs/txt2img-images"; outdir_img2img_samples string "outputs/img2img-images";
        sd_model_checkpoint string "\(modelTitle)"; sd_vae string "Automatic"; sd_unet string "Automatic";
        CLIP_stop_at_last_layers int 1; eta_noise_seed_delta int 0; randn_source string "GPU";
        img2img_fix_steps bool false; img2img_color_correction bool false; face_restoration bool false;
        face_restoration_model string "CodeFormer"; code_former_weight float 0.5; upscaler_for_img2img string null;
        tiling bool false; token_merging_ratio float 0.0; emphasis string "Original"; live_previews_enable bool true;
        """)

    /// The answers that are lists and the like, by the last part of their path.
    static let lists: [(path: String, json: JSONValue)] = [
        (
            "samplers",
            .array(
                samplers.map {
                    let options = $0.scheduler.map { [("scheduler", JSONValue.string($0))] } ?? []
                    return .object([
                        ("name", .string($0.name)), ("aliases", .strings($0.aliases)), ("options", .object(options)),
                    ])
                })
        ),
        (
            "schedulers",
            .array(schedulers.map { .object([("name", .string($0.name)), ("label", .string($0.label))]) })
        ),
        (
            "upscalers",
            .array(
                upscalers.map {
                    .object([
                        ("name", .string($0)), ("model_name", .null), ("model_path", .null), ("model_url", .null),
                        ("scale", .decimal(4)),
                    ])
                })
        ),
        (
            "sd-models",
            .array(
                models.map {
                    .text(
                        #"{"title":"\#($0).safetensors","model_name":"\#($0)","hash":null,"sha256":null,"config":null}"#
                    )
                })
        ),
        ("sd-vae", .array([])), ("loras", .array([])), ("hypernetworks", .array([])), ("face-restorers", .array([])),
        ("realesrgan-models", .array([])), ("extensions", .array([])),
        ("prompt-styles", .array([])), ("embeddings", .text(#"{"loaded":{},"skipped":{}}"#)),
        ("latent-upscale-modes", .text(#"[{"name":"Latent"},{"name":"Latent (nearest)"}]"#)),
        ("scripts", .object(["txt2img", "img2img"].map { ($0, .strings(scripts + alwaysOnScripts)) })),
        (
            "script-info",
            .array(
                (scripts + alwaysOnScripts).map {
                    .object([("name", .string($0)), ("is_alwayson", .boolean(alwaysOnScripts.contains($0)))])
                })
        ),
        ("cmd-flags", .text(#"{"api":true,"nowebui":false,"api_auth":null}"#)),
        ("memory", .text(#"{"ram":{"free":0,"used":0,"total":0},"cuda":{"error":"unavailable"}}"#)),
    ]

    /// A stand-in for the formats that are not drawn here: a picture of one pixel.
    static func file(_ format: String) -> [UInt8]? {
        onePixel[format].flatMap { Data(base64Encoded: $0) }.map { Array($0) }
    }

    private static let onePixel = [
        "jpg": """
        /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAFA3PEY8MlBGQUZaVVBfeMiCeG5uePWvuZHI////////////////////////////\
        ////////////////////////wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AP//Z
        """,
        "webp": "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==",
    ]
}
