// The bodies that A1111 takes, field by field, and what its validation makes of them.
//
// Validation is lenient ("21" and 20.7 are ints) and its complaints have a shape of their own, with every wrong field
// in one answer. What comes out is what A1111 echoes as `parameters`: all fields it knows, in its order, converted.

import Foundation

/// One wrong field, as the 422 tells it.
struct FieldError: Error {
    let location: [JSON]
    let message: String
    let type: String

    var json: JSON { ["loc": .array(location), "msg": .string(message), "type": .string(type)] }

    static let missingBody = FieldError(
        location: ["body"], message: "field required", type: "value_error.missing")
    static let notObject = FieldError(
        location: ["body"], message: "value is not a valid dict", type: "type_error.dict")
}

/// A field: its name, its kind and what it is where a body does not have it.
struct Field: Sendable {
    enum Kind: String, Sendable {
        case string, int, float, bool, list, dict
        /// A list that has to be there.
        case required
    }
    let name: String
    let kind: Kind
    let standard: JSON

    /// `name kind default`, each ended by a semicolon.
    static func table(_ text: String) -> [Field] {
        text.split { $0 == ";" || $0 == "\n" }.compactMap { entry in
            let words = entry.split(separator: " ", maxSplits: 2)
            guard words.count == 3, let kind = Kind(rawValue: String(words[1])) else { return nil }
            guard let standard = try? JSONReader.read(Array(words[2].utf8)) else { return nil }
            return Field(name: String(words[0]), kind: kind, standard: standard)
        }
    }

    /// Converts the fields of a body; throws every complaint there is.
    static func validate(_ body: JSON, _ fields: [Field]) throws(Complaints) -> JSON {
        guard case .object = body else { throw Complaints(errors: [.notObject]) }
        var errors: [FieldError] = []
        let members = fields.map { field -> (key: String, value: JSON) in
            guard let given = body[field.name] else {
                if field.kind == .required {
                    errors.append(field.error("field required", "value_error.missing"))
                }
                return (field.name, field.standard)
            }
            do throws(FieldError) { return (field.name, try field.converted(given)) } catch {
                errors.append(error)
            }
            return (field.name, .null)
        }
        guard errors.isEmpty else { throw Complaints(errors: errors) }
        return .object(members)
    }

    struct Complaints: Error {
        let errors: [FieldError]
    }

    private func error(_ message: String, _ type: String) -> FieldError {
        FieldError(location: ["body", .string(name)], message: message, type: type)
    }

    private func converted(_ value: JSON) throws(FieldError) -> JSON {
        switch (kind, value) {
        case (.required, .null): throw error("none is not an allowed value", "type_error.none.not_allowed")
        case (_, .null), (.string, .string), (.bool, .bool), (.list, .array), (.required, .array),
            (.dict, .object):
            return value
        case (.string, .number(let spelling)): return .string(spelling)
        case (.string, .bool(let value)): return .string(value ? "True" : "False")
        case (.int, .bool(let value)): return .int(value ? 1 : 0)
        case (.int, .number(let spelling)):
            if !spelling.contains(where: { ".eE".contains($0) }) { return value }
            return value.double.flatMap { Int(exactly: $0.rounded(.towardZero)) }.map(JSON.int) ?? value
        case (.int, .string(let text)):
            if let number = Int(text.trimmingCharacters(in: .whitespaces)) { return .int(number) }
        case (.float, .bool(let value)): return .double(value ? 1 : 0)
        case (.float, .number):
            // 1e999 is no Double, and infinity no JSON.
            if let number = value.double, number.isFinite { return .double(number) }
        case (.float, .string(let text)):
            if let number = Double(text.trimmingCharacters(in: .whitespaces)), number.isFinite {
                return .double(number)
            }
        case (.bool, .string(let text)):
            if ["true", "t", "yes", "y", "on", "1"].contains(text.lowercased()) { return true }
            if ["false", "f", "no", "n", "off", "0"].contains(text.lowercased()) { return false }
        case (.bool, .number(let spelling)) where spelling == "0" || spelling == "1":
            return .bool(spelling == "1")
        default: break
        }
        switch kind {
        case .string: throw error("str type expected", "type_error.str")
        case .int: throw error("value is not a valid integer", "type_error.integer")
        case .float: throw error("value is not a valid float", "type_error.float")
        case .bool: throw error("value could not be parsed to a boolean", "type_error.bool")
        case .list, .required: throw error("value is not a valid list", "type_error.list")
        case .dict: throw error("value is not a valid dict", "type_error.dict")
        }
    }
}

extension Field {
    static let txt2img = table(
        common + """
            enable_hr bool false; firstphase_width int 0; firstphase_height int 0; hr_scale float 2.0;
            hr_upscaler string null; hr_second_pass_steps int 0; hr_resize_x int 0; hr_resize_y int 0;
            hr_checkpoint_name string null; hr_sampler_name string null; hr_scheduler string null;
            hr_prompt string ""; hr_negative_prompt string ""; force_task_id string null;
            sampler_index string "Euler";
            """ + end)

    static let img2img = table(
        common.replacing("denoising_strength float null", with: "denoising_strength float 0.75") + """
            init_images list null; resize_mode int 0; image_cfg_scale float null; mask string null;
            mask_blur_x int 4; mask_blur_y int 4; mask_blur int null; mask_round bool true;
            inpainting_fill int 0; inpaint_full_res bool true; inpaint_full_res_padding int 0;
            inpainting_mask_invert int 0; initial_noise_multiplier float null; latent_mask string null;
            force_task_id string null; sampler_index string "Euler"; include_init_images bool false;
            """ + end)

    static let extraSingle = table(upscaling + "image string \"\"; ")
    static let extraBatch = table(upscaling + "imageList required []")
    static let interrogate = table("image string \"\"; model string \"clip\"")

    private static let common = """
        prompt string ""; negative_prompt string ""; styles list null; seed int -1; subseed int -1;
        subseed_strength float 0; seed_resize_from_h int -1; seed_resize_from_w int -1;
        sampler_name string null; scheduler string null; batch_size int 1; n_iter int 1; steps int 50;
        cfg_scale float 7.0; width int 512; height int 512; restore_faces bool null; tiling bool null;
        do_not_save_samples bool false; do_not_save_grid bool false; eta float null;
        denoising_strength float null; s_min_uncond float null; s_churn float null; s_tmax float null;
        s_tmin float null; s_noise float null; override_settings dict null;
        override_settings_restore_afterwards bool true; refiner_checkpoint string null;
        refiner_switch_at float null; disable_extra_networks bool false; firstpass_image string null;
        comments dict null;
        """
    private static let end = """
        script_name string null; script_args list []; send_images bool true; save_images bool false;
        alwayson_scripts dict {}; infotext string null;
        """
    private static let upscaling = """
        resize_mode int 0; upscaling_resize float 2; upscaling_resize_w int 512;
        upscaling_resize_h int 512; upscaler_1 string "None"; upscaler_2 string "None";
        """
}
