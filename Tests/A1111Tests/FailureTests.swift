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
        .serverDown: [
            "nowebui-auth noauth", "webui-auth bad-base64", "webui-auth noauth-interrupt", "webui-auth noauth-progress",
            "webui-auth wrong-password",
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
            "webui err-method-not-allowed", "webui err-method-put", "webui err-not-json", "webui err-script-name",
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
        (404, #"{"detail":"Not Found"}"#, "txt2img", .serverDown),
        (404, #"{"detail":"Not Found"}"#, "img2img", .serverDown),
        (404, #"{"detail":"Not Found"}"#, "extra-batch-images", .serverDown),
        (404, #"{"detail":"Not Found"}"#, "options", .serverDown),
        (404, #"{"detail":"Not Found"}"#, "progress?skip_current_image=true", .serverDown),
        (404, #"{"detail":"Not Found"}"#, "nope", .permanent),
        (500, "TypeError: ... got an unexpected keyword argument 'default_script_arg_txt2img'", "txt2img", .serverDown),
        (
            500, #"{"error":"AttributeError","errors":"no attribute 'default_script_arg_img2img'"}"#, "img2img",
            .serverDown
        ),
        (500, "Internal Server Error", "txt2img", .temporary), (500, "", "txt2img", .temporary),
        (
            500, #"{"error":"OutOfMemoryError","detail":"","body":"","errors":"CUDA out of memory. Tried"}"#, "txt2img",
            .outOfMemory
        ),
        (500, #"{"error":"RuntimeError","errors":"MPS backend out of memory"}"#, "txt2img", .outOfMemory),
        (500, #"{"error":"NansException","detail":"","body":"","errors":"A tensor with NaNs"}"#, "txt2img", .temporary),
        // Forge, SD.Next, koboldcpp, stable-diffusion.cpp.
        (500, #"{"error":"OutOfMemoryError","message":"CUDA out of memory."}"#, "txt2img", .outOfMemory),
        (500, #"{"error":"RuntimeError","message":"x"}"#, "txt2img", .temporary), (429, "", "txt2img", .serverDown),
        (
            503, #"{"detail":{"msg":"Server is busy; please try again later.","type":"service_unavailable"}}"#,
            "txt2img", .serverDown
        ),
        (400, #"{"error":"prompt required"}"#, "txt2img", .permanent), (404, "", "progress", .permanent),
        (404, "", "extra-single-image", .permanent), (405, "", "txt2img", .permanent),
        // Gateways.
        (502, "<html>Bad Gateway</html>", "txt2img", .serverDown), (504, "", "txt2img", .serverDown),
        (521, "", "txt2img", .serverDown), (524, "error code: 524", "txt2img", .serverDown),
        (404, "404 page not found", "txt2img", .serverDown), (404, "<html>offline", "img2img", .serverDown),
        (404, "<html>", "extra-single-image", .permanent), (404, "<html>", "nope", .permanent),
        (530, "error code: 1033", "txt2img", .serverDown), (403, "<html>", "nope", .permanent),
        (501, "", "txt2img", .temporary), (401, "", "txt2img", .serverDown), (403, "<html>", "txt2img", .serverDown),
        (413, "<html>", "txt2img", .permanent), (301, "", "txt2img", .permanent), (307, "", "options", .permanent),
        (304, "", "options", .permanent),
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
        (500, #"{"error":{"code":1}}"#, "the server failed (500)"), (500, "[1]", "the server failed (500)"),
        (500, "", "the server failed (500)"),
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

    @Test("of a gateway that gave up after a while may hide a render, and is no server that is away")
    func gateway() throws {
        let slow = Failure(status: 504, body: Data(), for: try endpoint())
        #expect(slow.class == .serverDown)
        #expect(slow.after(.seconds(1)).class == .serverDown)
        #expect(slow.after(.seconds(60)).class == .ambiguous)
        #expect(Failure(status: 503, body: Data(), for: try endpoint()).after(.seconds(60)).class == .serverDown)
    }
}
