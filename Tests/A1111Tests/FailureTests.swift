import Foundation
import JSONText
import Testing

@testable import A1111

@Suite("An answer that is an error")
struct FailureTests {
    /// One that a real server gave.
    struct Recorded: Decodable {
        let name: String
        let method: String
        let path: String
        let status: Int
        let body: String
    }

    static let classes: [Failure.Class: [String]] = [
        .unclear: [
            "nowebui-auth noauth", "webui-auth bad-base64", "webui-auth noauth-interrupt", "webui-auth noauth-progress",
            "webui-auth wrong-password", "webui err-method-not-allowed", "webui err-method-put",
        ],
        .outOfMemory: ["webui err-huge-size"],
        .temporary: [
            "nowebui steps0", "webui err-batch-0", "webui err-nan-cfg", "webui err-seed-huge", "webui err-steps-neg",
            "webui err-steps-null", "webui err-width-0", "webui img2img-empty-init", "webui img2img-local-url",
            "webui interrogate-deepdanbooru", "webui ok-prompt-null",
        ],
        .permanent: [
            "nowebui-auth noauth-ping", "nowebui bad-steps", "nowebui malformed", "nowebui pending", "nowebui root",
            "nowebui unknown-endpoint", "webui err-alwayson-script", "webui err-empty-body-noct",
            "webui err-form-content-type", "webui err-latin1-body", "webui err-malformed-json",
            "webui err-not-json", "webui err-script-name",
            "webui err-two-wrong-types", "webui err-unknown-endpoint-post", "webui extras-bad-image",
            "webui extras-bad-upscaler", "webui hires-bad-upscaler", "webui img2img-bad-base64",
            "webui img2img-no-init",
            "webui interrogate-bad-model", "webui interrogate-noimage", "webui options-post-bad-model",
            "webui options-post-unknown", "webui pnginfo-bad", "webui prompt-list", "webui server-stop-not-enabled",
            "webui txt2img-after-options-avif", "webui txt2img-override-unknown-option",
        ],
    ]

    @Test("of a real server has its class, and keeps the server's answer")
    func recorded() throws {
        let errors = try JSONDecoder().decode([Recorded].self, from: Fixture.file("errors.json"))
        #expect(Set(errors.map(\.name)) == Set(Self.classes.values.joined()))
        for error in errors {
            let endpoint = try endpoint(error.path, method: error.method)
            let failure = Failure(status: error.status, body: Data(error.body.utf8), for: endpoint)
            let expected = Self.classes.first { $0.value.contains(error.name) }?.key
            #expect(failure.class == expected, "\(error.name): \(error.body)")
            #expect(failure.status == error.status)
            guard case .raw(let answer) = failure.answer else {
                Issue.record("\(error.name) is JSON")
                continue
            }
            #expect(String(decoding: answer, as: UTF8.self) == error.body)
        }
    }

