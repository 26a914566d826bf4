// What the server did otherwise than it is set to, although the job did not ask for that: an override of somebody
// else's job can stay in force for all who come behind (`override_settings_restore_afterwards`: false).

import Foundation

/// What `info` says that was used.
struct UsedInfo: Decodable {
    var sampler_name: String?
    var sd_model_name: String?
    var sd_model_hash: String?
    var sd_vae_name: String?
    var clip_skip: Int?

    /// Whether `checkpoint` is a name of what was used, as far as that can be told without the server's list.
    func hasUsed(checkpoint: String) -> Bool {
        guard let used = sd_model_name, checkpoint != used else { return true }
        if let hash = sd_model_hash, !hash.isEmpty, checkpoint.contains(hash) { return true }
        // `folder/name.safetensors [hash]` is the title of what is `name` in `info`; on Windows, `folder\\name…`.
        let file = checkpoint.prefix { $0 != "[" }.trimmingCharacters(in: .whitespaces)
        let name = file.split { $0 == "/" || $0 == "\\" }.last.map(String.init) ?? file
        return URL(fileURLWithPath: name).deletingPathExtension().lastPathComponent == used
    }
}

extension RequestedRender {
    /// The differences between what the server is set to and what it used where the request left that to it.
    func unasked(_ reply: Reply, _ info: UsedInfo, _ settings: ServerSettings) -> [String] {
        func words(_ what: String, _ set: String) -> String {
            "the server used \(what), which was not asked for (it was set to \(set))"
        }
        var found: [String] = []
        if clipSkip == nil, let used = info.clip_skip, used != settings.clipSkip ?? 1 {
            found.append(words("clip skip \(used)", "\(settings.clipSkip ?? 1)"))
        }
        if checkpoint == nil, let set = settings.checkpoint, !set.isEmpty, let used = info.sd_model_name,
            !info.hasUsed(checkpoint: set)
        {
            found.append(words("the checkpoint \"\(used)\"", "\"\(set)\""))
        }
        // With `Automatic` or `None` a checkpoint may still bring its own.
        if vae == nil, settings.vaeGoesFirst, let set = settings.vae, !["", "Automatic", "None"].contains(set),
            info.sd_model_name != nil, info.sd_vae_name != set
        {
            found.append(words(info.sd_vae_name.map { "the VAE \"\($0)\"" } ?? "no VAE", "\"\(set)\""))
        }
        if format == nil, let set = settings.format, let other = reply.picture(otherThan: set) {
            found.append(words("the picture format \(other.format?.rawValue ?? "unknown")", set))
        }
        return found
    }
}

extension Reply {
    /// How many pictures came, grids and extras not counted.
    var count: Int { pictures.count { $0.kind == .picture } }

    /// A picture that is not of the format that the server calls `name`. What may be something else than A1111's
    /// names of formats is not held against anybody.
    func picture(otherThan name: String) -> Picture? {
        let named = name.lowercased() == "jpg" ? "jpeg" : name.lowercased()
        guard let format = PictureFormat(rawValue: named) else { return nil }
        return pictures.first { $0.kind == .picture && $0.format != nil && $0.format != format }
    }
}
