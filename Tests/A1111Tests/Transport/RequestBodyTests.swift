import A1111API
import Foundation
import JSONText
import Testing

@testable import A1111

@Suite("A request's body")
struct RequestBodyTests {
    static let undrawn: [(String, keys: [String])] = [
        (#"{}"#, ["seed"]), (#"{"prompt": "a"}"#, ["seed"]),
        (#"{"seed": -1}"#, ["seed"]), (#"{"seed": "-1"}"#, ["seed"]), (#"{"seed": null}"#, ["seed"]),
        (#"{"seed": -1.0}"#, ["seed"]), (#"{"seed": " -1 "}"#, ["seed"]),
        (#"{"seed": 5, "seed": -1}"#, ["seed"]), (#"{"seed": -1, "seed": 5}"#, []),
        (#"{"seed": 0}"#, []), (#"{"seed": 42}"#, []), (#"{"seed": "42"}"#, []), (#"{"seed": -2}"#, []),
        (#"{"seed": 9007199254740993}"#, []), (#"{"seed": "x"}"#, []), (#"{"seed": true}"#, []),
        (#"{"seed": [-1]}"#, []),
        (#"{"\u0073eed": 7}"#, []), (#"{"a": {"seed": 7}}"#, ["seed"]),
        (#"{"seed": 1, "subseed": -1}"#, []), (#"{"seed": 1, "subseed_strength": 0}"#, []),
        (#"{"seed": 1, "subseed_strength": 0.0}"#, []), (#"{"seed": 1, "subseed_strength": null}"#, []),
        (#"{"seed": 1, "subseed_strength": 0.5}"#, ["subseed"]),
        (#"{"seed": 1, "subseed_strength": "0.5"}"#, ["subseed"]),
        (#"{"seed": 1, "subseed_strength": 1e-3, "subseed": null}"#, ["subseed"]),
        (#"{"seed": 1, "subseed_strength": -0.5}"#, ["subseed"]),
        (#"{"subseed_strength": 0.5}"#, ["seed", "subseed"]),
        (#"{"subseed_strength": 0.5, "subseed": 0}"#, ["seed"]),
    ]

    @Test("leaves seeds to chance that are missing, null or -1", arguments: undrawn)
    func chance(text: String, keys: [String]) throws {
        let object = try ObjectText(Data(text.utf8))
        #expect(try Seeds.undrawnKeys(of: object, for: endpoint("/sdapi/v1/txt2img")) == keys)
        #expect(try Seeds.undrawnKeys(of: object, for: endpoint("/sdapi/v1/img2img")) == keys)
    }

    @Test(
        "has no seeds to draw where no seed decides what comes out",
        arguments: ["/sdapi/v1/extra-single-image", "/sdapi/v1/extra-batch-images", "/sdapi/v1/options", "/x"])
    func noChance(path: String) throws {
        #expect(try Seeds.undrawnKeys(of: ObjectText(Data("{}".utf8)), for: endpoint(path)) == [])
    }

    @Test("gets seeds that fit A1111's web page, and not the same ones")
    func draws() {
        let seeds = (0..<1000).map { _ in Seeds.draw() }
        #expect(seeds.allSatisfy { (0...4_294_967_293).contains($0) })
        #expect(Set(seeds).count > 990)
    }

    static let texts: [(String, drawn: [String: Int64], sent: String)] = [
        (#"{"prompt": "a"}"#, [:], #"{"prompt": "a"}"#),
        (#"{"prompt": "a", "sdspool": {"priority": 3}}"#, [:], #"{"prompt": "a"}"#),
        (#"{"sdspool": {}, "prompt": "a"}"#, [:], #"{"prompt": "a"}"#),
        (#"{"sdspool": {}}"#, [:], #"{}"#),
        (#"{"sdspool": {}}"#, ["seed": 7], #"{"seed": 7}"#),
        (#"{"prompt": "a"}"#, ["seed": 7, "subseed": 8], #"{"seed": 7, "subseed": 8, "prompt": "a"}"#),
        (#"{"seed": -1, "prompt": "a"}"#, ["seed": 7], #"{"seed": 7, "prompt": "a"}"#),
        (#"{"seed" :"-1","subseed":null }"#, ["seed": 7, "subseed": 8], #"{"seed" :7,"subseed":8 }"#),
        (#"{"seed": 1, "seed": -1}"#, ["seed": 7], #"{"seed": 1, "seed": 7}"#),
        ("\n{ \"a\" : 1 ,\n\t\"sdspool\":{},\n\"b\": [ ] }\n", [:], "\n{ \"a\" : 1 ,\n\t\"b\": [ ] }\n"),
    ]

    @Test("is the job's text without the queue's key and with what was drawn", arguments: texts)
    func text(text: String, drawn: [String: Int64], sent: String) throws {
        let body = try RequestBody(of: ObjectText(Data(text.utf8)), without: "sdspool", drawn: drawn).whole
        #expect(String(decoding: body, as: UTF8.self) == sent)
    }

    @Test("keeps numbers, escapes, spaces and unknown keys to the byte")
    func bytes() throws {
        let kept = #"""
            "id": 123456789012345678901234567890, "cfg_scale": 7.10000000000000000001, "e": 1E+2, "z": -0.0,
              "prompt": "\u732b \u0041\/\ud83d\udc08 🐈 \"quoted\"\t", "no_such_key" : {"seed": -1, "sdspool": 1}, "t":true
            """#
        let object = try ObjectText(Data("{\(kept), \"seed\": -1, \"sdspool\": {\"priority\": 1}}".utf8))
        let body = try RequestBody(of: object, without: "sdspool", drawn: ["seed": 4_294_967_293]).whole
        #expect(String(decoding: body, as: UTF8.self) == "{\(kept), \"seed\": 4294967293}")
    }
}