    static let answers: [(Int, String, String, Failure.Class)] = [
        // Up to 1.9, and while the web UI starts.
        (404, #"{"error":"HTTPException","detail":"Sampler not found","body":"","errors":""}"#, "txt2img", .permanent),
        (404, #"{"detail":"Not Found"}"#, "txt2img", .unclear),
        (404, #"{"detail":"Not Found"}"#, "img2img", .unclear),
        (404, #"{"detail":"Not Found"}"#, "extra-batch-images", .unclear),
        (404, #"{"detail":"Not Found"}"#, "options", .unclear),
        (404, #"{"detail":"Not Found"}"#, "progress?skip_current_image=true", .unclear),
        (404, #"{"detail":"Not Found"}"#, "nope", .permanent),
        (500, "TypeError: ... got an unexpected keyword argument 'default_script_arg_txt2img'", "txt2img", .notNow),
        (
            500, #"{"error":"AttributeError","errors":"no attribute 'default_script_arg_img2img'"}"#, "img2img",
            .notNow
        ),
        (500, "Internal Server Error", "txt2img", .unclear), (500, "", "txt2img", .unclear),
        (500, #""name 'x' is not defined""#, "txt2img", .temporary),
        (
            500, #"{"error":"OutOfMemoryError","detail":"","body":"","errors":"CUDA out of memory. Tried"}"#, "txt2img",
            .outOfMemory
        ),
        (500, #"{"error":"RuntimeError","errors":"MPS backend out of memory"}"#, "txt2img", .outOfMemory),
        (500, #"{"error":"NansException","detail":"","body":"","errors":"A tensor with NaNs"}"#, "txt2img", .temporary),
        // Forge, SD.Next, koboldcpp, stable-diffusion.cpp.
        (500, #"{"error":"OutOfMemoryError","message":"CUDA out of memory."}"#, "txt2img", .outOfMemory),
        (500, #"{"error":"RuntimeError","message":"x"}"#, "txt2img", .temporary), (429, "", "txt2img", .notNow),
        (
            503, #"{"detail":{"msg":"Server is busy; please try again later.","type":"service_unavailable"}}"#,
            "txt2img", .unclear
        ),
        (400, #"{"error":"prompt required"}"#, "txt2img", .permanent), (404, "", "progress", .unclear),
        (404, "", "extra-single-image", .unclear), (405, "", "txt2img", .unclear),
        (404, #"{"error":"no such model","src":"llama-swap"}"#, "txt2img", .permanent),
        // Gateways.
        (502, "<html>Bad Gateway</html>", "txt2img", .unclear), (504, "", "txt2img", .unclear),
        (521, "", "txt2img", .unclear), (524, "error code: 524", "txt2img", .unclear),
        (404, "404 page not found", "txt2img", .unclear), (404, "<html>offline", "img2img", .unclear),
        (404, "<html>", "extra-single-image", .unclear), (404, "<html>", "nope", .unclear),
        (530, "error code: 1033", "txt2img", .unclear), (403, "<html>", "nope", .unclear),
        (501, "", "txt2img", .unclear), (401, "", "txt2img", .unclear), (403, "<html>", "txt2img", .unclear),
        (413, "<html>", "txt2img", .permanent), (301, "", "txt2img", .unclear), (307, "", "options", .unclear),
        (304, "", "options", .unclear), (407, "", "txt2img", .unclear), (502, #"{"detail":"x"}"#, "txt2img", .unclear),
        (400, "<html><title>400 The plain HTTP request was sent to HTTPS port</title>", "txt2img", .unclear),
        (402, #"{"error":"credits exhausted"}"#, "txt2img", .notNow), (408, "", "txt2img", .notNow),
        (425, "", "txt2img", .notNow), (500, #"{"x":1}"#, "txt2img", .unclear),
    ]

    @Test("of other servers and of gateways has its class", arguments: answers)
    func others(status: Int, body: String, path: String, expected: Failure.Class) throws {
        let failure = Failure(status: status, body: Data(body.utf8), for: try endpoint("/sdapi/v1/\(path)"))
        #expect(failure.class == expected)
        #expect(failure.status == status)
        let isJSON = body.hasPrefix("{")
        switch failure.answer {
        case .raw(let answer): #expect(isJSON && answer == Data(body.utf8))
        case .string(let answer): #expect(!isJSON && answer == body)
        default: #expect(body.isEmpty)
        }
    }

    static let sayings: [(Int, String, String)] = [
        (
            422,
            #"{"detail":[{"loc":["body","steps"],"msg":"value is not a valid integer","type":"type_error.integer"}]}"#,
            "the server refused it (422): steps: value is not a valid integer"
        ),
        (
            422, #"{"detail":[{"loc":["body","a",0,"b"],"msg":"m","type":"t"},{"loc":["body"],"msg":"n","type":"t"}]}"#,
            "the server refused it (422): a.0.b: m: n"
        ),
        (
            422, #"{"error":"HTTPException","detail":"Script 'nope' not found","body":"","errors":""}"#,
            "the server refused it (422): Script 'nope' not found"
        ),
        (
            500, #"{"error":"KeyError","detail":"","body":"","errors":"'no_such_option'"}"#,
            "the server refused it (500): KeyError: 'no_such_option'"
        ),
        (
            500, #"{"error":"ZeroDivisionError","detail":"","body":"","errors":"division by zero"}"#,
            "the server failed (500): ZeroDivisionError: division by zero"
        ),
        (500, #"{"error":"RuntimeError","message":"of Forge"}"#, "the server failed (500): RuntimeError: of Forge"),
        (500, #"{"error":{"code":1}}"#, "the server failed (500)"),
        (500, "[1]", #"it answered 500 in words that are not the API's ("[1]")"#),
        (500, "", "it answered 500 in words that are not the API's"),
        (
            502, "<html><head><title>502 Bad\nGateway</title></head></html>",
            #"the server is busy or its gateway finds it away (502) ("502 Bad Gateway")"#
        ),
        (
            400, "<html><title>400 The plain HTTP request was sent to HTTPS port</title>",
            "its port speaks https, and the daemon was given http (400) "
                + #"("400 The plain HTTP request was sent to HTTPS port")"#
        ),
        (400, #"{"error":"\u732b \/ \"x\""}"#, "the server refused it (400): 猫 / \"x\""),
    ]

    @Test("says in the server's own words why", arguments: sayings)
    func words(status: Int, body: String, message: String) throws {
        #expect(Failure(status: status, body: Data(body.utf8), for: try endpoint()).message == message)
    }

    @Test(
        "makes a report that is JSON whatever the bytes",
        arguments: [[0x22, 0xff, 0x22], Array("{\"a\":\"".utf8) + [0xe9] + Array("\"}".utf8)])
    func bytes(body: [UInt8]) throws {
        let answer = try #require(Failure(status: 500, body: Data(body), for: try endpoint()).answer)
        #expect(String(validating: JSONValue.object([("answer", answer)]).document, as: UTF8.self) != nil)
    }

    /// What an unclear answer of that status comes to when the server answers its API: at a render, and at a path of somebody
    /// else's.
    static let clarified: [(Int, Failure.Class, Failure.Class)] = [
        (200, .wrongResult, .wrongResult), (302, .permanent, .permanent), (401, .temporary, .permanent),
        (403, .temporary, .permanent), (405, .permanent, .permanent), (407, .temporary, .permanent),
        (404, .permanent, .permanent), (400, .permanent, .permanent), (500, .temporary, .temporary),
        (502, .ambiguous, .ambiguous), (503, .temporary, .temporary), (504, .ambiguous, .ambiguous),
        (521, .ambiguous, .ambiguous), (524, .ambiguous, .ambiguous),
    ]

    @Test("that is not the API's is the job's where the server answers its API", arguments: clarified)
    func blame(status: Int, atRender: Failure.Class, elsewhere: Failure.Class) throws {
        let unclear = Failure(.unclear, "x", status: status)
        #expect(unclear.clarified(for: try endpoint()).class == atRender)
        #expect(unclear.clarified(for: try endpoint("/sdapi/v1/nope")).class == elsewhere)
        // What is clear stays as it is.
        #expect(Failure(.outOfMemory, "x", status: status).clarified(for: try endpoint()).class == .outOfMemory)
    }

    @Test("names where a redirect leads, and nothing secret of it")
    func redirect() throws {
        let location = "https://me:secret@sso.example/login?token=t#x"
        let failure = Failure(status: 302, body: Data(), headers: ["location": location], for: try endpoint())
        #expect(failure.message.hasPrefix("it redirects to https://sso.example/login (302)"))
    }

    static let delays: [(String, Duration?)] = [
        ("7", .seconds(7)), ("0", .zero), ("-1", .zero), ("86400", .seconds(3600)), ("soon", nil), ("", nil),
        ("Thu, 01 Jan 1970 00:01:30 GMT", .seconds(30)), ("Thu, 01 Jan 1970 00:00:30 GMT", .zero),
    ]

    @Test("says how long to wait, in seconds or as a date", arguments: delays)
    func retryAfter(text: String, expected: Duration?) {
        #expect(Failure.delay(text, now: Date(timeIntervalSince1970: 60)) == expected)
    }
}
