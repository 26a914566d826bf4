// What the server says it has: the lists behind its GET endpoints, as A1111 1.10.1 words them.

import Foundation

enum Catalogue {
    static let model = "sketch-test-card"
    static let modelTitle = "\(model).safetensors"

    /// In A1111's order: the first one is what a sampler that nobody knows becomes.
    static let samplers: [(name: String, aliases: [String], scheduler: String?)] = [
        ("DPM++ 2M", ["k_dpmpp_2m"], "karras"), ("DPM++ SDE", ["k_dpmpp_sde"], "karras"),
        ("DPM++ 2M SDE", ["k_dpmpp_2m_sde"], "exponential"),
        ("DPM++ 2M SDE Heun", ["k_dpmpp_2m_sde_heun"], "exponential"),
        ("DPM++ 2S a", ["k_dpmpp_2s_a"], "karras"), ("DPM++ 3M SDE", ["k_dpmpp_3m_sde"], "exponential"),
        ("Euler a", ["k_euler_a", "k_euler_ancestral"], nil), ("Euler", ["k_euler"], nil),
        ("LMS", ["k_lms"], nil), ("Heun", ["k_heun"], nil), ("DPM2", ["k_dpm_2"], "karras"),
        ("DPM2 a", ["k_dpm_2_a"], "karras"), ("DPM fast", ["k_dpm_fast"], nil),
        ("DPM adaptive", ["k_dpm_ad"], nil), ("Restart", ["restart"], "karras"), ("DDIM", ["ddim"], nil),
        ("DDIM CFG++", ["ddim_cfgpp"], nil), ("PLMS", ["plms"], nil), ("UniPC", ["unipc"], nil),
        ("LCM", ["k_lcm"], nil),
    ]

    static let schedulers: [(name: String, label: String)] = [
        ("automatic", "Automatic"), ("uniform", "Uniform"), ("karras", "Karras"),
        ("exponential", "Exponential"),
        ("polyexponential", "Polyexponential"), ("sgm_uniform", "SGM Uniform"), ("kl_optimal", "KL Optimal"),
        ("align_your_steps", "Align Your Steps"), ("simple", "Simple"), ("normal", "Normal"),
        ("ddim", "DDIM"),
        ("beta", "Beta"),
    ]

    static let upscalers = ["None", "Lanczos", "Nearest", "ESRGAN_4x", "R-ESRGAN 4x+", "SwinIR 4x"]
    static let scripts = ["prompt matrix", "prompts from file or textbox", "x/y/z plot"]
    static let alwaysOnScripts = ["extra options", "hypertile", "refiner", "sampler", "seed"]

    /// The options that jobs override most; A1111 has some three hundred. Another one is an unknown one here.
    static let options: JSON = [
        "samples_save": true, "samples_format": "png", "save_images_add_number": true, "grid_save": true,
        "grid_format": "png", "grid_only_if_multiple": true, "n_rows": -1, "enable_pnginfo": true,
        "save_txt": false, "jpeg_quality": 80, "webp_lossless": false, "outdir_samples": "",
        "outdir_txt2img_samples": "outputs/txt2img-images",
        "outdir_img2img_samples": "outputs/img2img-images",
        "return_grid": true, "return_mask": false, "return_mask_composite": false,
        "do_not_show_images": false,
        "sd_model_checkpoint": .string(modelTitle), "sd_checkpoint_hash": "", "sd_checkpoints_limit": 1,
        "sd_checkpoint_cache": 0, "sd_unet": "Automatic", "sd_vae": "Automatic", "sd_lora": "None",
        "CLIP_stop_at_last_layers": 1, "eta_noise_seed_delta": 0, "eta_ancestral": .double(1), "eta_ddim": 0,
        "s_churn": 0, "s_tmin": 0, "s_tmax": 0, "s_noise": .double(1), "sigma_min": .double(0),
        "sigma_max": .double(0), "rho": .double(0), "randn_source": "GPU", "img2img_fix_steps": false,
        "img2img_color_correction": false, "initial_noise_multiplier": .double(1),
        "inpainting_mask_weight": .double(1),
        "face_restoration": false, "face_restoration_model": "CodeFormer", "code_former_weight": .double(0.5),
        "upscaler_for_img2img": nil, "tiling": false, "token_merging_ratio": .double(0),
        "comma_padding_backtrack": 20,
        "emphasis": "Original", "live_previews_enable": true, "show_progress_every_n_steps": 10,
        "lora_functional": false, "enable_batch_seeds": true, "use_old_emphasis_implementation": false,
    ]

    /// The answers that never change, by the last part of their path.
    static let lists: [(path: String, json: JSON)] = [
        (
            "samplers",
            .array(
                samplers.map {
                    let options: JSON = $0.scheduler.map { ["scheduler": .string($0)] } ?? .object([])
                    return [
                        "name": .string($0.name), "aliases": .array($0.aliases.map(JSON.string)),
                        "options": options,
                    ]
                })
        ),
        (
            "schedulers",
            .array(
                schedulers.map {
                    [
                        "name": .string($0.name), "label": .string($0.label), "aliases": nil,
                        "default_rho": .double(-1), "need_inner_model": false,
                    ]
                })
        ),
        (
            "upscalers",
            .array(
                upscalers.map {
                    [
                        "name": .string($0), "model_name": nil, "model_path": nil, "model_url": nil,
                        "scale": .double(4),
                    ]
                })
        ),
        (
            "sd-models",
            [
                [
                    "title": .string(modelTitle), "model_name": .string(model), "hash": nil, "sha256": nil,
                    "filename": .string("models/Stable-diffusion/\(modelTitle)"), "config": nil,
                ]
            ]
        ),
        ("sd-vae", []), ("loras", []), ("hypernetworks", []), ("face-restorers", []), ("prompt-styles", []),
        ("embeddings", ["loaded": .object([]), "skipped": .object([])]),
        ("latent-upscale-modes", .array(["Latent", "Latent (nearest)"].map { ["name": $0] })),
        (
            "scripts",
            [
                "txt2img": .array((scripts + alwaysOnScripts).map(JSON.string)),
                "img2img": .array((scripts + alwaysOnScripts).map(JSON.string)),
            ]
        ),
        (
            "script-info",
            .array(
                [false, true].flatMap { isImg2img in
                    (scripts + alwaysOnScripts).map { name in
                        [
                            "name": .string(name), "is_alwayson": .bool(alwaysOnScripts.contains(name)),
                            "is_img2img": .bool(isImg2img), "args": [],
                        ] as JSON
                    }
                })
        ),
        ("cmd-flags", ["api": true, "nowebui": false, "api_auth": nil]),
        ("memory", ["ram": ["free": 0, "used": 0, "total": 0], "cuda": ["error": "unavailable"]]),
    ]

    /// A stand-in for the formats that are not drawn here: a picture of one pixel.
    static func file(_ format: String) -> [UInt8]? {
        onePixel[format].flatMap { Data(base64Encoded: $0) }.map { Array($0) }
    }

    private static let onePixel: [String: String] = [
        "jpg": """
        /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAFA3PEY8MlBGQUZaVVBfeMiCeG5uePWvuZHI////////////////////////////\
        ////////////////////////wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AP//Z
        """,
        "webp": "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==",
    ]
}
