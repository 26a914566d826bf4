// Trust but verify: A1111 answers 200 to much that it did not do. What was asked is held against what came.

import Foundation
import JSONText

extension RequestedRender {
    /// Whether the server's lists can tell more than the answer alone.
    package var namesThings: Bool {
        sampler != nil || scheduler != nil || checkpoint != nil || !loras.isEmpty || !styles.isEmpty || upscaler != nil
            || leavesUpscalerOut
    }

    /// The differences between what was asked and what came, each naming both, in words for the person who asked.
    ///
    /// - Parameter settings: what the server uses where a request does not ask.
    package func differences(
        to reply: Reply, lists: ServerLists, settings: ServerSettings = ServerSettings()
    ) -> [String] {
        let info = reply.info.flatMap { try? JSONDecoder().decode(UsedInfo.self, from: $0) } ?? UsedInfo()
        return [
            countDifference(reply), samplerDifference(info, lists), schedulerDifference(reply, lists),
            checkpointDifference(info, lists), vaeDifference(info), clipSkipDifference(info), formatDifference(reply),
            upscalerDifference(lists),
        ].compactMap { $0 } + sizeDifferences(reply) + unknown(lists) + unasked(reply, info, settings)
    }

    private func countDifference(_ reply: Reply) -> String? {
        guard let count, !reply.pictures.isEmpty, reply.count != count else { return nil }
        return "asked for \(count) pictures (batch_size × n_iter), \(reply.count) came"
    }

    private func sizeDifferences(_ reply: Reply) -> [String] {
        guard let width, let height, !hasScript else { return [] }
        return reply.pictures.filter { $0.kind == .picture }.compactMap { picture in
            guard let cameWidth = picture.width, let cameHeight = picture.height else { return nil }
            guard (cameWidth, cameHeight) != (width, height) else { return nil }
            return "asked for \(width) × \(height) pixels, \(picture.file) has \(cameWidth) × \(cameHeight)"
        }
    }

    private func samplerDifference(_ info: UsedInfo, _ lists: ServerLists) -> String? {
        guard let sampler, !sampler.isEmpty, let used = info.sampler_name, sampler != used else { return nil }
        // Up to 1.8 the schedule was a part of the sampler's name, and is still understood: "DPM++ 2M Karras".
        if let rest = sampler.hasPrefix(used + " ") ? sampler.dropFirst(used.count + 1) : nil,
            lists.schedulers?.contains(where: { $0.names.contains(String(rest)) }) ?? true
        {
            return nil
        }
        if lists.samplers?.first(where: { $0.name == used })?.names.contains(sampler) == true { return nil }
        return "asked for the sampler \"\(sampler)\", the server used \"\(used)\""
    }

    private func schedulerDifference(_ reply: Reply, _ lists: ServerLists) -> String? {
        guard let scheduler, !scheduler.isEmpty, let text = reply.pictures.lazy.compactMap(\.infotext).first,
            let used = text.firstMatch(of: /Schedule type: ([^,\n]+)/).map({ String($0.output.1) })
        else { return nil }
        if scheduler.lowercased() == used.lowercased() { return nil }
        if lists.schedulers?.first(where: { $0.label == used })?.names.contains(scheduler) == true { return nil }
        return "asked for the schedule type \"\(scheduler)\", the server used \"\(used)\""
    }

    private func checkpointDifference(_ info: UsedInfo, _ lists: ServerLists) -> String? {
        guard let checkpoint, !checkpoint.isEmpty, let used = info.sd_model_name, !info.hasUsed(checkpoint: checkpoint)
        else { return nil }
        if lists.checkpoints?.first(where: { $0.model_name == used })?.names.contains(checkpoint) == true { return nil }
        return "asked for the checkpoint \"\(checkpoint)\", the server used \"\(used)\""
    }

    private func vaeDifference(_ info: UsedInfo) -> String? {
        guard let vae, !["", "Automatic", "None"].contains(vae), vae != info.sd_vae_name else { return nil }
        return "asked for the VAE \"\(vae)\", the server used \(info.sd_vae_name.map { "\"\($0)\"" } ?? "none")"
    }

    private func clipSkipDifference(_ info: UsedInfo) -> String? {
        guard let clipSkip, let used = info.clip_skip, used != clipSkip else { return nil }
        return "asked for clip skip \(clipSkip), the server used \(used)"
    }

    private func formatDifference(_ reply: Reply) -> String? {
        guard let format, let other = reply.picture(otherThan: format) else { return nil }
        return "asked for pictures in \(format), \(other.file) is \(other.format?.rawValue ?? "another")"
    }

    private func upscalerDifference(_ lists: ServerLists) -> String? {
        guard let list = lists.upscalers else { return nil }
        if leavesUpscalerOut { return "no upscaler was named (upscaler_1): the picture keeps its size" }
        // Where the model is not on the server's disk its path is still the URL to fetch it from.
        guard let upscaler, let entry = list.first(where: { $0.name == upscaler }),
            entry.model_path?.hasPrefix("http") == true
        else {
            return nil
        }
        return "asked for the upscaler \"\(upscaler)\", whose model the server has not: the picture may be only resized"
    }

    /// Whether the server has not all that it lists things of and this names.
    package func isMissing(in lists: ServerLists) -> Bool { !unknown(lists).isEmpty }

    private func unknown(_ lists: ServerLists) -> [String] {
        func missing(_ wanted: [String], in list: [ServerLists.Entry]?) -> [String] {
            guard let list else { return [] }
            let known = Set(list.flatMap(\.names))
            return wanted.filter { !known.contains($0) }
        }
        return missing(loras, in: lists.loras).map { "asked for the LoRA \"\($0)\", which the server has not" }
            + missing(styles, in: lists.styles).map { "asked for the style \"\($0)\", which the server has not" }
    }
}
