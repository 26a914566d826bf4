// The bodies that A1111 takes, field by field, and what its validation makes of them.
//
// Validation is lenient ("21" and 20.7 are ints) and its complaints have a shape of their own, with every wrong field
// in one answer. A value stays the JSON text that it came as wherever that will do: a 64-bit seed is not a Double.

import Foundation
import HTTP
import JSONText

/// Values as JSON texts by name, in order: a checked body, which A1111 echoes as `parameters`, or its options.
struct BodySchema: Sendable {
    private var members: [(name: String, text: Data)]

    /// What a body or an object within it says, unchecked; nothing for what is no object.
    init(_ object: ObjectText?) {
        members = object.map { object in object.members.map { ($0.key, object.value(of: $0.key) ?? Data()) } } ?? []
    }

    /// Every field with its default.
    init(_ table: [Field]) {
        members = table.map { ($0.name, Data($0.standard.utf8)) }
    }

    /// All fields of a body; throws a 422 with every complaint that there is.
    init(_ body: ObjectText, _ table: [Field]) throws(Response) {
        self.init(table)
        var complaints: [JSONValue] = []
        for (index, field) in table.enumerated() {
            if let given = body.value(of: field.name) {
                if let text = field.converted(given) {
                    members[index].text = text
                } else {
                    complaints.append(.complaint([field.name], field.kind.words, "type_error.\(field.kind.type)"))
                }
            } else if field.kind == .required {
                complaints.append(.complaint([field.name], "field required", "value_error.missing"))
            }
        }
        guard complaints.isEmpty else { throw .invalid(complaints) }
    }

    var names: [String] { members.map(\.name) }
    var json: JSONValue { .object(members.map { ($0.name, .raw($0.text)) }) }

    /// The value as JSON; to set one that is not there does nothing.
    func text(_ name: String) -> Data? { members.last { $0.name == name }?.text }
    mutating func set(_ name: String, _ text: Data) {
        if let index = members.firstIndex(where: { $0.name == name }) { members[index].text = text }
    }

    /// The value as a Swift value; `nil` where it is null, or does not fit.
    subscript<Value: Decodable>(name: String) -> Value? {
        text(name).flatMap { try? JSONDecoder().decode(Value.self, from: $0) }
    }

    func object(_ name: String) -> BodySchema { BodySchema(text(name).flatMap { try? ObjectText($0) }) }
    func isNull(_ name: String) -> Bool { text(name)?.elementsEqual("null".utf8) ?? true }
}

/// A field: its name, its kind and what it is where a body does not have it.
struct Field: Sendable {
    enum Kind: String, Sendable {
        case string, int, float, bool, list, dict
        /// A list that has to be there.
        case required

        var type: String {
            switch self {
            case .string: "str"
            case .int: "integer"
            case .required: "list"
            default: rawValue
            }
        }

        var words: String {
            switch self {
            case .string: "str type expected"
            case .bool: "value could not be parsed to a boolean"
            default: "value is not a valid \(type)"
            }
        }
    }
    let name: String
    let kind: Kind
    let standard: String

    /// `name kind default`, each ended by a semicolon.
    static func table(_ text: String) -> [Field] {
        text.split { $0 == ";" || $0 == "\n" }.compactMap { entry in
            let words = entry.split(separator: " ", maxSplits: 2).map(String.init)
            guard words.count == 3, let kind = Kind(rawValue: words[1]) else { return nil }
            return Field(name: words[0], kind: kind, standard: words[2])
        }
    }

    /// A value as this kind has it, or `nil` where it cannot be one.
    fileprivate func converted(_ text: Data) -> Data? {
        let first = Character(UnicodeScalar(text.first ?? 0))
        switch (kind, first) {
        case (.required, "n"): return nil
        case (_, "n"), (.string, "\""), (.bool, "t"), (.bool, "f"), (.list, "["), (.required, "["), (.dict, "{"):
            return text
        case (_, "["), (_, "{"), (.list, _), (.required, _), (.dict, _): return nil
        default: break
        }
        let string = try? JSONDecoder().decode(String.self, from: text)
        var word = string?.trimmingCharacters(in: .whitespaces) ?? String(decoding: text, as: UTF8.self)
        if kind == .string { return JSONString.encoded(first.isLetter ? word.capitalized : word) }
        if kind == .bool {
            if ["true", "t", "yes", "y", "on", "1"].contains(word.lowercased()) { return Data("true".utf8) }
            return ["false", "f", "no", "n", "off", "0"].contains(word.lowercased()) ? Data("false".utf8) : nil
        }
        if first.isLetter { word = first == "t" ? "1" : "0" }
        if kind == .int, let number = Int(word) { return Data("\(number)".utf8) }
        guard let number = Double(word) else { return nil }
        // 1e999 is no Double, and infinity no JSON.
        if kind == .float { return number.isFinite ? Data("\(number)".utf8) : nil }
        guard string == nil else { return nil }
        return Int(exactly: number.rounded(.towardZero)).map { Data("\($0)".utf8) } ?? text
    }
}

extension Field {
    static let txt2img = table(
        common + """
            denoising_strength float null; enable_hr bool false; firstphase_width int 0; firstphase_height int 0;
            hr_scale float 2.0; hr_upscaler string null;
            hr_second_pass_steps int 0; hr_resize_x int 0; hr_resize_y int 0; hr_checkpoint_name string null;
            hr_sampler_name string null; hr_scheduler string null; hr_prompt string ""; hr_negative_prompt string "";
            """)

    static let img2img = table(
        common + """
            denoising_strength float 0.75; init_images list null; resize_mode int 0; image_cfg_scale float null;
            mask string null; mask_blur_x int 4; mask_blur_y int 4; mask_blur int null; mask_round bool true;
            inpainting_fill int 0; inpaint_full_res bool true; inpaint_full_res_padding int 0;
            inpainting_mask_invert int 0; initial_noise_multiplier float null; latent_mask string null;
            include_init_images bool false;
            """)

    static let extraSingle = table(upscaling + "image string \"\"")
    static let extraBatch = table(upscaling + "imageList required []")
    static let interrogate = table("image string \"\"; model string \"clip\"")

    private static let common = """
        prompt string ""; negative_prompt string ""; styles list null; seed int -1; subseed int -1;
        subseed_strength float 0; seed_resize_from_h int -1; seed_resize_from_w int -1; sampler_name string null;
        scheduler string null; batch_size int 1; n_iter int 1; steps int 50; cfg_scale float 7.0; width int 512;
        height int 512; restore_faces bool null; tiling bool null; do_not_save_samples bool false;
        do_not_save_grid bool false; eta float null; s_min_uncond float null; s_churn float null; s_tmax float null;
        s_tmin float null; s_noise float null; override_settings dict null;
        override_settings_restore_afterwards bool true; refiner_checkpoint string null; refiner_switch_at float null;
        disable_extra_networks bool false; firstpass_image string null; comments dict null;
        force_task_id string null; sampler_index string "Euler"; script_name string null; script_args list [];
        send_images bool true; save_images bool false; alwayson_scripts dict {}; infotext string null;

        """
    private static let upscaling = """
        resize_mode int 0; upscaling_resize float 2.0; upscaler_1 string "None"; upscaler_2 string "None";

        """
}
