// The pictures of a job that has ended: which there are, and their bytes as they are wanted.

import Foundation
import HTTP
import Linux
import Spool

/// A picture that lies in a result's folder.
package struct PictureLink: Sendable {
    package let file: FileName
    /// Of a file with such a name; bytes that are none are an extension's text in the place of a picture.
    package let type: String
    package let isPicture: Bool
    /// The words with which it can be made again, where the server has said them.
    package var infotext: String?

    /// The pictures in the order in which they came; what result.json does not say, the names of the files do.
    package static func all(of job: ResultFolder) throws(SystemError) -> [PictureLink] {
        struct Document: Decodable {
            struct Image: Decodable {
                let file: String?
                let format: String?
                let infotext: String?
            }
            let images: [Image]?
        }
        if let images = (try? JSONDecoder().decode(Document.self, from: job.document))?.images {
            return images.compactMap { image in
                let name = image.file.flatMap { FileName(bytes: $0.utf8) }
                return name.map {
                    PictureLink(
                        file: $0, type: type(of: $0) ?? "text/plain", isPicture: image.format != nil,
                        infotext: image.infotext)
                }
            }
        }
        let names = try job.folder.entries().filter { type(of: $0)?.hasPrefix("image/") == true }
        return names.sorted { number($0) < number($1) }.map {
            PictureLink(file: $0, type: type(of: $0) ?? "", isPicture: true)
        }
    }

    /// `cat-10.png` comes behind `cat-2.png`.
    private static func number(_ name: FileName) -> (Int, String) {
        let text = name.text ?? ""
        let digits = text.prefix { $0 != "." }.reversed().prefix { $0.isNumber }
        return (Int(String(digits.reversed())) ?? 0, text)
    }

    /// What a browser may take a file for. Whatever else lies there is text: a page that somebody has dropped would act in
    /// the name of this one.
    package static func type(of name: FileName) -> String? {
        guard let text = name.text?.lowercased(), let dot = text.lastIndex(of: ".") else { return nil }
        return switch text[text.index(after: dot)...] {
        case "png": "image/png"
        case "jpg", "jpeg": "image/jpeg"
        case "webp": "image/webp"
        case "gif": "image/gif"
        case "json": "application/json"
        case "prom", "txt": "text/plain; charset=utf-8"
        default: nil
        }
    }
}

/// A file that is sent while it is read.
package final class FileBody: Sendable {
    private let file: File
    package let size: Int

    /// Throws ``SystemError``.
    package init(_ file: consuming File) throws(SystemError) {
        size = Int(clamping: try file.status().size)
        self.file = file
    }

    /// As it is. A file that has become shorter cuts the answer.
    package func write(to writer: BodyWriter) async throws {
        for start in stride(from: 0, to: size, by: Self.piece) { try await writer.write(piece(at: start, of: size)) }
    }

    /// In base64 (RFC 4648 section 4), as long as it was when its length was told.
    package func writeBase64(to writer: BodyWriter, size: Int) async throws {
        for start in stride(from: 0, to: size, by: Self.piece) {
            try await writer.write(piece(at: start, of: size).base64EncodedData())
        }
    }

    private func piece(at start: Int, of size: Int) async throws -> Data {
        try await HTTPGateway.reads.run { [self] in try file.read(start..<min(start + Self.piece, size)) }
    }

    /// What that comes to.
    package static func base64Length(_ size: Int) -> Int { (size + 2) / 3 * 4 }

    /// All of it, where it is short.
    package func text() throws(SystemError) -> String { String(decoding: try file.read(upTo: 1 << 20), as: UTF8.self) }

    /// A multiple of 3: each piece is whole groups of base64.
    private static let piece = 48 << 10
}
