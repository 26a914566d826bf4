import Foundation
import JSONText
import Testing

@testable import A1111

@Suite("An answer of 200") struct ReplyVerificationTests {
    /// A reply with pictures of these sizes and this `info`.
    private func reply(_ sizes: [(Int, Int)], info: String = "{}", schedule: String = "Automatic") -> Reply {
        let pictures = sizes.enumerated().map { index, size in
            Picture(
                file: "x-\(index + 1).png", kind: .picture, format: .png, size: 1, width: size.0, height: size.1,
                seed: nil, subseed: nil, infotext: "a cat\nSteps: 1, Schedule type: \(schedule), CFG scale: 7.0")
        }
        return Reply(
            status: 200, headers: [:], pictures: pictures, text: Data(#"{"info": \#(info)}"#.utf8), unsynced: [])
    }

    private static let lists: ServerLists = {
        var lists = ServerLists()
        lists.samplers = [.init(name: "Euler", aliases: ["k_euler"]), .init(name: "DPM++ 2M", aliases: ["k_dpmpp_2m"])]
        lists.schedulers = [.init(name: "karras", label: "Karras"), .init(name: "automatic", label: "Automatic")]
        lists.checkpoints = [.init(title: "sd/tiny.safetensors [ab12]", model_name: "tiny")]
        lists.loras = [.init(name: "detail", alias: "detail_v2")]
        lists.styles = [.init(name: "Oil")]
        lists.upscalers = [
            .init(name: "None"), .init(name: "Lanczos"), .init(name: "DAT x2", model_path: "https://example.org/x.pth"),
            .init(name: "ESRGAN", model_path: "/models/ESRGAN.pth"),
        ]
        return lists
    }()

    static let used = #"{"sampler_name": "Euler", "sd_model_name": "tiny", "sd_model_hash": "ab12", "clip_skip": 1}"#
    static let rows: [(body: String, info: String, schedule: String, expected: [String])] = [
        (#"{"prompt": "x"}"#, used, "Automatic", []),
        (#"{"sampler_name": "Euler"}"#, used, "Automatic", []),
        (#"{"sampler_name": "k_euler"}"#, used, "Automatic", []),
        (#"{"sampler_index": "Euler"}"#, used, "Automatic", []),
        (#"{"sampler_name": "Nope"}"#, used, "Automatic", [#"asked for the sampler "Nope", the server used "Euler""#]),
        (
            #"{"sampler_name": "euler"}"#, used, "Automatic",
            [#"asked for the sampler "euler", the server used "Euler""#]
        ),
        (#"{"sampler_name": "Euler Karras"}"#, used, "Karras", []),
        (
            #"{"sampler_name": "Euler Nope"}"#, used, "Automatic",
            [#"asked for the sampler "Euler Nope", the server used "Euler""#]
        ),
        (#"{"scheduler": "karras"}"#, used, "Karras", []),
        (
            #"{"scheduler": "Nope"}"#, used, "Automatic",
            [#"asked for the schedule type "Nope", the server used "Automatic""#]
        ),
        (#"{"override_settings": {"sd_model_checkpoint": "tiny"}}"#, used, "Automatic", []),
        (#"{"override_settings": {"sd_model_checkpoint": "sd/tiny.safetensors [ab12]"}}"#, used, "Automatic", []),
        (#"{"override_settings": {"sd_model_checkpoint": "tiny.safetensors"}}"#, used, "Automatic", []),
        (
            #"{"override_settings": {"sd_model_checkpoint": "nope.safetensors"}}"#, used, "Automatic",
            [#"asked for the checkpoint "nope.safetensors", the server used "tiny""#]
        ),
        (
            #"{"override_settings": {"sd_vae": "good.pt"}}"#, used, "Automatic",
            [#"asked for the VAE "good.pt", the server used none"#]
        ),
        (#"{"override_settings": {"sd_vae": "Automatic"}}"#, used, "Automatic", []),
        (
            "{}", #"{"clip_skip": 2}"#, "Automatic",
            ["the server used clip skip 2, which was not asked for (it was set to 1)"]
        ),
        (#"{"override_settings": {"CLIP_stop_at_last_layers": 2}}"#, #"{"clip_skip": 2}"#, "Automatic", []),
        (
            #"{"prompt": "a <lora:detail:0.5> and <lora:detail_v2:1> and <lora:nope:1>"}"#, used, "Automatic",
            [#"asked for the LoRA "nope", which the server has not"#]
        ),
        (
            #"{"styles": ["Oil", "Nope"]}"#, used, "Automatic",
            [#"asked for the style "Nope", which the server has not"#]
        ),
        (
            #"{"batch_size": 2, "n_iter": "2"}"#, used, "Automatic",
            ["asked for 4 pictures (batch_size × n_iter), 1 came"]
        ),
        (#"{"batch_size": 2, "script_name": "X/Y/Z plot"}"#, used, "Automatic", []),
        (
            #"{"width": 63, "height": 512}"#, used, "Automatic",
            ["asked for 63 × 512 pixels, x-1.png has 512 × 512"]
        ),
        (#"{"width": 256, "height": 256, "enable_hr": true, "hr_scale": 2}"#, used, "Automatic", []),
        (#"{"width": 256, "height": 256, "enable_hr": true, "hr_resize_x": 400}"#, used, "Automatic", []),
        (
            #"{"n_iter": 2, "enable_hr": true, "hr_resize_x": 400, "hr_upscaler": "DAT x2"}"#, used, "Automatic",
            [
                "asked for 2 pictures (batch_size × n_iter), 1 came",
                #"asked for the upscaler "DAT x2", whose model the server has not: the picture may be only resized"#,
            ]
        ),
        (#"{"width": 1e300, "batch_size": -1e18, "steps": null}"#, used, "Automatic", []),
    ]

    @Test("is held against what was asked, and each difference names both", arguments: rows)
    func differences(row: (body: String, info: String, schedule: String, expected: [String])) throws {
        let asked = RequestedRender(try ObjectText(Data(row.body.utf8)), of: .txt2img)
        let reply = reply([(512, 512)], info: row.info, schedule: row.schedule)
        #expect(asked.differences(to: reply, lists: Self.lists) == row.expected)
    }

    static let set: [(options: String, body: String, info: String, expected: [String])] = [
        (#"{"CLIP_stop_at_last_layers": 2}"#, "{}", #"{"clip_skip": 2}"#, []),
        (
            #"{"CLIP_stop_at_last_layers": 2}"#, "{}", #"{"clip_skip": 1}"#,
            ["the server used clip skip 1, which was not asked for (it was set to 2)"]
        ),
        (#"{"CLIP_stop_at_last_layers": "two"}"#, "{}", #"{"clip_skip": 1}"#, []),
        (#"{"sd_model_checkpoint": "sd/tiny.safetensors [ab12]"}"#, "{}", #"{"sd_model_name": "tiny"}"#, []),
        (#"{"sd_model_checkpoint": "sd\\tiny.safetensors"}"#, "{}", #"{"sd_model_name": "tiny"}"#, []),
        (#"{"sd_model_checkpoint": "ab12"}"#, "{}", #"{"sd_model_name": "tiny", "sd_model_hash": "ab12"}"#, []),
        (#"{"sd_model_checkpoint": null}"#, "{}", #"{"sd_model_name": "tiny"}"#, []),
        (
            #"{"sd_model_checkpoint": "large.ckpt"}"#, "{}", #"{"sd_model_name": "tiny"}"#,
            [#"the server used the checkpoint "tiny", which was not asked for (it was set to "large.ckpt")"#]
        ),
        (
            #"{"sd_model_checkpoint": "large.ckpt"}"#, #"{"override_settings": {"sd_model_checkpoint": "tiny"}}"#,
            #"{"sd_model_name": "tiny"}"#, []
        ),
        (#"{"sd_vae": "Automatic"}"#, "{}", #"{"sd_model_name": "tiny", "sd_vae_name": "x.pt"}"#, []),
        (
            #"{"sd_vae": "good.pt"}"#, "{}", #"{"sd_model_name": "tiny", "sd_vae_name": null}"#,
            [#"the server used no VAE, which was not asked for (it was set to "good.pt")"#]
        ),
        (
            #"{"sd_vae": "good.pt", "sd_vae_overrides_per_model_preferences": false}"#, "{}",
            #"{"sd_model_name": "tiny", "sd_vae_name": "x.pt"}"#, []
        ),
        (#"{"samples_format": "png"}"#, "{}", "{}", []), (#"{"samples_format": "avif"}"#, "{}", "{}", []),
        (
            #"{"samples_format": "jpg"}"#, "{}", "{}",
            ["the server used the picture format png, which was not asked for (it was set to jpg)"]
        ),
        (
            #"{"samples_format": "png"}"#, #"{"override_settings": {"samples_format": "webp"}}"#, "{}",
            ["asked for pictures in webp, x-1.png is png"]
        ),
        ("[]", "{}", #"{"clip_skip": 1}"#, []),
    ]

    @Test("is held against what the server was set to, where nothing else was asked for", arguments: set)
    func unasked(row: (options: String, body: String, info: String, expected: [String])) throws {
        let asked = RequestedRender(try ObjectText(Data(row.body.utf8)), of: .txt2img)
        let settings = try? JSONDecoder().decode(ServerSettings.self, from: Data(row.options.utf8))
        let found = asked.differences(
            to: reply([(512, 512)], info: row.info), lists: ServerLists(), settings: settings ?? ServerSettings())
        #expect(found == row.expected)
    }

    @Test("is not doubted by lists that the server does not give")
    func noLists() throws {
        let body = #"{"prompt": "<lora:x:1>", "styles": ["y"], "sampler_name": "Euler Karras"}"#
        let asked = RequestedRender(try ObjectText(Data(body.utf8)), of: .txt2img)
        #expect(asked.differences(to: reply([(512, 512)], info: Self.used), lists: ServerLists()) == [])
    }

    @Test(
        "has the size of the picture that it was put back into where only the masked part was drawn",
        arguments: [
            (#"{"init_images": ["x"], "mask": "y"}"#, false),
            (#"{"init_images": ["x"], "mask": "y", "inpaint_full_res": true}"#, false),
            (#"{"init_images": ["x"], "mask": "y", "inpaint_full_res": false}"#, true),
            (#"{"init_images": ["x"], "mask": null}"#, true), (#"{"init_images": ["x"]}"#, true),
        ])
    func inpainting(body: String, isOdd: Bool) throws {
        let asked = RequestedRender(try ObjectText(Data(body.utf8)), of: .img2img)
        let expected = isOdd ? ["asked for 512 × 512 pixels, x-1.png has 768 × 1024"] : []
        #expect(asked.differences(to: reply([(768, 1024)]), lists: Self.lists) == expected)
    }

    @Test(
        "of an upscaler may have only resized",
        arguments: [
            (#"{"image": "x", "upscaler_1": "Lanczos"}"#, false), (#"{"image": "x", "upscaler_1": "ESRGAN"}"#, false),
            (#"{"image": "x", "upscaling_resize": 2}"#, true), (#"{"image": "x", "upscaler_1": "DAT x2"}"#, true),
            // Faces, or nothing, and so it says.
            (#"{"image": "x", "gfpgan_visibility": 1}"#, false),
            (#"{"image": "x", "upscaling_resize": 2, "upscaler_1": "None"}"#, false),
            (#"{"image": "x", "upscaling_resize": 2, "codeformer_visibility": 1}"#, true),
        ])
    func upscalers(body: String, isDoubtful: Bool) throws {
        let asked = RequestedRender(try ObjectText(Data(body.utf8)), of: .extraSingle)
        #expect(asked.differences(to: reply([(128, 128)]), lists: Self.lists).count == (isDoubtful ? 1 : 0))
    }
}
