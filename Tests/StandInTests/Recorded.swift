// Answers of a real A1111 1.10.1, as they came; only what has to differ here was replaced: the model, the version, the
// drawn subseed and the time.

import Foundation

enum Recorded {
    static func object(_ text: String) -> NSDictionary? {
        (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? NSDictionary
    }

    /// The `parameters` of a txt2img.
    static let txt2img = #"""
        {"prompt":"a cat","negative_prompt":"dog","styles":null,"seed":42,"subseed":-1,\#
        "subseed_strength":0,"seed_resize_from_h":-1,"seed_resize_from_w":-1,\#
        "sampler_name":"Euler a","scheduler":null,"batch_size":1,"n_iter":1,"steps":1,\#
        "cfg_scale":7.0,"width":64,"height":64,"restore_faces":null,"tiling":null,\#
        "do_not_save_samples":false,"do_not_save_grid":false,"eta":null,"denoising_strength":null,\#
        "s_min_uncond":null,"s_churn":null,"s_tmax":null,"s_tmin":null,"s_noise":null,\#
        "override_settings":null,"override_settings_restore_afterwards":true,\#
        "refiner_checkpoint":null,"refiner_switch_at":null,"disable_extra_networks":false,\#
        "firstpass_image":null,"comments":null,"enable_hr":false,"firstphase_width":0,\#
        "firstphase_height":0,"hr_scale":2.0,"hr_upscaler":null,"hr_second_pass_steps":0,\#
        "hr_resize_x":0,"hr_resize_y":0,"hr_checkpoint_name":null,"hr_sampler_name":null,\#
        "hr_scheduler":null,"hr_prompt":"","hr_negative_prompt":"","force_task_id":null,\#
        "sampler_index":"Euler","script_name":null,"script_args":[],"send_images":true,\#
        "save_images":false,"alwayson_scripts":{},"infotext":null}
        """#

    /// The `parameters` of an img2img.
    static let img2img = #"""
        {"prompt":"a cat","negative_prompt":"","styles":null,"seed":42,"subseed":-1,\#
        "subseed_strength":0,"seed_resize_from_h":-1,"seed_resize_from_w":-1,"sampler_name":null,\#
        "scheduler":null,"batch_size":1,"n_iter":1,"steps":2,"cfg_scale":7.0,"width":64,"height":64,\#
        "restore_faces":null,"tiling":null,"do_not_save_samples":false,"do_not_save_grid":false,\#
        "eta":null,"denoising_strength":0.6,"s_min_uncond":null,"s_churn":null,"s_tmax":null,\#
        "s_tmin":null,"s_noise":null,"override_settings":null,\#
        "override_settings_restore_afterwards":true,"refiner_checkpoint":null,\#
        "refiner_switch_at":null,"disable_extra_networks":false,"firstpass_image":null,\#
        "comments":null,"init_images":null,"resize_mode":0,"image_cfg_scale":null,"mask":null,\#
        "mask_blur_x":4,"mask_blur_y":4,"mask_blur":null,"mask_round":true,"inpainting_fill":0,\#
        "inpaint_full_res":true,"inpaint_full_res_padding":0,"inpainting_mask_invert":0,\#
        "initial_noise_multiplier":null,"latent_mask":null,"force_task_id":null,\#
        "sampler_index":"Euler","include_init_images":false,"script_name":null,"script_args":[],\#
        "send_images":true,"save_images":false,"alwayson_scripts":{},"infotext":null}
        """#

    /// The `info` of the txt2img.
    static let info = #"""
        {"prompt": "a cat", "all_prompts": ["a cat"], "negative_prompt": "dog",\#
         "all_negative_prompts": ["dog"], "seed": 42, "all_seeds": [42], "subseed": 7,\#
         "all_subseeds": [7], "subseed_strength": 0, "width": 64, "height": 64,\#
         "sampler_name": "Euler a", "cfg_scale": 7.0, "steps": 1, "batch_size": 1,\#
         "restore_faces": false, "face_restoration_model": null,\#
         "sd_model_name": "sketch-test-card", "sd_model_hash": "0123456789", "sd_vae_name": null,\#
         "sd_vae_hash": null, "seed_resize_from_w": -1, "seed_resize_from_h": -1,\#
         "denoising_strength": null, "extra_generation_params": {}, "index_of_first_image": 0,\#
         "infotexts": ["a cat\nNegative prompt: dog\nSteps: 1, Sampler: Euler a,\#
         Schedule type: Automatic, CFG scale: 7.0, Seed: 42, Size: 64x64, Model: sketch-test-card,\#
         Version: sketch"], "styles": [], "job_timestamp": "TIME", "clip_skip": 1,\#
         "is_using_inpainting_conditioning": false, "version": "sketch"}
        """#
}
