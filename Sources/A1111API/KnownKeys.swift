// The keys that A1111 1.10 reads. It passes over all others in silence: `"step": 20` is a picture with 50 steps.

extension Endpoint.Service {
    /// The keys of the body that this service reads.
    package var knownKeys: Set<String> {
        switch self {
        case .txt2img: Self.common.union(Self.hires)
        case .img2img: Self.common.union(Self.image)
        case .extraSingle: Self.extras.union(["image"])
        case .extraBatch: Self.extras.union(["imageList"])
        }
    }

    private static let common: Set<String> = [
        "prompt", "negative_prompt", "styles", "seed", "subseed", "subseed_strength", "seed_resize_from_h",
        "seed_resize_from_w", "sampler_name", "scheduler", "batch_size", "n_iter", "steps", "cfg_scale", "width",
        "height", "restore_faces", "tiling", "do_not_save_samples", "do_not_save_grid", "eta", "denoising_strength",
        "s_min_uncond", "s_churn", "s_tmax", "s_tmin", "s_noise", "override_settings",
        "override_settings_restore_afterwards", "refiner_checkpoint", "refiner_switch_at", "disable_extra_networks",
        "firstpass_image", "comments", "force_task_id", "sampler_index", "script_name", "script_args", "send_images",
        "save_images", "alwayson_scripts", "infotext",
    ]
    private static let hires: Set<String> = [
        "enable_hr", "firstphase_width", "firstphase_height", "hr_scale", "hr_upscaler", "hr_second_pass_steps",
        "hr_resize_x", "hr_resize_y", "hr_checkpoint_name", "hr_sampler_name", "hr_scheduler", "hr_prompt",
        "hr_negative_prompt",
    ]
    private static let image: Set<String> = [
        "init_images", "resize_mode", "image_cfg_scale", "mask", "mask_blur_x", "mask_blur_y", "mask_blur",
        "mask_round", "inpainting_fill", "inpaint_full_res", "inpaint_full_res_padding", "inpainting_mask_invert",
        "initial_noise_multiplier", "latent_mask", "include_init_images",
    ]
    private static let extras: Set<String> = [
        "resize_mode", "show_extras_results", "gfpgan_visibility", "codeformer_visibility", "codeformer_weight",
        "upscaling_resize", "upscaling_resize_w", "upscaling_resize_h", "upscaling_crop", "upscaler_1", "upscaler_2",
        "extras_upscaler_2_visibility", "upscale_first",
    ]
}
