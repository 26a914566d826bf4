import Foundation
import JSONText
import Testing

@testable import StandIn

@Suite("The fields of a body")
struct BodySchemaTests {
    static func fields(_ text: String) throws -> BodySchema {
        try BodySchema(ObjectText(Data(text.utf8)), Field.txt2img)
    }

    @Test("are converted as leniently as A1111 does it")
    func lenient() throws {
        let fields = try Self.fields(
            #"{"prompt":5,"negative_prompt":true,"steps":"21","width":20.7,"cfg_scale":true,"eta":"0.5","n_iter":false}"#
        )
        #expect(fields["prompt"] == "5")
        #expect(fields["negative_prompt"] == "True")
        #expect(fields["steps"] == 21)
        #expect(fields["width"] == 20)
        #expect(fields["n_iter"] == 0)
        #expect(fields["cfg_scale"] == 1.0)
        #expect(fields["eta"] == 0.5)
        for (word, value) in [("\"no\"", false), ("\"ON\"", true), ("0", false), ("1", true)] {
            #expect(try Self.fields(#"{"send_images":\#(word)}"#)["send_images"] == value)
        }
    }

    @Test(
        "stay as they were written where nothing has to be converted",
        arguments: ["9007199254740993", "18446744073709551616", #""猫 \"\\\n\u0001 🐈""#])
    func verbatim(text: String) throws {
        let name = text.hasPrefix("\"") ? "prompt" : "seed"
        #expect(try Self.fields(#"{"\#(name)" : \#(text) }"#).text(name) == Data(text.utf8))
    }

    @Test("are what they are by default where they are missing, and unknown ones are left out")
    func defaults() throws {
        let fields = try Self.fields(#"{"unknown":1}"#)
        #expect(fields["steps"] == 50 && fields["cfg_scale"] == 7.0 && fields["prompt"] == "")
        #expect(fields.isNull("sampler_name") && fields.text("unknown") == nil)
    }
}
