// A form with files in it, as browsers and Python's requests send one (RFC 7578), for receivers that know nothing else.

import Foundation
import HTTP

/// A body of multipart/form-data: its length is known, and its files are read when they are sent.
package struct MultipartForm: Sendable {
    /// Chance enough that it stands in no picture.
    private let boundary = "sdspool-\(UUID().uuidString.lowercased())"
    private var pieces: [BodyPiece] = []

    /// An empty one.
    package init() {}

    /// A field with a short text.
    package mutating func add(_ name: String, _ text: String) {
        open("name=\"\(Self.escaped(name))\"")
        pieces.append(BodyPiece(Data("\(text)\r\n".utf8)))
    }

    /// A file, under the name that it is to have there.
    package mutating func add(_ name: String, _ file: PictureFile, called fileName: String, type: String) {
        open("name=\"\(Self.escaped(name))\"; filename=\"\(Self.escaped(fileName))\"\r\nContent-Type: \(type)")
        pieces.append(file.plain)
        pieces.append(BodyPiece(Data("\r\n".utf8)))
    }

    private mutating func open(_ disposition: String) {
        pieces.append(
            BodyPiece(Data("--\(boundary)\r\nContent-Disposition: form-data; \(disposition)\r\n\r\n".utf8)))
    }

    /// A name may end neither its quotes nor its line (HTML Living Standard, section 4.10.21.8).
    private static func escaped(_ name: String) -> String {
        name.replacing("\"", with: "%22").replacing("\r", with: "%0D").replacing("\n", with: "%0A")
    }

    /// Of the request.
    package var contentType: String { "multipart/form-data; boundary=\(boundary)" }

    /// All of it.
    package var body: RequestBody { RequestBody(pieces: pieces + [BodyPiece(Data("--\(boundary)--\r\n".utf8))]) }
}
