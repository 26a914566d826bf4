// What the server has of samplers, checkpoints and the like, to hold against what a job asks for.

import Foundation

/// The lists of a server; one that it lacks is `nil`, and nothing is held against it.
package struct ServerLists: Sendable, Equatable {
    /// A name and the other names that stand for it.
    struct Entry: Decodable, Sendable, Equatable {
        var name: String?
        var label: String?
        var alias: String?
        var aliases: [String]?
        var title: String?
        var model_name: String?
        var model_path: String?

        /// All that it is called.
        var names: [String] { [name, label, alias, title, model_name].compactMap { $0 } + (aliases ?? []) }
    }

    var samplers: [Entry]?
    var schedulers: [Entry]?
    var checkpoints: [Entry]?
    var loras: [Entry]?
    var styles: [Entry]?
    var upscalers: [Entry]?

    /// Of a server that says nothing.
    package init() {}

    /// Where each is to be had.
    static let paths: [(path: String, list: WritableKeyPath<ServerLists, [Entry]?> & Sendable)] = [
        ("/sdapi/v1/samplers", \.samplers), ("/sdapi/v1/schedulers", \.schedulers),
        ("/sdapi/v1/sd-models", \.checkpoints), ("/sdapi/v1/loras", \.loras), ("/sdapi/v1/prompt-styles", \.styles),
        ("/sdapi/v1/upscalers", \.upscalers),
    ]
}
