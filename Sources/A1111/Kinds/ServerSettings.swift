// What the owner of the server has set, to tell it from what somebody's job has left behind.

import A1111API
import Foundation

/// The options of a server that a picture depends on; one that it does not tell is `nil`, and nothing is held against
/// it.
package struct ServerSettings: Decodable, Sendable, Equatable {
    var checkpoint: String?
    var vae: String?
    var clipSkip: Int?
    var format: String?
    /// A checkpoint may bring a VAE of its own, which goes before `vae`.
    var vaeGoesFirst = true

    private enum CodingKeys: String, CodingKey {
        case checkpoint = "sd_model_checkpoint"
        case vae = "sd_vae"
        case clipSkip = "CLIP_stop_at_last_layers"
        case format = "samples_format"
        case vaeGoesFirst = "sd_vae_overrides_per_model_preferences"
    }

    /// Of a server that says nothing.
    package init() {}

    /// Reads the answer of `GET /sdapi/v1/options`, and passes over what is odd in it.
    package init(from decoder: any Decoder) throws {
        let options = try decoder.container(keyedBy: CodingKeys.self)
        checkpoint = try? options.decode(String.self, forKey: .checkpoint)
        vae = try? options.decode(String.self, forKey: .vae)
        clipSkip = try? options.decode(Int.self, forKey: .clipSkip)
        format = try? options.decode(String.self, forKey: .format)
        vaeGoesFirst = (try? options.decode(Bool.self, forKey: .vaeGoesFirst)) ?? true
    }
}

extension Endpoint {
    /// It changes what the settings of the server are, on purpose.
    package var changesSettings: Bool {
        let route = path.prefix { $0 != "?" }
        return method != "GET" && (route == "/sdapi/v1/options" || route.hasSuffix("-checkpoint"))
    }
}
