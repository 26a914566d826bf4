import Foundation
import Testing

@testable import StandIn

@Suite("What the stand-in answers", .timeLimit(.minutes(60)))
struct AnswerTests {
    static let small = #""prompt":"a cat","width":64,"height":64,"seed":42,"steps":1"#

    @Test("a picture, the parameters and the info, in that order and as recorded")
    func txt2img() async throws {
        let caller = try Caller()
        let answer = try await caller.txt2img(
            "{\(Self.small),\"negative_prompt\":\"dog\",\"cfg_scale\":7,\"sampler_name\":\"Euler a\"}")
        #expect(answer.status == 200)
        #expect(answer.headers["content-type"] == "application/json")
        #expect(answer.headers["content-length"] == "\(answer.data.count)")
        #expect(answer.text.hasPrefix("{\"images\":[\"iVBORw0KGgo"))
        #expect(
            answer.text.contains(
                "\"],\"parameters\":{\"prompt\":\"a cat\",\"negative_prompt\":\"dog\",\"styles\":null,\"seed\":42,"
            ))
        #expect(
            answer.text.contains(
                #"},"info":"{\"prompt\":\"a cat\",\"all_prompts\":[\"a cat\"],"#
            ))
        let taken = try #require(answer.images.first.flatMap(Taken.init))
        #expect(taken.width == 64 && taken.height == 64)
        let infotext =
            "a cat\nNegative prompt: dog\nSteps: 1, Sampler: Euler a, Schedule type: Automatic, CFG scale: 7.0, "
            + "Seed: 42, Size: 64x64, Model: sketch-test-card, Version: sketch"
        #expect(answer.info["infotexts"] as? [String] == [infotext])
        #expect(taken.chunks[1].content == Array("parameters\0\(infotext)".utf8))
        #expect(answer.info["sd_model_name"] as? String == "sketch-test-card")
        #expect(answer.info["index_of_first_image"] as? Int == 0)
        #expect((answer.info["job_timestamp"] as? String)?.count == 14)
        #expect(answer.value("parameters", "seed") == "42")
        await caller.standIn.stop()
    }

    @Test("the parameters and the info that were recorded, but for what is drawn by lot")
    func recorded() async throws {
        let caller = try Caller()
        let keys = #""prompt":"a cat","steps":1,"width":64,"height":64,"seed":42"#
        let body =
            "{\(keys),\"negative_prompt\":\"dog\",\"cfg_scale\":7.0,\"sampler_name\":\"Euler a\",\"subseed\":7}"
        let answer = try await caller.txt2img(body)
        let parameters = try #require(answer.json["parameters"] as? NSDictionary)
        #expect(parameters == Recorded.object(Recorded.txt2img.replacing("\"subseed\":-1", with: "\"subseed\":7")))
        let time = try #require(answer.info["job_timestamp"] as? String)
        #expect(answer.info as NSDictionary == Recorded.object(Recorded.info.replacing("TIME", with: time)))
        let picture = try #require((answer.json["images"] as? [String])?.first)
        let second = try await caller.post(
            "/sdapi/v1/img2img",
            "{\(keys.replacing("1", with: "2")),\"init_images\":[\"\(picture)\"],\"denoising_strength\":0.6}")
        #expect(try #require(second.json["parameters"] as? NSDictionary) == Recorded.object(Recorded.img2img))
        #expect(second.info["extra_generation_params"] as? [String: Double] == ["Denoising strength": 0.6])
        await caller.standIn.stop()
    }

    @Test(
        "a grid first, but only where pictures are saved and there are two",
        arguments: [
            (#""batch_size":2,"n_iter":2"#, 4, 0, 4),
            (#""batch_size":2,"n_iter":2,"save_images":true"#, 5, 1, 5),
            (#""save_images":true"#, 1, 0, 1), (#""n_iter":2,"send_images":false"#, 0, 0, 2),
            (#""batch_size":2,"save_images":true,"override_settings":{"return_grid":false}"#, 2, 0, 2),
        ])
    func grid(keys: String, images: Int, first: Int, infotexts: Int) async throws {
        let caller = try Caller()
        let answer = try await caller.txt2img("{\(Self.small),\(keys)}")
        #expect(answer.images.count == images)
        #expect(answer.info["index_of_first_image"] as? Int == first)
        #expect((answer.info["infotexts"] as? [String])?.count == infotexts)
        let taken = answer.images.compactMap(Taken.init)
        #expect(taken.count == images)
        #expect(taken.dropFirst(first).allSatisfy { $0.width == 64 && $0.height == 64 })
        if first == 1 { #expect(taken[0].width == 128 && taken[0].height == 128) }
        #expect(Set(answer.images.dropFirst(first)).count == images - first)
        await caller.standIn.stop()
    }

    @Test("64-bit seeds, one more for each picture, and drawn ones where there is none")
    func seeds() async throws {
        let caller = try Caller()
        let answer = try await caller.txt2img(
            #"{"width":8,"height":8,"steps":1,"n_iter":2,"seed":9007199254740993}"#)
        #expect(answer.info["all_seeds"] as? [Int] == [9_007_199_254_740_993, 9_007_199_254_740_994])
        #expect(answer.text.contains("\"seed\":9007199254740993,"))
        let drawn = try await caller.txt2img(#"{"width":8,"height":8,"steps":1}"#)
        #expect(drawn.value("parameters", "seed") == "-1")
        #expect((drawn.info["seed"] as? Int ?? -1) >= 0)
        await caller.standIn.stop()
    }

    static let errors: [(String, String, Int, String)] = [
        (
            "txt2img", "", 422,
            #"{"detail":[{"loc":["body"],"msg":"field required","type":"value_error.missing"}]}"#
        ),
        (
            "txt2img", "null", 422,
            #"{"detail":[{"loc":["body"],"msg":"field required","type":"value_error.missing"}]}"#
        ),
        (
            "txt2img", "[1]", 422,
            #"{"detail":[{"loc":["body"],"msg":"value is not a valid dict","type":"type_error.dict"}]}"#
        ),
        (
            "txt2img", #"{"steps":"many","cfg_scale":"big"}"#, 422,
            #"{"detail":[{"loc":["body","steps"],"msg":"value is not a valid integer","type":"type_error.integer"},"#
                + #"{"loc":["body","cfg_scale"],"msg":"value is not a valid float","type":"type_error.float"}]}"#
        ),
        (
            "txt2img", #"{"prompt":["a","b"]}"#, 422,
            #"{"detail":[{"loc":["body","prompt"],"msg":"str type expected","type":"type_error.str"}]}"#
        ),
        (
            "txt2img", #"{"script_name":"nope"}"#, 422,
            #"{"error":"HTTPException","detail":"Script 'nope' not found","body":"","errors":""}"#
        ),
        (
            "txt2img", #"{"alwayson_scripts":{"controlnet":{"args":[]}}}"#, 422,
            #"{"error":"HTTPException","detail":"Script 'controlnet' not found","body":"","errors":""}"#
        ),
        (
            "txt2img", #"{"steps":0}"#, 500,
            #"{"error":"ZeroDivisionError","detail":"","body":"","errors":"integer division or modulo by zero"}"#
        ),
        (
            "txt2img", #"{"steps":-3}"#, 500,
            #"{"error":"RuntimeError","detail":"","body":"","errors":"number of steps must be non-negative"}"#
        ),
        (
            "txt2img", #"{"n_iter":0}"#, 500,
            #"{"error":"IndexError","detail":"","body":"","errors":"list index out of range"}"#
        ),
        (
            "txt2img", #"{"prompt":null}"#, 500,
            #"{"error":"AssertionError","detail":"","body":"","errors":""}"#
        ),
        (
            "txt2img", #"{"seed":99999999999999999999999}"#, 500,
            #"{"error":"RuntimeError","detail":"","body":"","errors":"Overflow when unpacking long"}"#
        ),
        (
            "txt2img", #"{"override_settings":{"no_such_option":1}}"#, 500,
            #"{"error":"KeyError","detail":"","body":"","errors":"'no_such_option'"}"#
        ),
        (
            "img2img", "{}", 404,
            #"{"error":"HTTPException","detail":"Init image not found","body":"","errors":""}"#
        ),
        (
            "img2img", #"{"init_images":["!!!"]}"#, 500,
            #"{"error":"HTTPException","detail":"Invalid encoded image","body":"","errors":""}"#
        ),
        (
            "img2img", #"{"init_images":["http://127.0.0.1:9/x.png"]}"#, 500,
            #"{"error":"HTTPException","detail":"Request to local resource not allowed","body":"","errors":""}"#
        ),
        (
            "extra-single-image", #"{"image":"zzz"}"#, 500,
            #"{"error":"HTTPException","detail":"Invalid encoded image","body":"","errors":""}"#
        ),
        (
            "png-info", #"{"image":""}"#, 500,
            #"{"error":"HTTPException","detail":"Invalid encoded image","body":"","errors":""}"#
        ),
        (
            "options", #"{"no_such_option":1}"#, 500,
            #"{"error":"KeyError","detail":"","body":"","errors":"'no_such_option'"}"#
        ),
        (
            "options", #"{"sd_model_checkpoint":"nope.safetensors"}"#, 500,
            #"{"error":"RuntimeError","detail":"","body":"","errors":"model 'nope.safetensors' not found"}"#
        ),
        ("nope", "{}", 404, #"{"detail":"Not Found"}"#),
        ("progress", "{}", 405, #"{"detail":"Method Not Allowed"}"#),
    ]

    @Test("422 with its place for a text that is not JSON", arguments: [("hello", 0), (#"{"prompt": "a cat","#, 19)])
    func malformed(body: String, place: Int) async throws {
        let caller = try Caller()
        let answer = try await caller.txt2img(body)
        #expect(answer.status == 422)
        let detail = try #require((answer.json["detail"] as? [[String: Any]])?.first)
        #expect(detail["loc"] as? NSArray == ["body", place])
        #expect((detail["msg"] as? String)?.hasSuffix(": line 1 column \(place + 1)") == true)
        #expect(detail["type"] as? String == "value_error.jsondecode")
        await caller.standIn.stop()
    }

    @Test("errors, word by word as recorded", arguments: errors)
    func error(endpoint: String, body: String, status: Int, text: String) async throws {
        let caller = try Caller()
        let answer = try await caller.post("/sdapi/v1/\(endpoint)", body)
        #expect(answer.status == status)
        #expect(answer.text == text)
        await caller.standIn.stop()
    }

    @Test(
        "something, whatever numbers it is given",
        arguments: [
            (#"{"width":1e999}"#, 500), (#"{"cfg_scale":1e999}"#, 422),
            (#"{"enable_hr":true,"hr_scale":1e308}"#, 500),
            (#"{"width":9223372036854775807,"height":9223372036854775807}"#, 500), (#"{"width":-64}"#, 500),
            (#"{"n_iter":9223372036854775807,"batch_size":9223372036854775807}"#, 500),
            (#"{"steps":null}"#, 500),
            (#"{"seed":9223372036854775807,"n_iter":2,"width":8,"height":8}"#, 200),
            (#"{"cfg_scale":1e39}"#, 500),
            (#"{"n_iter":1000,"width":1024,"height":1024,"save_images":true}"#, 500),
            (#"{"n_iter":"2 1"}"#, 422),
        ])
    func hostile(body: String, status: Int) async throws {
        let caller = try Caller()
        #expect(try await caller.txt2img(body).status == status)
        await caller.standIn.stop()
    }

    @Test("an interrupt at once, however many steps there are to go")
    func manySteps() async throws {
        let caller = try Caller()
        let render = Task {
            try await caller.txt2img(
                #"{"width":8,"height":8,"n_iter":2,"steps":9223372036854775807,"sketch":{"fault":"slow"}}"#)
        }
        await caller.standIn.wait { $0.first?.started != nil }
        _ = try await caller.post("/sdapi/v1/interrupt")
        #expect(try await render.value.images.count == 1)
        await caller.standIn.stop()
    }

    @Test("400 for a body that is not UTF-8, 422 for one that does not call itself JSON")
    func bodies() async throws {
        let caller = try Caller()
        let latin1 = try await caller.call("POST", "/sdapi/v1/txt2img", Data([0x7b, 0x22, 0xe9, 0x22, 0x7d]))
        #expect(latin1.status == 400)
        #expect(latin1.text == #"{"detail":"There was an error parsing the body"}"#)
        let form = try await caller.call(
            "POST", "/sdapi/v1/txt2img", Data("{}".utf8), headers: ["Content-Type": "text/plain"])
        #expect(form.status == 422)
        #expect(form.text.contains("value is not a valid dict"))
        await caller.standIn.stop()
    }

    @Test("another sampler for an unknown one, another size for an uneven one")
    func silently() async throws {
        let caller = try Caller()
        for name in ["NoSuchSampler", "k_euler_a", "euler a", "DPM++ 2M Karras"] {
            let answer = try await caller.txt2img(
                #"{"width":8,"height":8,"steps":1,"sampler_name":"\#(name)"}"#)
            #expect(answer.info["sampler_name"] as? String == "DPM++ 2M")
            #expect(answer.value("parameters", "sampler_name") == name)
        }
        let answer = try await caller.txt2img(#"{"width":63,"height":68,"steps":1.9}"#)
        let taken = try #require(Taken(answer.images[0]))
        #expect(taken.width == 56 && taken.height == 64)
        #expect(answer.info["width"] as? Int == 63 && answer.info["steps"] as? Int == 1)
        let large = try await caller.txt2img(#"{"width":64,"height":64,"steps":1,"enable_hr":true}"#)
        #expect(Taken(large.images[0])?.width == 128)
        await caller.standIn.stop()
    }

    @Test("other formats where the options or the job say so, without remembering the job's")
    func formats() async throws {
        let caller = try Caller()
        let keys = #""width":8,"height":8,"steps":1"#
        let jpg = try await caller.txt2img("{\(keys),\"override_settings\":{\"samples_format\":\"jpg\"}}")
        #expect(jpg.images[0].starts(with: [0xff, 0xd8, 0xff]))
        let png = try await caller.txt2img("{\(keys)}")
        #expect(Taken(png.images[0]) != nil)
        #expect(try await caller.post("/sdapi/v1/options", #"{"samples_format":"webp"}"#).text == "null")
        #expect(try await caller.get("/sdapi/v1/options").value("samples_format") == "webp")
        #expect(try await caller.txt2img("{\(keys)}").images[0].starts(with: Array("RIFF".utf8)))
        await caller.standIn.stop()
    }

    @Test("an override that is not taken back stays in force for all who come behind")
    func leak() async throws {
        let caller = try Caller()
        let keys = #""width":8,"height":8,"steps":1"#
        let overrides =
            #"{"samples_format":"jpg","CLIP_stop_at_last_layers":2,"sd_model_checkpoint":"sketch-test-card-2"}"#
        let taken = try await caller.txt2img("{\(keys),\"override_settings\":\(overrides)}")
        #expect(taken.info["clip_skip"] as? Int == 2)
        #expect(taken.info["sd_model_name"] as? String == "sketch-test-card-2")
        #expect(try await caller.txt2img("{\(keys)}").info["clip_skip"] as? Int == 1)
        _ = try await caller.txt2img(
            "{\(keys),\"override_settings\":\(overrides),\"override_settings_restore_afterwards\":false}")
        let after = try await caller.txt2img("{\(keys)}")
        #expect(after.info["clip_skip"] as? Int == 2)
        #expect(after.info["sd_model_name"] as? String == "sketch-test-card-2")
        #expect(after.images[0].starts(with: [0xff, 0xd8, 0xff]))
        #expect(try await caller.get("/sdapi/v1/options").value("samples_format") == "jpg")
        let unknown = try await caller.txt2img(
            "{\(keys),\"override_settings\":{\"sd_model_checkpoint\":\"nope.safetensors\"}}")
        #expect(unknown.info["sd_model_name"] as? String == "sketch-test-card-2")
        await caller.standIn.stop()
    }

    @Test("without a web UI there is nothing internal")
    func nowebui() async throws {
        let caller = try Caller { $0.hasWebUI = false }
        for (method, path) in [("GET", "ping"), ("GET", "pending-tasks"), ("POST", "progress")] {
            let answer = try await caller.call(method, "/internal/\(path)", method == "GET" ? nil : Data("{}".utf8))
            #expect(answer.status == 404)
            #expect(answer.text == #"{"detail":"Not Found"}"#)
        }
        let paths = try await caller.get("/openapi.json").json["paths"] as? [String: Any]
        #expect(paths?.keys.contains { $0.hasPrefix("/internal") } == false)
        #expect(paths?["/sdapi/v1/txt2img"] != nil)
        await caller.standIn.stop()
    }

    @Test("img2img, extras, interrogate and png-info for a picture that it has drawn itself")
    func pictures() async throws {
        let caller = try Caller()
        let drawn = try await caller.txt2img("{\(Self.small)}")
        let picture = try #require((drawn.json["images"] as? [String])?.first)
        let variation = try await caller.post(
            "/sdapi/v1/img2img", "{\(Self.small),\"init_images\":[\"data:image/png;base64,\(picture)\"]}")
        #expect(variation.status == 200 && variation.images.count == 1)
        #expect(variation.text.contains("\"init_images\":null,"))
        #expect(variation.value("parameters", "denoising_strength") == "0.75")
        let larger = try await caller.post(
            "/sdapi/v1/extra-single-image", "{\"image\":\"\(picture)\",\"upscaler_1\":\"Lanczos\"}")
        #expect(
            larger.text.hasPrefix(
                #"{"html_info":"<p>Postprocess upscale by: 2.0, Postprocess upscaler: Lanczos</p>","image":"iVBOR"#
            ))
        let both = try await caller.post(
            "/sdapi/v1/extra-batch-images",
            "{\"imageList\":[{\"data\":\"\(picture)\",\"name\":\"a\"},{\"data\":\"\(picture)\",\"name\":\"b\"}],\"upscaling_resize\":3,\"upscaler_1\":\"Nearest\"}"
        )
        #expect(both.images.compactMap(Taken.init).map(\.width) == [192, 192])
        let info = try await caller.post("/sdapi/v1/png-info", "{\"image\":\"\(picture)\"}")
        #expect(info.json["info"] as? String == (drawn.info["infotexts"] as? [String])?.first)
        let caption = try await caller.post("/sdapi/v1/interrogate", "{\"image\":\"\(picture)\"}")
        #expect(caption.text == #"{"caption":"a test card, not diffusion"}"#)
        #expect(caller.standIn.requests.map(\.path.count) == [17, 17, 28, 28, 21])
        await caller.standIn.stop()
    }

    @Test("queries and controls, and a list of the paths that there are")
    func queries() async throws {
        let caller = try Caller()
        let paths = try #require(
            try await caller.get("/openapi.json").json["paths"] as? [String: [String: Any]])
        #expect(paths["/sdapi/v1/options"]?.keys.sorted() == ["get", "post"])
        for (path, methods) in paths where methods["get"] != nil {
            #expect(try await caller.get(path).status == 200, "\(path)")
        }
        for (path, answer) in [
            ("interrupt", "{}"), ("skip", "null"), ("refresh-checkpoints", "null"),
            ("unload-checkpoint", "{}"), ("refresh-embeddings", "null"),
        ] {
            #expect(try await caller.post("/sdapi/v1/\(path)").text == answer)
        }
        #expect(
            try await caller.get("/sdapi/v1/samplers").text.contains(
                #"{"name":"Euler a","aliases":["k_euler_a","k_euler_ancestral"]"#))
        let made = try await caller.post("/sdapi/v1/create/embedding", #"{"name":"x"}"#)
        #expect(made.text == #"{"info":"create embedding filename: x.pt"}"#)
        #expect(try await caller.post("/sdapi/v1/create/hypernetwork", "{}").status == 500)
        let trained = try await caller.post("/sdapi/v1/train/embedding", "{}")
        #expect(trained.status == 200 && trained.text.contains("error: test cards are not trained"))
        #expect(try await caller.call("HEAD", "/sdapi/v1/progress").status == 405)
        #expect(try await caller.call("PUT", "/sdapi/v1/options", Data("{}".utf8)).headers["allow"] == "GET")
        await caller.standIn.stop()
    }

    @Test("401 in three wordings, never with WWW-Authenticate, and not for what is open")
    func credentials() async throws {
        let caller = try Caller { $0.credentials = "user:pass" }
        func progress(_ authorization: String?) async throws -> Answer {
            try await caller.call(
                "GET", "/sdapi/v1/progress", headers: authorization.map { ["Authorization": $0] } ?? [:])
        }
        for (authorization, detail) in [
            (nil, "Not authenticated"), ("Bearer abc", "Not authenticated"),
            ("Basic %%%", "Invalid authentication credentials"),
            ("Basic " + Data("user:wrong".utf8).base64EncodedString(), "Incorrect username or password"),
        ] {
            let answer = try await progress(authorization)
            #expect(answer.status == 401)
            #expect(answer.text == #"{"error":"HTTPException","detail":"\#(detail)","body":"","errors":""}"#)
            #expect(answer.headers["www-authenticate"] == nil)
        }
        #expect(try await progress("Basic " + Data("user:pass".utf8).base64EncodedString()).status == 200)
        #expect(try await caller.get("/internal/ping").status == 200)
        #expect(try await caller.txt2img("{\"x").status == 422)
        #expect(try await caller.txt2img("{}").status == 401)
        await caller.standIn.stop()
    }
}
