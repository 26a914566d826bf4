// What came back, with its pictures in files under the names that they keep.

import A1111API
import Foundation
import JSONText
import Linux

/// A picture of a reply, complete in the job's folder.
package struct Picture: Sendable {
    /// Its name in the folder.
    package let file: String
    /// What it is.
    package let kind: PictureKind
    /// Told by its first bytes; `nil` for an extension's text in the place of a picture.
    package let format: PictureFormat?
    /// In bytes.
    package let size: Int
    /// In pixels, as the picture's own header says.
    package let width: Int?
    /// See `width`.
    package let height: Int?
    /// What it was drawn from.
    package let seed: Int64?
    /// See `seed`.
    package let subseed: Int64?
    /// The generation parameters as A1111 writes them under a picture.
    package let infotext: String?
}

/// An answer with a status of 2xx, taken apart.
package struct Reply: Sendable {
    /// Of the server's answer.
    package let status: Int
    /// `content-type` and its like, lower case; not those of the connection.
    package let headers: [String: String]
    /// In the order in which they came.
    package let pictures: [Picture]
    /// The body without its pictures. Not JSON where the server's answer was none.
    package let text: Data
    /// Files of pictures whose content is not on the disk yet: whoever keeps the pictures has to bring it there.
    package let unsynced: [UnsyncedFile]

    /// The text of a member, as the server wrote it.
    package func member(_ key: String) -> Data? { (try? ObjectText(text))?.value(of: key) }

    /// `info`, which A1111 sends as JSON inside a string: the JSON inside.
    package let info: Data?

    init(status: Int, headers: [String: String], pictures: [Picture], text: Data, unsynced: [UnsyncedFile]) {
        self.status = status
        self.headers = headers
        self.pictures = pictures
        // The tokenizer does not look into strings, and a result must be UTF-8 throughout.
        let text =
            String(validating: text, as: UTF8.self) == nil ? Data(String(decoding: text, as: UTF8.self).utf8) : text
        self.text = text
        self.unsynced = unsynced
        info = Self.info(in: try? ObjectText(text))
    }

    /// Longer ones are not read, in bytes: taken apart, they would take many times their length. A hundred pictures have
    /// some hundred kilobytes of it.
    private static let infoCap = 4 << 20

    static func info(in object: ObjectText?) -> Data? {
        guard let value = object?.value(of: "info"), value.count <= infoCap else { return nil }
        guard let inner = (try? JSONDecoder().decode(String.self, from: value)).map({ Data($0.utf8) }) else {
            return value
        }
        return (try? ObjectText(inner)) != nil ? inner : value
    }
}

/// Looks whether an answer holds what its 200 says. `nil` where it does.
///
/// - Parameters:
///   - service: `nil` for what a middleman passes on, which may be anything but a broken picture.
///   - wantsPictures: false where the request said `"send_images": false`.
func failure(
    of pictures: [ClassifiedPictures], facts: [PictureFacts], object: ObjectText?, service: Endpoint.Service?,
    wantsPictures: Bool
) -> Failure? {
    if service != nil, object == nil { return Failure(.unclear, "the server's answer is JSON, but no object") }
    if service != nil, pictures.isEmpty, wantsPictures {
        return Failure(.wrongResult, "the server answered 200, but sent no picture")
    }
    for (index, (picture, fact)) in zip(pictures, facts).enumerated() {
        if let flaw = fact.flaw {
            return Failure(.wrongResult, "the server answered 200, but picture \(index + 1) of its answer is \(flaw)")
        }
        if service != nil, picture.kind == .picture, !fact.isPicture {
            return Failure(
                .wrongResult,
                "the server answered 200, but element \(index + 1) of its pictures is no PNG, JPEG or WebP")
        }
    }
    return nil
}

extension StagedPicture {
    var facts: PictureFacts { PictureFacts(isPicture: head != nil, infotext: head?.infotext, flaw: flaw) }

    func placed(_ arranged: ClassifiedPictures, job: String) -> Picture {
        Picture(
            file: arranged.fileName(job: job, suffix: head?.format.suffix ?? "txt"), kind: arranged.kind,
            format: head?.format, size: size, width: head?.size?.width, height: head?.size?.height,
            seed: arranged.seed, subseed: arranged.subseed, infotext: arranged.infotext)
    }
}
