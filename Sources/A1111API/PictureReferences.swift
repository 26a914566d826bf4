// Pictures that a job names and does not bring: file names where the server takes base64.

import Foundation
import JSONText

/// A file name in the place of a picture.
package struct PictureReference: Hashable, Sendable {
    /// As the job has it, unescaped.
    package let name: String
    /// Of the string with its quotes, in the job's text.
    package let place: Range<Int>

    /// The file names among the pictures of a body, in order, wherever they stand: in `init_images` and `mask`, in `image`
    /// and `imageList[].data` of the extras, in ControlNet's `image` inside `alwayson_scripts`, in what a middleman
    /// passes on. What lies below `key`, which is not for the server, is not looked at.
    package static func all(in object: ObjectText, without key: String) -> [PictureReference] {
        var finder = ReferenceFinder(passedOver: key)
        var tokenizer = JSONTokenizer()
        // The text has been read before, so there is nothing to throw.
        try? tokenizer.feed(object.text.span, to: &finder)
        return finder.found
    }

    /// Whether a string is the name of a file: it ends like one, or begins with the folder. Base64 holds no dot, and what
    /// the server is to take or fetch by itself is a URL.
    static func isFileName(_ text: String) -> Bool {
        guard !text.hasPrefix("data:"), !text.contains("://") else { return false }
        return text.hasPrefix("assets/") || text.contains(/\.[A-Za-z0-9]{1,5}$/)
    }
}

private struct ReferenceFinder: JSONVisitor {
    private(set) var found: [PictureReference] = []

    private let passedOver: String
    /// The keys under which the open containers stand, the outermost first; an array's elements stand under its own.
    private var path: [String] = []
    private var key = ""
    private var start = 0
    /// The string that is read, as far as a name could be long.
    private var text: [UInt8] = []
    private static let longest = 4096

    /// What A1111 and its extensions call the pictures that they take.
    private static let keys: Set<String> = [
        "init_images", "mask", "image", "images", "latent_mask", "firstpass_image", "input_image", "input_images",
        "mask_image", "controlnet_input_images", "controlnet_masks",
    ]

    init(passedOver: String) { self.passedOver = passedOver }

    mutating func began(object: Bool, at offset: Int) { path.append(key) }
    mutating func ended(object: Bool, at end: Int) { key = path.removeLast() }
    mutating func key(_ text: [UInt8], at place: Range<Int>) { key = String(decoding: text, as: UTF8.self) }
    mutating func scalar(at place: Range<Int>) {}

    mutating func stringBegan(at offset: Int) {
        start = offset
        text.removeAll(keepingCapacity: true)
    }

    mutating func string(_ piece: Span<UInt8>) {
        guard text.count <= Self.longest else { return }
        for index in piece.indices.prefix(Self.longest + 1) { text.append(piece[index]) }
    }

    mutating func stringEnded(at end: Int) {
        guard isPicture, text.count <= Self.longest else { return }
        let name = String(decoding: text, as: UTF8.self)
        if PictureReference.isFileName(name) { found.append(PictureReference(name: name, place: start..<end)) }
    }

    private var isPicture: Bool {
        // The outermost object stands under no key.
        let top = path.count > 1 ? path[1] : key
        guard top != passedOver, top != "override_settings" else { return false }
        return Self.keys.contains(key) || key == "data" && path.last == "imageList"
    }
}
